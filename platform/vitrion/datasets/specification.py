"""Specification of a data set: source files with their sha256, licence, citation and loader."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from vitrion.datasets.records import DatasetContent

Loader = Callable[[Mapping[str, Path]], DatasetContent]


@dataclass(frozen=True)
class SourceFile:
    """One file of a data set."""

    name: str
    path: str
    url: str
    sha256: str


@dataclass(frozen=True)
class DatasetSpecification:
    """A public data set.

    Attributes:
        name: identifier for users.
        title: one-line description.
        licence: SPDX name, or ``none stated``.
        citation: reference to cite.
        files: source files; empty for data sets inside the package.
        loader: reads the fetched files.
        package_sha256: computes the hash of a data set inside the package.
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
        """Sha256 over the sorted hashes of the files: identity of the content."""
        if self.package_sha256 is not None:
            return self.package_sha256()
        return combined_sha256(file.sha256 for file in self.files)


def combined_sha256(hashes: Iterable[str]) -> str:
    """Return the sha256 over sorted hashes, independent of the order of the files."""
    return hashlib.sha256("\n".join(sorted(hashes)).encode()).hexdigest()
