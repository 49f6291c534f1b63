"""Analysis of one trajectory: equilibration, drift, diffusivity and gates."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from vitrion_models.constants import HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES
from vitrion_workflows.diffusivity.gates import Diffusivity, diffusivity
from vitrion_workflows.schemas.gate import GateOutcome, Measurement
from vitrion_workflows.schemas.label import LabelState
from vitrion_workflows.structure.species import absent_species
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.collective import Haven, haven_ratio, in_host_frame
from vitrion_workflows.transport.framework import Framework, framework, framework_gate
from vitrion_workflows.validation.equilibration import Equilibration, equilibration_of
from vitrion_workflows.validation.gates import trajectory_gates
from vitrion_workflows.validation.temperature import Coupling
from vitrion_workflows.validation.trajectory_checks import TrajectoryChecks, check_trajectory

BoolArray: TypeAlias = NDArray[np.bool_]

# Over half of a run; subtracting the centre of mass leaves 1e-14 of atoms that stand still.
STILL_A = 1e-6


class TrajectoryState(StrEnum):
    """State of a trajectory by itself. Only a protocol makes a label of it (`label_trajectory`)."""

    ACCEPTED = "accepted"  # everything was checked, and passed
    UNVERIFIED = "unverified"  # nothing failed, and something could not be checked
    REJECTED = "rejected"
    CENSORED = "censored"  # the value is an upper bound


@dataclass(frozen=True, eq=False)
class TrajectoryAnalysis:
    """Diffusivity of one species of a trajectory, with all that was checked.

    Attributes:
        species: chemical symbol.
        checked_state: state by the checks that the trajectory allows alone; `state` accounts for the others.
        value_cm2_per_s: D, or its 95 % upper bound where `checked_state` is censored.
        estimate: the regression behind it.
        checks: measurements on the trajectory, and those that it does not allow.
        framework: state of the other species.
        haven: tracer over collective diffusivity, or None.
        equilibration_ps: discarded at the start.
        production_ps: analysed.
    """

    species: str
    checked_state: LabelState
    value_cm2_per_s: float
    estimate: Diffusivity
    checks: TrajectoryChecks
    framework: Framework
    haven: Haven | None
    equilibration_ps: float
    production_ps: float

    @property
    def gates(self) -> tuple[GateOutcome, ...]:
        """Gates of the trajectory, of the diffusivity and of the framework."""
        return self.gates_with(self.checks.measurements)

    def gates_with(self, measurements: Iterable[Measurement]) -> tuple[GateOutcome, ...]:
        """Return the gates with these measurements on the trajectory in place of `checks`."""
        return (*trajectory_gates(measurements), *self.estimate.gates, framework_gate(self.framework))

    @property
    def state(self) -> TrajectoryState:
        """State of the trajectory; neither accepted nor a bound where something could not be checked."""
        if self.checked_state is not LabelState.REJECTED and self.checks.not_checked:
            return TrajectoryState.UNVERIFIED
        return TrajectoryState(self.checked_state.value)

    @property
    def status(self) -> str:
        """State in one line, with what could not be checked."""
        if not self.checks.not_checked:
            return self.checked_state.value
        names = ", ".join(self.checks.not_checked)
        return f"{self.checked_state.value} as far as could be checked: not checked are {names}"


def analyse_trajectory(
    trajectory: Trajectory,
    *,
    species: str,
    temperature_K: float | None = None,
    coupling: Coupling | None = None,
    cell_masses_u: FloatArray | None = None,
) -> TrajectoryAnalysis:
    """Compute the diffusivity of one species of a trajectory, with gates.

    Args:
        trajectory: unwrapped, with its frame interval.
        species: chemical symbol of the mobile ions.
        temperature_K: set temperature; None takes what the trajectory carries. Without either the temperature cannot
            be checked.
        coupling: of the thermostat, for a run that has to resolve its temperature; None takes what the trajectory
            carries. Where neither is known, the scatter of the temperatures decides, and nothing is checked that the
            noise of a usual Langevin thermostat would hide.
        cell_masses_u: masses of the atoms that D is stated of, shape (N,); None for the standard weights.

    Returns:
        The analysis. A failed gate rejects; a displacement too small to measure censors.

    Raises:
        InputError: unknown or absent species, impossible temperature, too few frames.
    """
    mobile = _mobile(trajectory, species)
    set_K = _set_temperature(trajectory, temperature_K)
    equilibration = equilibration_of(trajectory)
    displacements = _displacements(trajectory, equilibration, mobile=mobile)
    estimate = diffusivity(displacements[:, mobile], trajectory.frame_interval_ps)
    number = atomic_numbers[species]
    checks = check_trajectory(
        trajectory,
        displacements,
        equilibration,
        mobile=number,
        temperature_K=set_K,
        coupling=coupling,
        cell_masses_u=cell_masses_u,
    )
    first = AtomicSystem(trajectory.numbers, trajectory.positions_A[equilibration.frames], trajectory.lattice_A)
    passed = all(measurement.passed for measurement in checks.measurements)
    state = estimate.state if passed else LabelState.REJECTED
    bound = estimate.resolution.upper_bound_cm2_per_s
    return TrajectoryAnalysis(
        species=species,
        checked_state=state,
        value_cm2_per_s=bound if state is LabelState.CENSORED else estimate.value_cm2_per_s,
        estimate=estimate,
        checks=checks,
        framework=framework(displacements, first, mobile=number),
        haven=haven_ratio(in_host_frame(displacements, trajectory.masses_u, mobile), estimate),
        equilibration_ps=equilibration.frames * trajectory.frame_interval_ps,
        production_ps=estimate.duration_ps,
    )


def _mobile(trajectory: Trajectory, species: str) -> BoolArray:
    """Return True for the atoms of the species, shape (N,)."""
    number = atomic_numbers.get(species)
    if not number:
        raise InputError(f"{_name(trajectory)}: species {species!r} is not a chemical symbol: give for example Li")
    mobile: BoolArray = trajectory.numbers == number
    if not mobile.any():
        present = (chemical_symbols[number] for number in set(trajectory.numbers.tolist()))
        raise absent_species(species, source=_name(trajectory), present=present)
    return mobile


def _set_temperature(trajectory: Trajectory, temperature_K: float | None) -> float | None:
    if temperature_K is None:
        return trajectory.set_temperature_K
    if not 0 < temperature_K <= HOTTEST_K:
        raise InputError(
            f"{_name(trajectory)}: a temperature of {temperature_K:g} K is impossible: give 0 < T <= {HOTTEST_K:g}"
        )
    return temperature_K


def _displacements(trajectory: Trajectory, equilibration: Equilibration, *, mobile: BoolArray) -> FloatArray:
    """Return the motion after equilibration without that of the centre of mass, shape (F, N, 3)."""
    positions = trajectory.positions_A[equilibration.frames :]
    if len(positions) < FEWEST_FRAMES:
        raise InputError(
            f"{_name(trajectory)}: {len(positions)} frames after equilibration are too few: "
            f"at least {FEWEST_FRAMES} are needed"
        )
    displacements = remove_drift(positions, trajectory.masses_u)
    ions = displacements[:, mobile]
    half = len(ions) // 2
    if any(np.ptp(part, axis=0).max() < STILL_A for part in (ions[: half + 1], ions[half:])):
        name = chemical_symbols[trajectory.numbers[mobile][0]]
        raise InputError(
            f"{_name(trajectory)}: no {name} moves at all in half of the run: its frames are copies of each other"
        )
    return displacements


def _name(trajectory: Trajectory) -> str:
    return trajectory.source or "trajectory"
