"""The stored documents, each declared once: job outputs, queries, exports, indexes and mongoengine classes follow."""

from vitrion.database.records.base import SCHEMA_VERSION, Index, Record
from vitrion.database.records.campaign import CampaignRecord, CycleRecord, CycleState
from vitrion.database.records.dataset import DatasetRecord
from vitrion.database.records.label import ImportedLabel, LabelRecord
from vitrion.database.records.model import ModelRecord
from vitrion.database.records.proposal import FINISHED, Arm, Proposal, ProposalState
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

__all__ = [
    "FINISHED",
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
