"""Keys of labels, fingerprints of cells and sha256 of artefacts as people read them."""

import re

KEY_DIGITS = 12


def short_key(key: str) -> str:
    """Return the first digits of a key, enough to name it in a table or a message."""
    return key[:KEY_DIGITS]


def is_sha256(text: str) -> bool:
    """Return True for 64 hexadecimal digits."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None
