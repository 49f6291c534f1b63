"""Result files of commands, written whole or not at all."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from vitrion_models.errors import InputError
from vitrion_models.files import whole_file

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


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
        with _folders_of(target), whole_file(target) as partial:
            partial.write_bytes(data)
    except OSError as fault:
        if fault.errno in FULL:
            raise InputError(
                f"the disk is full: cannot write {path} ({fault.strerror}); free some space or choose another path"
            ) from fault
        raise InputError(f"cannot write {path} ({fault.strerror}): choose a writable path") from fault


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
