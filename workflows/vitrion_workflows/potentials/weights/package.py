"""Packages that bring a potential: are they there, and is the file of weights inside the one that should be?"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from vitrion_models.errors import MissingDependencyError
from vitrion_workflows.potentials.entry import Availability
from vitrion_workflows.potentials.weights.identity import require_weights


@dataclass(frozen=True)
class Package:
    """An installed package, or one that could be; it is never run here, which would take seconds.

    Attributes:
        module: name that is imported.
        distribution: name that is installed.
        advice: how to install it.
    """

    module: str
    distribution: str
    advice: str

    @property
    def folder(self) -> Path | None:
        """Where it lies; None where it is not installed."""
        found = find_spec(self.module)
        return None if found is None or found.origin is None else Path(found.origin).parent

    def require(self, potential: str) -> Path:
        """Folder of the package.

        Raises:
            MissingDependencyError: it is not installed.
        """
        folder = self.folder
        if folder is None:
            raise MissingDependencyError(f"potential {potential} needs {self.distribution}: {self.advice}")
        return folder

    def probe(self, then: Callable[[], Availability]) -> Availability:
        """Whether it is installed; if so, what is asked next decides."""
        if self.folder is None:
            return Availability(ok=False, reason=f"{self.distribution} is not installed: {self.advice}")
        return then()


@dataclass(frozen=True)
class PackagedFile:
    """A file of weights inside a package.

    Attributes:
        potential: registry name.
        package: that brings it.
        place: of the file under the package's folder.
        sha256: of the file.
    """

    potential: str
    package: Package
    place: str
    sha256: str

    def require(self) -> Path:
        """The file, which is the one that it should be.

        Raises:
            MissingDependencyError: the package or the file is missing.
            CheckpointError: the package carries another file.
        """
        path = self.package.require(self.potential) / self.place
        require_weights(path, sha256=self.sha256, name=self.potential, advice=self.package.advice)
        return path

    def probe(self) -> Availability:
        """Whether the package and the file are there, and if not what to do."""

        def file() -> Availability:
            path = self.package.require(self.potential) / self.place
            return Availability(
                ok=path.is_file(), reason=str(path) if path.is_file() else f"no {path}: {self.package.advice}"
            )

        return self.package.probe(file)
