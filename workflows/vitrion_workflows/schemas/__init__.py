"""Typed, versioned outputs of the jobs: what a launchpad stores and the platform's builder reads."""

from vitrion_workflows.schemas.cell import (
    CellFields,
    CellOutcome,
    CellProtocol,
    Origin,
    StructureKind,
    VolumePoint,
    VolumeRecord,
)
from vitrion_workflows.schemas.gate import GateOutcome, failed_gates
from vitrion_workflows.schemas.identity import fingerprint, label_key, outcome_key
from vitrion_workflows.schemas.label import (
    Convention,
    FrameworkState,
    LabelFields,
    LabelOutcome,
    LabelProtocol,
    LabelState,
    MsdTable,
    StopReason,
    gate_version_fault,
)
from vitrion_workflows.schemas.method import MethodRecord
from vitrion_workflows.schemas.start import StartKind, StartRecord

__all__ = [
    "CellFields",
    "CellOutcome",
    "CellProtocol",
    "Convention",
    "FrameworkState",
    "GateOutcome",
    "LabelFields",
    "LabelOutcome",
    "LabelProtocol",
    "LabelState",
    "MethodRecord",
    "MsdTable",
    "Origin",
    "StartKind",
    "StartRecord",
    "StopReason",
    "StructureKind",
    "VolumePoint",
    "VolumeRecord",
    "failed_gates",
    "fingerprint",
    "gate_version_fault",
    "label_key",
    "outcome_key",
]
