"""Files, data sets and job outputs become documents; the builder is the only way from a job to a document."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vitrion.ingest.builder import BuildReport, build, build_from_job_store
    from vitrion.ingest.datasets import (
        DatasetReport,
        candidate_pool,
        ingest_dataset,
        ingest_materials_project,
        radial_distributions,
    )
    from vitrion.ingest.files import FilesReport, ingest_files
    from vitrion.ingest.formats.reading import read_structures
    from vitrion.ingest.outcomes import find_outcomes, outcomes_in

__all__ = [
    "BuildReport",
    "DatasetReport",
    "FilesReport",
    "build",
    "build_from_job_store",
    "candidate_pool",
    "find_outcomes",
    "ingest_dataset",
    "ingest_files",
    "ingest_materials_project",
    "outcomes_in",
    "radial_distributions",
    "read_structures",
]

_MODULES = {
    "builder": ("BuildReport", "build", "build_from_job_store"),
    "datasets": (
        "DatasetReport",
        "candidate_pool",
        "ingest_dataset",
        "ingest_materials_project",
        "radial_distributions",
    ),
    "files": ("FilesReport", "ingest_files"),
    "outcomes": ("find_outcomes", "outcomes_in"),
    "formats.reading": ("read_structures",),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # pymatgen and pandas take seconds: a file that is not there is told without them.
    if name in _HOME:
        return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
