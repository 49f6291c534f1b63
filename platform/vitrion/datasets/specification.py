"""What the registry says of a data set: where it is, what it must hash to, whose it is and how it is read."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vitrion.datasets.records import DatasetContent

Loader = Callable[[Mapping[str, Path]], DatasetContent]


@dataclass(frozen=True)
class SourceFile:
    """One file of a data set.

    Attributes:
        name: the loader's name for it.
        path: its path below a mirror folder.
        url: the original public source.
        sha256: what its content must hash to.
    """

    name: str
    path: str
    url: str
    sha256: str


@dataclass(frozen=True)
class DatasetSpecification:
    """A public data set.

    Attributes:
        name: what people type.
        title: one line.
        licence: SPDX name, or ``none stated``.
        citation: what to cite.
        files: the files, each with its hash; empty for data sets inside the package.
        loader: reads the fetched files.
        package_sha256: hash of the content of a data set inside the package.
    """

    name: str
    title: str
    licence: str
    citation: str
    files: tuple[SourceFile, ...]
    loader: Loader
    package_sha256: Callable[[], str] | None = None

    @property
    def sha256(self) -> str:
        """Identity of the content: sha256 over the sorted hashes of the files."""
        if self.package_sha256 is not None:
            return self.package_sha256()
        return combined_sha256(file.sha256 for file in self.files)


def combined_sha256(hashes: Iterable[str]) -> str:
    """Sha256 over sorted hashes, so that the order of files does not matter."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
