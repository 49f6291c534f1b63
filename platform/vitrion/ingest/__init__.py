"""Files, data sets and job outputs become documents; the builder is the only way from a job to a document."""

from vitrion.ingest.builder import BuildReport, build, build_from_job_store
from vitrion.ingest.datasets import (
    DatasetReport,
    candidate_pool,
    ingest_dataset,
    ingest_materials_project,
    radial_distributions,
)
from vitrion.ingest.files import FilesReport, ingest_files
from vitrion.ingest.outcomes import find_outcomes, outcomes_in
from vitrion.ingest.reading import read_structures

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
