"""Checks that files exist, before anything heavy is imported."""

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
