"""Structures, labels, models and cycles: one set of documents and queries on a MongoDB server or in a folder."""

from typing import TYPE_CHECKING, Any

from vitrion.database.database import SERVER_ADVISED_STRUCTURES, Database, advice, connect
from vitrion.database.errors import (
    DatabaseError,
    DatabaseLockedError,
    DatabaseUnreachableError,
    DatabaseVersionError,
    DiskFullError,
    LeaseLostError,
    NotFoundError,
)
from vitrion.database.queries.gate_versions import is_current
from vitrion.database.queries.quantity import MixtureError, Quantity, quantities, require_one
from vitrion.database.queries.rows import GroupStatistics, LabelRows, Rows
from vitrion.database.records import (
    CampaignRecord,
    CycleRecord,
    DatasetRecord,
    ImportedLabel,
    LabelRecord,
    ModelRecord,
    StructureRecord,
)
from vitrion.database.repositories.duplicates import NearDuplicate
from vitrion.database.repositories.labels import LabelAdded
from vitrion.database.repositories.new_structures import NewStructure
from vitrion.database.repositories.structures import AddResult

if TYPE_CHECKING:
    from vitrion.database.documents import Campaign, Cycle, Dataset, Label, ModelVersion, Structure

__all__ = [
    "SERVER_ADVISED_STRUCTURES",
    "AddResult",
    "Campaign",
    "CampaignRecord",
    "Cycle",
    "CycleRecord",
    "Database",
    "DatabaseError",
    "DatabaseLockedError",
    "DatabaseUnreachableError",
    "DatabaseVersionError",
    "Dataset",
    "DatasetRecord",
    "DiskFullError",
    "GroupStatistics",
    "ImportedLabel",
    "Label",
    "LabelAdded",
    "LabelRecord",
    "LabelRows",
    "LeaseLostError",
    "MixtureError",
    "ModelRecord",
    "ModelVersion",
    "NearDuplicate",
    "NewStructure",
    "NotFoundError",
    "Quantity",
    "Rows",
    "Structure",
    "StructureRecord",
    "advice",
    "connect",
    "is_current",
    "quantities",
    "require_one",
]

_DOCUMENTS = frozenset({"Campaign", "Cycle", "Dataset", "Label", "ModelVersion", "Structure"})


def __getattr__(name: str) -> Any:
    # mongoengine is slow to import, and what uses the repositories does without.
    if name not in _DOCUMENTS:
        raise AttributeError(f"module 'vitrion.database' has no attribute {name!r}")
    from vitrion.database import documents  # noqa: PLC0415

    return getattr(documents, name)
