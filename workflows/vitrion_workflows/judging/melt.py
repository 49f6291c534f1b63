"""Melt of a composition at a potential's zero pressure, with frames of its runs."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import AtomicSystem
from vitrion_workflows.amorphous import VolumeSearchFailed, relaxed_packing, search_volume
from vitrion_workflows.amorphous.volume import DISCARDED_SHARE
from vitrion_workflows.dynamics.stage import MDStage, run_stage
from vitrion_workflows.judging.errors import NoComparison
from vitrion_workflows.judging.protocol import JudgingProtocol
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas import VolumePoint
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.density_and_contacts import density_g_cm3

PACKING_VOLUME_FACTOR = 1.15  # over the estimate for the solid
FRAMES_COMPARED = 6
MELTING_PS = 1.0  # by a faster potential, before a slow one searches its volume


@dataclass(frozen=True, kw_only=True)
class MeltVolume:
    """Volume of a melt at zero pressure.

    Attributes:
        melted_by: potential that made the starting melt.
        volume_A3_per_atom: None where no volume of zero pressure was found.
        ln_stderr: standard error of its logarithm.
        density_g_cm3: mass density there.
        failure: reason for an absent volume.
    """

    melted_by: str
    volume_A3_per_atom: float | None = None
    ln_stderr: float | None = None
    density_g_cm3: float | None = None
    failure: str = ""


@dataclass(frozen=True, eq=False)
class Melt:
    """A melt and its frames.

    Attributes:
        volume: at zero pressure.
        frames: of the run nearest to zero pressure.
    """

    volume: MeltVolume
    frames: tuple[AtomicSystem, ...]


def melt_at_zero_pressure(
    formula: str,
    force_field: ForceField,
    *,
    protocol: JudgingProtocol,
    melter: ForceField,
) -> Melt:
    """Pack a melt, find its volume at zero pressure, and keep frames of the search.

    Args:
        formula: chemical formula.
        force_field: potential.
        protocol: size, temperature, length of the runs and seed.
        melter: potential that relaxes the packing; another one than `force_field`, faster, also melts it.

    Raises:
        InputError: bad formula, or an element outside a coverage.
        DynamicsError: forces are not finite, or the temperature explodes.
        NoComparison: the potential has no stress.
    """
    start = relaxed_packing(
        formula, melter, n_atoms=protocol.atoms, volume_scale=PACKING_VOLUME_FACTOR, seed=protocol.seed
    )
    if melter is not force_field:
        start = _melted(start, melter, protocol)
    runs: list[tuple[Trajectory, VolumePoint]] = []
    try:
        system, record = search_volume(
            start,
            force_field,
            protocol=protocol.cell_protocol(),
            seed=protocol.seed + 1,
            on_run=lambda trajectory, point: runs.append((trajectory, point)),
        )
    except VolumeSearchFailed as failure:
        if not runs:  # the potential has no stress
            raise NoComparison(str(failure).partition(":")[0]) from failure
        return Melt(
            MeltVolume(melted_by=melter.name, failure=str(failure).partition(":")[0]), _frames_nearest_to_zero(runs)
        )
    volume = MeltVolume(
        melted_by=melter.name,
        volume_A3_per_atom=system.volume_A3 / len(system),
        ln_stderr=record.stderr_A3 / system.volume_A3,
        density_g_cm3=density_g_cm3(system),
    )
    return Melt(volume, _frames_nearest_to_zero(runs))


def _melted(packed: AtomicSystem, melter: ForceField, protocol: JudgingProtocol) -> AtomicSystem:
    stage = MDStage(name=f"melt by {melter.name}", duration_ps=MELTING_PS, temperature_K=protocol.temperature_K)
    return run_stage(packed, melter, stage, protocol=protocol.cell_protocol(), seed=protocol.seed).system


def spread_frames(trajectory: Trajectory, count: int) -> tuple[AtomicSystem, ...]:
    """Return frames of a run, evenly spaced after its first third, the last one included."""
    first = int(np.ceil(len(trajectory) * DISCARDED_SHARE))
    return tuple(trajectory.spread_frames(count, first=first))


def _frames_nearest_to_zero(runs: list[tuple[Trajectory, VolumePoint]]) -> tuple[AtomicSystem, ...]:
    trajectory, _ = min(runs, key=lambda run: abs(run[1].pressure_GPa))
    return spread_frames(trajectory, FRAMES_COMPARED)
