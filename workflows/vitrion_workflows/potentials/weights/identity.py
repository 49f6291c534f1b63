"""Weights on disk: where they lie and whether they are the ones they should be."""

import hashlib
import os
from pathlib import Path

import platformdirs

from vitrion_models.errors import CheckpointError, MissingDependencyError

FOLDER_VARIABLE = "VITRION_POTENTIALS"


def weights_folder() -> Path:
    """Folder of installed weights: ``VITRION_POTENTIALS``, or the user's data folder."""
    named = os.environ.get(FOLDER_VARIABLE)
    return Path(named) if named else Path(platformdirs.user_data_path("vitrion")) / "potentials"


def sha256_of(path: Path) -> str:
    """sha256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_weights(path: Path, *, sha256: str, name: str, advice: str) -> None:
    """Refuse weights that are absent or are not the ones the registry names.

    Raises:
        MissingDependencyError: there is no such file.
        CheckpointError: its sha256 differs.
    """
    if not path.is_file():
        raise MissingDependencyError(f"the weights of {name} are not at {path}: {advice}")
    found = sha256_of(path)
    if found != sha256:
        raise CheckpointError(f"{path} has sha256 {found[:12]}..., {name} needs {sha256[:12]}...: {advice}")
