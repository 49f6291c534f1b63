"""Seeds: every random choice of a campaign from one root and the name of what is chosen."""

import hashlib

SEED_BITS = 31


def derive_seed(root: int, *names: object) -> int:
    """A seed that depends on the campaign's root and on names only, never on time, order or worker.

    Args:
        root: the campaign's seed.
        names: what the seed is for, for example ``"label", fingerprint, 1500.0``.

    Returns:
        A number below 2**31.
    """
    text = "\x1f".join([str(root), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - SEED_BITS)
