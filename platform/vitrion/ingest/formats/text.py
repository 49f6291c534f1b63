"""Text of a file, plain or gzipped."""

import gzip
import zlib
from pathlib import Path

from vitrion_models.errors import InputError


def read_text(path: Path) -> str:
    """Return the content of a text file; ``.gz`` is unpacked.

    Raises:
        InputError: it is not text, is a truncated archive, or is empty.
    """
    try:
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        text = raw.decode("utf-8-sig")  # editors on Windows put a mark first
    except (gzip.BadGzipFile, EOFError, zlib.error) as fault:
        raise InputError("the archive is damaged or truncated") from fault
    except UnicodeDecodeError as fault:
        raise InputError("this is not a text file") from fault
    if not text.strip():
        raise InputError("the file is empty")
    return text
