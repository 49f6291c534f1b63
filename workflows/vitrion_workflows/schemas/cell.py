"""Output of the jobs that make a cell: melt-quenched, generated, or taken as it is."""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.method import MethodRecord


class StructureKind(StrEnum):
    """State of matter of a stored structure."""

    CRYSTAL = "crystal"
    AMORPHOUS = "amorphous"
    MELT = "melt"
    MOLECULE = "molecule"


class Origin(StrEnum):
    """Where a structure comes from."""

    IMPORTED = "imported"
    MELT_QUENCH = "melt-quench"
    GENERATED = "generated"
    DELITHIATED = "delithiated"
    SUBSTITUTED = "substituted"


class CellProtocol(BaseModel):
    """Numbers of a melt and quench; its JSON is part of the cell's identity in a campaign.

    Temperatures in K, times in ps, time step in fs. The cooling rate follows from them and is recorded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    melt_temperature_K: float = Field(default=2500.0, gt=0, le=10000)
    quench_temperature_K: float = Field(default=300.0, gt=0)
    melt_ps: float = Field(default=4.0, gt=0)
    quench_ps: float = Field(default=4.0, gt=0)
    hold_ps: float = Field(default=1.0, gt=0)
    time_step_fs: float = Field(default=2.0, gt=0, le=5)
    volume_search: bool = True


class CellOutcome(BaseModel):
    """A finished amorphous (or refused) cell.

    Attributes:
        structure: pymatgen ``Structure.as_dict()`` of the cell.
        fingerprint: identity of that cell (`vitrion_workflows.schemas.identity.fingerprint`).
        kind: state of matter as judged by the gates.
        origin: how it was made.
        accepted: whether every gate passed; a refused cell is stored, never labelled.
        parent_fingerprint: the crystal (or cell) it was made from, if any.
        formula: reduced formula asked for.
        density_g_cm3: mass density.
        energy_eV_per_atom: potential energy of the relaxed cell.
        pressure_GPa: static pressure of the relaxed cell.
        model_version: sha256 of the generator that drew it, for generated cells.
        wall_seconds: time it took.
        device: what it ran on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    structure: dict[str, Any]
    fingerprint: str
    kind: StructureKind
    origin: Origin
    accepted: bool
    gates: tuple[GateOutcome, ...]
    formula: str
    density_g_cm3: float
    energy_eV_per_atom: float | None = None
    pressure_GPa: float | None = None
    parent_fingerprint: str | None = None
    model_version: str | None = None
    protocol: CellProtocol | None = None
    method: MethodRecord | None = None
    quench_rate_K_per_ps: float | None = None
    seed: int = 0
    wall_seconds: float = 0.0
    device: str = "cpu"
