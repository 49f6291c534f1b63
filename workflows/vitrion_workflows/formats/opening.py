"""Opening of files: regular ones only, unpacked and decoded within bounds, their name in the messages of errors."""

import bz2
import errno
import gzip
import io
import lzma
import os
import stat
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vitrion_models.bounds import FREELY_UNPACKED_BYTES, LARGEST_RATIO, LARGEST_TEXT_BYTES, LONGEST_LINE
from vitrion_models.errors import InputError, first_line

# Ending of a compressed file -> how it is opened.
OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
BEGINNING_BYTES = 4096  # looked at to tell text from binary


def require_paths(paths: Iterable[Path]) -> None:
    """Check that files or folders exist.

    Raises:
        InputError: one does not exist.
    """
    for path in paths:
        _status(path)


def require_file(path: Path) -> None:
    """Check that a path names a regular file that is not empty.

    Raises:
        InputError: the path does not exist, is a folder, a device, a pipe or a socket, or the file is empty.
    """
    status = _status(path)
    if stat.S_ISDIR(status.st_mode):
        raise InputError(f"{path}: this is a folder: give a file")
    if not stat.S_ISREG(status.st_mode):
        raise InputError(f"{path}: this is a device, a pipe or a socket: give a regular file")
    if not status.st_size:
        raise InputError(f"{path}: the file is empty")


def _status(path: Path) -> os.stat_result:
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"{path}: the name is not UTF-8: rename the file") from error
    try:
        return path.stat()
    except FileNotFoundError as error:
        if path.is_symlink():
            raise InputError(f"{path}: this link leads to no file") from error
        raise InputError(f"{path}: no such file or folder") from error
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
            raise
        raise InputError(f"{path}: cannot be read ({first_line(error)})") from error


def name_of(path: Path) -> str:
    """Return the name of a file in lower case, without the ending of its compression."""
    name = path.name.lower()
    for suffix in OPENERS:
        name = name.removesuffix(suffix)
    return name


def lines(path: Path) -> Iterator[str]:
    r"""Yield the lines of a text file, each with its ``\n``; only the last may lack it. One line is held at a time.

    ``.gz``, ``.bz2`` and ``.xz`` are unpacked; UTF-8 and, with a byte-order mark, UTF-16 are decoded.

    Raises:
        InputError: no regular file, not text, a damaged archive or one that unpacks without bound, a line too long.
    """
    with _opened(path) as file:
        for number in range(1, 2**63):
            line = file.readline(LONGEST_LINE)
            if len(line) == LONGEST_LINE:
                raise InputError(f"line {number} is longer than {LONGEST_LINE} characters: damaged, or no text file")
            if not line:
                return
            yield line


def read_text(path: Path) -> str:
    """Return the content of a text file as a whole, decoded as by `lines`.

    Raises:
        InputError: as `lines`, or it is empty or longer than texts that are read as a whole.
    """
    with _opened(path) as file:
        text = file.read(LARGEST_TEXT_BYTES + 1)
    if len(text) > LARGEST_TEXT_BYTES:
        raise InputError(f"longer than {LARGEST_TEXT_BYTES >> 20} MiB, more than is read at once: split it")
    if not text.strip():
        raise InputError("the file is empty")
    return text


@contextmanager
def _opened(path: Path) -> Iterator[io.TextIOWrapper]:
    """Open a text file and translate the errors of reading it."""
    require_file(path)
    try:
        with io.BufferedReader(_Unpacked(path)) as content:
            yield io.TextIOWrapper(content, encoding=_encoding(content.peek(BEGINNING_BYTES)[:BEGINNING_BYTES]))
    except (gzip.BadGzipFile, EOFError, zlib.error, lzma.LZMAError) as error:
        raise InputError("the archive is damaged or truncated") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 (byte {error.object[error.start]:#x}): convert it, for example by iconv -f LATIN1 -t UTF-8"
        ) from error
    except OSError as error:
        # bz2 reports damage without a number.
        reason = first_line(error) if error.errno else "the archive is damaged or truncated"
        raise InputError(f"cannot be read ({reason})") from error


def _encoding(beginning: bytes) -> str:
    for mark, encoding in BYTE_ORDER_MARKS.items():
        if beginning.startswith(mark) and not (encoding == "utf-16" and beginning[2:4] == b"\0\0"):
            return encoding
    if b"\0" in beginning:
        raise InputError("this is not a text file")
    return "utf-8"


class _Unpacked(io.RawIOBase):
    """Content of a file, unpacked while it stays within the bounds of a fair archive."""

    def __init__(self, path: Path) -> None:
        opener = OPENERS.get(path.suffix.lower())
        self._stream = opener(path, "rb") if opener else path.open("rb")
        self._size = 0
        self._limit = max(FREELY_UNPACKED_BYTES, LARGEST_RATIO * path.stat().st_size) if opener else None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        content = self._stream.read(len(buffer))
        buffer[: len(content)] = content
        self._size += len(content)
        if self._limit is not None and self._size > self._limit:
            raise InputError(f"unpacks to more than {LARGEST_RATIO} times its size: unpack it yourself if you trust it")
        return len(content)

    def close(self) -> None:
        if not self.closed:
            self._stream.close()
        super().close()


@contextmanager
def naming(source: Path | str) -> Iterator[None]:
    """Put the file before the message of an `InputError` that does not begin with it."""
    try:
        yield
    except InputError as error:
        if str(error).startswith(str(source)):
            raise
        raise InputError(f"{source}: {error}") from error
