"""Files that are written completely or not at all, whatever kills the process."""

import os
from pathlib import Path

from vitrion_models.errors import CheckpointError


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file beside its place, force it to the disk and rename it.

    Raises:
        CheckpointError: the disk is full or the folder cannot be written.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise CheckpointError(f"cannot write {path} ({error.strerror}): free the disk and start again") from error
