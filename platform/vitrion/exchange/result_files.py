"""Result files of commands, written whole or not at all."""

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vitrion_models.errors import InputError

CHUNK = 1 << 20
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
MODE = 0o644  # a temporary file is its maker's alone


def write_result(path: Path, content: bytes | str) -> None:
    """Write the result file of a command.

    Folders on the way are made, and removed again where the file cannot be written. What is there and is no file (a
    terminal, a pipe, ``/dev/null``) is written to as it is, never replaced; so is what a link leads to.

    Raises:
        InputError: it cannot be written there; the message names it and the reason.
    """
    data = content.encode() if isinstance(content, str) else content
    try:
        if path.exists() and not path.is_dir() and not path.is_file():
            with path.open("wb") as device:
                device.write(data)
            return
        target = path.resolve()
        with _folders_of(target):
            write_atomically(target, data)
    except OSError as fault:
        if fault.errno in FULL:
            raise InputError(
                f"the disk is full: cannot write {path} ({fault.strerror}); free some space or choose another path"
            ) from fault
        raise InputError(f"cannot write {path} ({fault.strerror}): choose a writable path") from fault


def write_atomically(path: Path, source: Path | bytes) -> None:
    """Write a temporary file, sync, and rename it: a reader sees the whole file or none.

    Raises:
        OSError: as the system gives it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".incoming-")
    try:
        with os.fdopen(descriptor, "wb") as target:
            if isinstance(source, bytes):
                target.write(source)
            else:
                with source.open("rb") as stream:
                    while chunk := stream.read(CHUNK):
                        target.write(chunk)
            target.flush()
            os.fchmod(target.fileno(), MODE)
            os.fsync(target.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextmanager
def _folders_of(path: Path) -> Iterator[None]:
    """Remove folders that were made for a file which was not written."""
    absent = [folder for folder in path.parents if not folder.exists()]
    try:
        yield
    except OSError:
        for folder in absent:
            with suppress(OSError):
                folder.rmdir()
        raise
