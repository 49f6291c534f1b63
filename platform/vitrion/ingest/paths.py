"""Whether files are there at all: told before anything heavy is imported."""

from collections.abc import Iterable
from pathlib import Path

from vitrion_models.errors import InputError


def require_paths(paths: Iterable[Path]) -> None:
    """Refuse paths where neither a file nor a folder is.

    Raises:
        InputError: one does not exist.
    """
    for path in paths:
        if not path.exists():
            raise InputError(f"{path}: no such file or folder")


def require_file(path: Path) -> None:
    """Refuse what is no file.

    Raises:
        InputError: there is nothing, or a folder.
    """
    if path.is_dir():
        raise InputError(f"{path}: this is a folder, a file is wanted")
    if not path.is_file():
        raise InputError(f"{path}: no such file")
