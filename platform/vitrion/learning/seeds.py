"""Seeds of all random choices of a campaign, derived from one root and the name of the choice."""

import hashlib

SEED_BITS = 31


def derive_seed(root: int, *names: object) -> int:
    """Return a seed that depends on the root and the names only, never on time, order or worker.

    Args:
        root: seed of the campaign.
        names: purpose of the seed, for example ``"label", fingerprint, 1500.0``.

    Returns:
        A number below 2**31.
    """
    text = "\x1f".join([str(root), *(str(name) for name in names)])
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> (64 - SEED_BITS)
