"""Analysis of one trajectory: equilibration, drift, diffusivity and gates."""

from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from vitrion_models.constants import HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES, DiffusivityEstimate
from vitrion_workflows.diffusivity.result import diffusivity
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.label import LabelState
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.collective import in_host_frame
from vitrion_workflows.transport.framework import Framework, framework, framework_gate
from vitrion_workflows.transport.haven import Haven, haven_ratio
from vitrion_workflows.validation.equilibration import Equilibration, equilibration_of
from vitrion_workflows.validation.temperature import Coupling
from vitrion_workflows.validation.trajectory_checks import integrity

BoolArray: TypeAlias = NDArray[np.bool_]


# Of a whole half of a run: what subtracting the centre of mass leaves of atoms that stand still is 1e-14.
STILL_A = 1e-6


class TrajectoryState(StrEnum):
    """What a trajectory is worth by itself. Only a protocol makes a label of it (`label_trajectory`)."""

    ACCEPTED = "accepted"  # everything was judged, and passed
    UNVERIFIED = "unverified"  # nothing speaks against it, and something could not be judged
    REJECTED = "rejected"
    CENSORED = "censored"  # the value is an upper bound


@dataclass(frozen=True, eq=False)
class TrajectoryAnalysis:
    """Everything that a trajectory says about the diffusivity of one species.

    Attributes:
        species: chemical symbol.
        state: what the gates make of it, see `TrajectoryState`.
        judged: verdict of what could be judged, whatever could not.
        value_cm2_per_s: D, or its 95 % upper bound where `judged` is censored.
        estimate: the regression behind it.
        gates: what was judged.
        not_checked: gates that the input leaves unjudged, each with the reason.
        framework: state of the other species.
        haven: tracer over collective diffusivity, or None.
        equilibration_ps: discarded at the start.
        production_ps: analysed.
        drift_A: path of the centre of mass, removed.
        mean_temperature_K: over the analysed part, or None.
    """

    species: str
    judged: LabelState
    value_cm2_per_s: float
    estimate: DiffusivityEstimate
    gates: tuple[GateOutcome, ...]
    not_checked: tuple[str, ...]
    framework: Framework
    haven: Haven | None
    equilibration_ps: float
    production_ps: float
    drift_A: float
    mean_temperature_K: float | None

    @property
    def state(self) -> TrajectoryState:
        """Nothing is plainly accepted, nor a bound, where something could not be judged."""
        if self.judged is not LabelState.REJECTED and self.not_checked:
            return TrajectoryState.UNVERIFIED
        return TrajectoryState(self.judged.value)

    @property
    def verdict(self) -> str:
        """One line for people."""
        if not self.not_checked:
            return self.judged.value
        names = ", ".join(entry.partition(":")[0] for entry in self.not_checked)
        return f"{self.judged.value} as far as could be checked: not checked are {names}"


def analyse_trajectory(
    trajectory: Trajectory,
    *,
    species: str,
    temperature_K: float | None = None,
    coupling: Coupling | None = None,
) -> TrajectoryAnalysis:
    """Diffusivity of one species of a trajectory, with gates.

    Args:
        trajectory: unwrapped, with its frame interval.
        species: chemical symbol of the mobile ions.
        temperature_K: set temperature; where it is not given, what the trajectory carries. Without either the
            temperature cannot be judged.
        coupling: of the thermostat, which decides how well a short run knows its temperature, of a run that has to
            know it; where it is not given, what the trajectory carries. Where neither is known, the scatter of the
            temperatures decides, and nothing is judged that the kicks of a usual Langevin thermostat would hide.

    Returns:
        The analysis. A failed gate rejects; a displacement too small to measure censors.

    Raises:
        InputError: unknown or absent species, impossible temperature, too few frames.
    """
    mobile = _mobile(trajectory, species)
    set_K = _set_temperature(trajectory, temperature_K)
    start = equilibration_of(trajectory)
    displacements = _displacements(trajectory, start, mobile=mobile)
    estimate = diffusivity(displacements[:, mobile], trajectory.frame_interval_ps)
    sound = integrity(
        trajectory,
        displacements,
        start,
        mobile=atomic_numbers[species],
        temperature_K=set_K,
        coupling=coupling,
    )
    first = AtomicSystem(trajectory.numbers, trajectory.positions_A[start.frames], trajectory.lattice_A)
    found = framework(displacements, first, mobile=atomic_numbers[species])
    state = estimate.state if all(gate.passed for gate in sound.gates) else LabelState.REJECTED
    bound = estimate.resolution.upper_bound_cm2_per_s
    return TrajectoryAnalysis(
        species=species,
        judged=state,
        value_cm2_per_s=bound if state is LabelState.CENSORED else estimate.value_cm2_per_s,
        estimate=estimate,
        gates=(*sound.gates, *estimate.gates, framework_gate(found)),
        not_checked=tuple(f"{name}: {reason}" for name, reason in sound.not_checked.items()),
        framework=found,
        haven=haven_ratio(in_host_frame(displacements, trajectory.masses_u, mobile), estimate),
        equilibration_ps=start.frames * trajectory.frame_interval_ps,
        production_ps=estimate.duration_ps,
        drift_A=sound.drift_A,
        mean_temperature_K=sound.mean_temperature_K,
    )


def _mobile(trajectory: Trajectory, species: str) -> BoolArray:
    """Which atoms are of the species, shape (N,)."""
    number = atomic_numbers.get(species)
    if not number:
        raise InputError(f"{_named(trajectory)}: species {species!r} is no chemical symbol: give for example Li")
    mobile: BoolArray = trajectory.numbers == number
    if not mobile.any():
        raise InputError(f"{_named(trajectory)}: holds no {species}")
    return mobile


def _set_temperature(trajectory: Trajectory, temperature_K: float | None) -> float | None:
    if temperature_K is None:
        return trajectory.set_temperature_K
    if not 0 < temperature_K <= HOTTEST_K:
        raise InputError(
            f"{_named(trajectory)}: a temperature of {temperature_K:g} K is impossible: give 0 < T <= {HOTTEST_K:g}"
        )
    return temperature_K


def _displacements(trajectory: Trajectory, start: Equilibration, *, mobile: BoolArray) -> FloatArray:
    """Motion after equilibration without that of the centre of mass, shape (F, N, 3); refused where there is none."""
    positions = trajectory.positions_A[start.frames :]
    if len(positions) < FEWEST_FRAMES:
        raise InputError(
            f"{_named(trajectory)}: {len(positions)} frames after equilibration are too few: "
            f"at least {FEWEST_FRAMES} are needed"
        )
    displacements = remove_drift(positions, trajectory.masses_u)
    ions = displacements[:, mobile]
    half = len(ions) // 2
    if any(np.ptp(part, axis=0).max() < STILL_A for part in (ions[: half + 1], ions[half:])):
        name = chemical_symbols[trajectory.numbers[mobile][0]]
        raise InputError(
            f"{_named(trajectory)}: no {name} moves at all in half of the run: its frames are copies of each other"
        )
    return displacements


def _named(trajectory: Trajectory) -> str:
    return trajectory.source or "trajectory"
