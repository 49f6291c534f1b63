"""Existence and text of files."""

import gzip
import zlib
from collections.abc import Iterable
from pathlib import Path

from vitrion_models.errors import InputError


def require_paths(paths: Iterable[Path]) -> None:
    """Check that files or folders exist.

    Raises:
        InputError: one does not exist.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")


def require_file(path: Path) -> None:
    """Check that a file exists.

    Raises:
        InputError: the path does not exist or is a folder.
    """
    if path.is_dir():
        raise InputError(f"{path}: this is a folder: give a file")
    if not path.is_file():
        raise InputError(f"{path}: no such file")


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
