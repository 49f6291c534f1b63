"""The documents: their field names are the wire contract, on a MongoDB server and in the embedded store alike."""

from vitrion.database.documents.base import SCHEMA_VERSION, VersionedDocument, check_fields, field_names
from vitrion.database.documents.campaign import CampaignDocument, CycleDocument, CycleState, ProposalDocument
from vitrion.database.documents.dataset import DatasetDocument
from vitrion.database.documents.gate import GateDocument
from vitrion.database.documents.label import LabelDocument
from vitrion.database.documents.model import ModelVersionDocument
from vitrion.database.documents.structure import AliasDocument, GeometryDocument, StructureDocument

DOCUMENTS: dict[str, type[VersionedDocument]] = {
    document.collection_name(): document
    for document in (
        GeometryDocument,
        StructureDocument,
        AliasDocument,
        LabelDocument,
        DatasetDocument,
        ModelVersionDocument,
        CampaignDocument,
        CycleDocument,
    )
}

__all__ = [
    "DOCUMENTS",
    "SCHEMA_VERSION",
    "AliasDocument",
    "CampaignDocument",
    "CycleDocument",
    "CycleState",
    "DatasetDocument",
    "GateDocument",
    "GeometryDocument",
    "LabelDocument",
    "ModelVersionDocument",
    "ProposalDocument",
    "StructureDocument",
    "VersionedDocument",
    "check_fields",
    "field_names",
]
