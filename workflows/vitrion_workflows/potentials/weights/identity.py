"""Folder and sha256 of files of weights."""

import hashlib
import os
from pathlib import Path

import platformdirs

from vitrion_models.errors import CheckpointError, MissingDependencyError

FOLDER_VARIABLE = "VITRION_POTENTIALS"


def weights_folder() -> Path:
    """Return the folder of installed weights: ``VITRION_POTENTIALS``, or the user's data folder."""
    folder = os.environ.get(FOLDER_VARIABLE)
    return Path(folder) if folder else Path(platformdirs.user_data_path("vitrion")) / "potentials"


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def require_weights(path: Path, *, sha256: str, name: str, advice: str) -> None:
    """Refuse weights that are absent or differ from those of the registry.

    Raises:
        MissingDependencyError: there is no such file.
        CheckpointError: its sha256 differs.
    """
    if not path.is_file():
        raise MissingDependencyError(f"the weights of {name} are not at {path}: {advice}")
    digest = sha256_of(path)
    if digest != sha256:
        raise CheckpointError(f"{path} has sha256 {digest[:12]}..., {name} needs {sha256[:12]}...: {advice}")
