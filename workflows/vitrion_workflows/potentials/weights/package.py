"""Files of weights: their folder and sha256, and packages that carry them."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import platformdirs

from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.potentials.availability import Availability

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


@dataclass(frozen=True)
class Package:
    """A Python package, installed or not; it is located without being imported, which would take seconds.

    Attributes:
        module: name of the module.
        distribution: name of the distribution.
        advice: how to install it.
    """

    module: str
    distribution: str
    advice: str

    @property
    def folder(self) -> Path | None:
        """Return the folder of the package; None where it is not installed."""
        spec = find_spec(self.module)
        return None if spec is None or spec.origin is None else Path(spec.origin).parent

    def require(self, potential: str) -> Path:
        """Return the folder of the package.

        Raises:
            MissingDependencyError: it is not installed.
        """
        folder = self.folder
        if folder is None:
            raise MissingDependencyError(f"potential {potential} needs {self.distribution}: {self.advice}")
        return folder

    def probe(self, then: Callable[[], Availability]) -> Availability:
        """Return the outcome of a further check if the package is installed, or say how to install it."""
        if self.folder is None:
            return Availability(ok=False, reason=f"{self.distribution} is not installed: {self.advice}")
        return then()

    def probe_file(self, path: str, *, potential: str, advice: str) -> Availability:
        """Check that the package and a file of the user are there; without a path only the package."""

        def file() -> Availability:
            if path and not Path(path).is_file():
                return Availability(ok=False, reason=f"{potential} names no file: {advice}")
            return Availability(ok=True, reason=path or advice)

        return self.probe(file)


@dataclass(frozen=True)
class PackagedWeights:
    """A file of weights inside a package.

    Attributes:
        potential: registry name.
        package: package that carries it.
        place: path of the file under the folder of the package.
        sha256: sha256 of the file.
    """

    potential: str
    package: Package
    place: str
    sha256: str

    def require(self) -> Path:
        """Return the path of the file after checking its sha256.

        Raises:
            MissingDependencyError: the package or the file is missing.
            CheckpointError: the package carries another file.
        """
        path = self.package.require(self.potential) / self.place
        require_weights(path, sha256=self.sha256, name=self.potential, advice=self.package.advice)
        return path

    def probe(self, _argument: str = "") -> Availability:
        """Check that the package and the file are there."""

        def file() -> Availability:
            path = self.package.require(self.potential) / self.place
            return Availability(
                ok=path.is_file(), reason=str(path) if path.is_file() else f"no {path}: {self.package.advice}"
            )

        return self.package.probe(file)
