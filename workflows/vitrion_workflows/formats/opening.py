"""Opening of files: existence, decompression, text, and the file's name in the messages of errors."""

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vitrion_models.errors import InputError

# Ending of a compressed file -> how it is opened.
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def require_paths(paths: Iterable[Path]) -> None:
    """Check that files or folders exist.

    Raises:
        InputError: one does not exist.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")


def require_file(path: Path) -> None:
    """Check that a file exists and is not empty.

    Raises:
        InputError: the path does not exist, is a folder, or the file is empty.
    """
    if path.is_dir():
        raise InputError(f"{path}: this is a folder: give a file")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
    if not path.stat().st_size:
        raise InputError(f"{path}: the file is empty")


def name_of(path: Path) -> str:
    """Return the name of a file in lower case, without the ending of its compression."""
    name = path.name.lower()
    for suffix in OPENERS:
        name = name.removesuffix(suffix)
    return name


def read_text(path: Path) -> str:
    """Return the content of a text file; ``.gz``, ``.bz2`` and ``.xz`` are unpacked.

    Raises:
        InputError: it is not text, is a truncated archive, or is empty.
    """
    opener = OPENERS.get(path.suffix.lower(), open)
    try:
        with opener(path, "rt", encoding="utf-8-sig") as file:  # editors on Windows put a mark first
            text: str = file.read()
    except (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError("the archive is damaged or truncated") from error
    except UnicodeDecodeError as error:
        raise InputError("this is not a text file") from error
    except OSError as error:
        raise InputError(f"cannot be read ({str(error).splitlines()[0]})") from error
    if not text.strip():
        raise InputError("the file is empty")
    return text


@contextmanager
def naming(source: Path | str) -> Iterator[None]:
    """Put the file before the message of an `InputError` that does not begin with it."""
    try:
        yield
    except InputError as error:
        if str(error).startswith(str(source)):
            raise
        raise InputError(f"{source}: {error}") from error
