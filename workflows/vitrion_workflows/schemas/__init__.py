"""Typed, versioned outputs of the jobs: what a launchpad stores and the platform's builder reads."""

from vitrion_workflows.schemas.cell import (
    CellFields,
    CellOutcome,
    CellProtocol,
    Origin,
    StructureKind,
)
from vitrion_workflows.schemas.force_check import ForceCheck, ForceCheckSettings
from vitrion_workflows.schemas.gate import (
    GateOutcome,
    Measurement,
    describe_failures,
    failed_gates,
    failed_measurements,
)
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
from vitrion_workflows.schemas.method import MethodRecord, StartKind, StartRecord, scaled_start
from vitrion_workflows.schemas.volume import (
    EstimatedVolume,
    EstimateSource,
    VolumeEstimates,
    VolumePoint,
    VolumeRecord,
    VolumeRule,
)

__all__ = [
    "CellFields",
    "CellOutcome",
    "CellProtocol",
    "Convention",
    "EstimateSource",
    "EstimatedVolume",
    "ForceCheck",
    "ForceCheckSettings",
    "FrameworkState",
    "GateOutcome",
    "LabelFields",
    "LabelOutcome",
    "LabelProtocol",
    "LabelState",
    "Measurement",
    "MethodRecord",
    "MsdTable",
    "Origin",
    "StartKind",
    "StartRecord",
    "StopReason",
    "StructureKind",
    "VolumeEstimates",
    "VolumePoint",
    "VolumeRecord",
    "VolumeRule",
    "describe_failures",
    "failed_gates",
    "failed_measurements",
    "fingerprint",
    "gate_version_fault",
    "label_key",
    "outcome_key",
    "scaled_start",
]
