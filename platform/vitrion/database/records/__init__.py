"""The stored documents, each declared once: job outputs, queries, exports, indexes and mongoengine classes follow."""

from vitrion.database.records.base import ASCENDING, DESCENDING, SCHEMA_VERSION, Index, Record
from vitrion.database.records.campaign import (
    FINISHED,
    Arm,
    CampaignRecord,
    CycleRecord,
    CycleState,
    Proposal,
    ProposalState,
)
from vitrion.database.records.dataset import DatasetRecord
from vitrion.database.records.label import ImportedLabel, LabelRecord
from vitrion.database.records.model import ModelRecord
from vitrion.database.records.structure import AliasRecord, GeometryRecord, StructureRecord

RECORDS: dict[str, type[Record]] = {
    record.collection: record
    for record in (
        GeometryRecord,
        StructureRecord,
        AliasRecord,
        LabelRecord,
        DatasetRecord,
        ModelRecord,
        CampaignRecord,
        CycleRecord,
    )
}
"""Collection -> record."""

JOBS_COLLECTION = "outputs"
META_COLLECTION = "vitrion"

INDEXES: dict[str, tuple[Index, ...]] = {
    **{collection: record.indexes for collection, record in RECORDS.items()},
    # jobflow resolves references by {uuid, index}: without this index each one scans.
    JOBS_COLLECTION: (Index((("uuid", ASCENDING), ("index", DESCENDING))),),
}
"""Collection -> its indexes."""

__all__ = [
    "FINISHED",
    "INDEXES",
    "JOBS_COLLECTION",
    "META_COLLECTION",
    "RECORDS",
    "SCHEMA_VERSION",
    "AliasRecord",
    "Arm",
    "CampaignRecord",
    "CycleRecord",
    "CycleState",
    "DatasetRecord",
    "GeometryRecord",
    "ImportedLabel",
    "Index",
    "LabelRecord",
    "ModelRecord",
    "Proposal",
    "ProposalState",
    "Record",
    "StructureRecord",
]
