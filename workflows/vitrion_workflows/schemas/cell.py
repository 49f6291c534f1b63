"""Output of the jobs that make a cell: melt-quenched, generated, or taken as it is."""

from enum import StrEnum
from typing import Annotated, Any, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from vitrion_workflows.schemas.force_check import ForceCheck
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.homonuclear import HomonuclearBonds
from vitrion_workflows.schemas.layout import LAYOUT, LayoutVersion
from vitrion_workflows.schemas.method import MethodRecord
from vitrion_workflows.schemas.volume import VolumeEstimates, VolumeRecord


def _plain(value: Any) -> Any:
    # A job that takes this output by reference gets every MSONable part of it decoded before it is validated.
    return value.as_dict() if hasattr(value, "as_dict") else value


StructureDict: TypeAlias = Annotated[dict[str, Any], BeforeValidator(_plain)]
"""Pymatgen's ``Structure.as_dict()``; a `Structure` is taken too."""


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
    ORDERED = "ordered"  # from a crystal with partially occupied sites


class CellProtocol(BaseModel):
    """Numbers of a melt and quench; its JSON is part of the cell's identity in a campaign.

    Temperatures in K, times in ps, time step in fs. The cooling rate follows from them and is recorded.

    Attributes:
        melt_temperature_K: of the melt and of the volume search.
        quench_temperature_K: where the linear ramp ends and the cell is held.
        melt_ps: time in the melt.
        quench_ps: length of the ramp.
        hold_ps: time at the quench temperature before positions are relaxed.
        time_step_fs: integration time step.
        friction_per_ps: of the Langevin thermostat; higher than a label's, since no dynamics is read off.
        volume_ps: length of the short run at each volume of the search.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    melt_temperature_K: float = Field(default=2500.0, gt=0, le=10000)
    quench_temperature_K: float = Field(default=300.0, gt=0)
    melt_ps: float = Field(default=4.0, gt=0)
    quench_ps: float = Field(default=4.0, gt=0)
    hold_ps: float = Field(default=1.0, gt=0)
    time_step_fs: float = Field(default=2.0, gt=0, le=5)
    friction_per_ps: float = Field(default=10.0, gt=0)
    volume_ps: float = Field(default=1.0, gt=0)


class CellFields(BaseModel):
    """Fields that the job output and the stored structure of a cell share, each declared here once.

    Attributes:
        kind: state of matter.
        origin: how it was made.
        accepted: whether every gate passed; a refused cell is stored, never labelled.
        force_check: forces of a reference potential on the cell; None where no check was asked for.
        homonuclear_bonds: bonds between like atoms.
        unexpected_bonds: number of them beyond those that the compound has; None where they were not counted.
        density_g_cm3: mass density.
        energy_eV_per_atom: potential energy of the relaxed cell.
        pressure_GPa: static pressure of the relaxed cell.
        volumes: estimates of its volume and the chosen one; None for cells made elsewhere.
        model_version: sha256 of the generator that drew it, for generated cells.
        wall_seconds: time it took.
        device: what it ran on.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: StructureKind
    origin: Origin
    accepted: bool = True
    gates: tuple[GateOutcome, ...] = ()
    force_check: ForceCheck | None = None
    homonuclear_bonds: tuple[HomonuclearBonds, ...] = ()
    unexpected_bonds: float | None = None
    density_g_cm3: float
    energy_eV_per_atom: float | None = None
    pressure_GPa: float | None = None
    volumes: VolumeEstimates | None = None
    model_version: str | None = None
    protocol: CellProtocol | None = None
    method: MethodRecord | None = None
    quench_rate_K_per_ps: float | None = None
    seed: int | None = None
    wall_seconds: float | None = None
    device: str | None = None


class CellOutcome(CellFields):
    """A finished amorphous (or refused) cell.

    Attributes:
        structure: pymatgen ``Structure.as_dict()`` of the cell.
        fingerprint: identity of that cell (`vitrion_workflows.schemas.identity.fingerprint`).
        parent_fingerprint: the crystal (or cell) it was made from, if any.
        formula: reduced formula asked for.
        volume: the search for the melt's equilibrium volume, where one was made.
    """

    schema_version: LayoutVersion = LAYOUT
    structure: StructureDict
    fingerprint: str
    accepted: bool
    gates: tuple[GateOutcome, ...]
    formula: str
    parent_fingerprint: str | None = None
    volume: VolumeRecord | None = None
    seed: int = 0
    wall_seconds: float = 0.0
    device: str = "cpu"
