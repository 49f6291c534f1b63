"""Keys of labels, fingerprints of cells, sha256 of artefacts and cycles of campaigns as people read them."""

import re

KEY_DIGITS = 12


def short_key(key: str) -> str:
    """Return the first digits of a key, enough to name it in a table or a message."""
    return key[:KEY_DIGITS]


def cycle_number(index: int) -> int:
    """Return the number of a cycle, which people count from 1; documents, Python and JSON have the index."""
    return index + 1


def is_sha256(text: str) -> bool:
    """Return True for 64 hexadecimal digits."""
    return re.fullmatch("[0-9a-f]{64}", text) is not None
