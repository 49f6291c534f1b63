"""Is a trajectory what it claims to be? Every check that does not need the diffusivity."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.trajectories.displacements import centre_of_mass, largest_fractional_step, remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation import gates
from vitrion_workflows.validation.continuity import continuity
from vitrion_workflows.validation.equilibration import Equilibration
from vitrion_workflows.validation.kinetic_consistency import (
    LARGEST_UNSEEN,
    course_gate,
    possible_gate,
    recorded_gate,
    velocity_gates,
)
from vitrion_workflows.validation.plausibility import (
    contact_gate,
    density_gate,
    foreign_masses,
    free_flight_gate,
    volume_gate,
)
from vitrion_workflows.validation.species_motion import species_motion
from vitrion_workflows.validation.sublattice_drift import sublattice_flow
from vitrion_workflows.validation.temperature import (
    USUAL_LANGEVIN,
    Coupling,
    Kicks,
    known_gate,
    series_stderr,
    set_temperature_gate,
    steady_temperature_gate,
    temperature_gate,
)
from vitrion_workflows.validation.velocity_temperature import ThermalMotion, finer_interval_ps, thermal_motion

LONGEST_RELAXATION = 4
SHORTEST_RELAXATION_PS = 1.0
NEED_TEMPERATURE = (
    "ballistic_bound",
    "free_flight",
    "species_temperature",
    "frame_interval",
    "species_mass",
    "temperature",
    "temperature_known",
    "steady_temperature",
    "drift",
)


@dataclass(frozen=True)
class Integrity:
    """What was judged, and what could not be.

    Attributes:
        gates: outcomes.
        not_checked: names of gates that the input leaves unjudged, with the reason.
        drift_A: path of the centre of mass.
        mean_temperature_K: recorded, or as the positions show it; None where neither is known.
    """

    gates: tuple[GateOutcome, ...]
    not_checked: dict[str, str]
    drift_A: float
    mean_temperature_K: float | None


def integrity(
    trajectory: Trajectory,
    displacements_A: FloatArray,
    start: Equilibration,
    *,
    mobile: int,
    temperature_K: float | None,
    coupling: Coupling | None = None,
) -> Integrity:
    """Judge frames, velocities, temperature and cell.

    Args:
        trajectory: the whole of it.
        displacements_A: drift-corrected displacements of what is left after equilibration, shape (F, N, 3).
        start: where equilibration ends.
        mobile: atomic number of the mobile species.
        temperature_K: set temperature, or None.
        coupling: of the thermostat, for a run that has to know its temperature; where it is not given, what the
            trajectory carries.
    """
    found, missing = _without_temperature(trajectory, displacements_A, start)
    known = coupling or Coupling.of(trajectory)
    kicks = Kicks.of(known, thermostat=trajectory.thermostat, frame_interval_ps=trajectory.frame_interval_ps)
    thermal = _Thermal.of(trajectory, displacements_A, start, kicks)
    path = centre_of_mass(trajectory.positions_A[start.frames :], trajectory.masses_u)
    drift = float(np.linalg.norm(path[-1]))
    reference = thermal.recorded_K if thermal.recorded_K is not None else temperature_K
    if reference is None:
        missing |= dict.fromkeys(NEED_TEMPERATURE, "no temperature was given")
        found.append(possible_gate(thermal.motion.cell, frame_interval_ps=trajectory.frame_interval_ps))
        return Integrity(tuple(found), missing, drift, thermal.mean_K)
    duration = (len(displacements_A) - 1) * trajectory.frame_interval_ps
    parts = (
        _motion_gates(trajectory, displacements_A, start, thermal, mobile=mobile, reference_K=reference, kicks=kicks),
        _steady_gates(trajectory, start, thermal, known),
        _mean_gates(
            trajectory,
            thermal,
            known,
            asked_K=temperature_K,
            duration_ps=duration,
            demanded=coupling is not None,
        ),
    )
    for judged, unjudged in parts:
        found += judged
        missing |= unjudged
    flight = duration if known is None else known.flight_ps(duration)
    mass = float(trajectory.masses_u.sum())
    found.append(gates.drift_gate(drift, mass_u=mass, temperature_K=reference, flight_ps=flight))
    return Integrity(tuple(found), missing, drift, thermal.mean_K)


def _without_temperature(
    trajectory: Trajectory, displacements_A: FloatArray, start: Equilibration
) -> tuple[list[GateOutcome], dict[str, str]]:
    """What frames and cell show by themselves, and what of it they leave unjudged."""
    found = _frame_gates(trajectory)
    if flow := sublattice_flow(displacements_A, trajectory.numbers, masses_u=trajectory.masses_u):
        found.append(gates.flow_gate(flow))
    missing: dict[str, str] = {}
    if fault := foreign_masses(trajectory.numbers, trajectory.masses_u):
        missing["natural_masses"] = fault
    cell = AtomicSystem(trajectory.numbers, trajectory.positions_A[0], trajectory.lattice_A)
    density = density_gate(cell)
    if density.passed or len(set(trajectory.numbers.tolist())) > 1:
        found.append(density)
    else:
        # Also of ions whose framework was left out of the file; no label is made of what was not judged.
        missing["density"] = f"one species alone, and {density.message}: a gas, or ions without their framework"
    found.append(contact_gate(cell))
    if trajectory.volumes_A3 is not None:
        found.append(volume_gate(trajectory.volumes_A3[min(start.frames, len(trajectory) // LONGEST_RELAXATION) :]))
    if trajectory.potential_energies_eV is not None or trajectory.temperatures_K is not None:
        found.append(gates.equilibrated_gate(start, frames=len(trajectory)))
    else:
        missing["equilibrated"] = "neither energy nor temperature is recorded" + (
            "" if start.series else ", nothing was discarded"
        )
    if not any(gate.name == "missing_frame" for gate in found):
        missing["missing_frame"] = "frames are too far apart, or atoms too few, to show that one is missing"
    return found, missing


def _motion_gates(
    trajectory: Trajectory,
    displacements_A: FloatArray,
    start: Equilibration,
    thermal: "_Thermal",
    *,
    mobile: int,
    reference_K: float,
    kicks: Kicks,
) -> tuple[list[GateOutcome], dict[str, str]]:
    """Whether atoms move as fast as the reference temperature and their masses demand, and as is recorded."""
    interval = trajectory.frame_interval_ps
    motion = species_motion(
        displacements_A,
        trajectory.numbers,
        masses_u=trajectory.masses_u,
        frame_interval_ps=interval,
        temperature_K=reference_K,
    )
    found = [
        gates.ballistic_gate(motion, duration_ps=(len(displacements_A) - 1) * interval),
        free_flight_gate(
            displacements_A,
            trajectory.numbers,
            masses_u=trajectory.masses_u,
            frame_interval_ps=interval,
            temperature_K=reference_K,
        ),
    ]
    recorded = trajectory.temperatures_K
    # Where none is recorded, the set one is what the run has but for its own scatter.
    stderr = 0.0 if recorded is not None else thermal.stderr or 0.0
    found += velocity_gates(
        thermal.motion.species, mobile=mobile, reference_K=reference_K, stderr=stderr, hidden=kicks.share
    )
    finer = finer_interval_ps(thermal.motion.species, frame_interval_ps=interval) * 1000
    coarse = f"frames {interval * 1000:g} fs apart do not show all of the motion: store them every {finer:g} fs"
    missing = {
        name: coarse for name in ("frame_interval", "species_mass") if not any(gate.name == name for gate in found)
    }
    if recorded is None or thermal.recorded_K is None:
        return found, missing
    judged = recorded_gate(thermal.motion, recorded[start.frames :], kicks=kicks)
    course = course_gate(thermal.motion, recorded[start.frames :])
    if judged is None:
        unseen = thermal.motion.cell.unseen
        hides = not kicks.stated and unseen is not None and unseen <= LARGEST_UNSEEN
        missing["recorded_temperature"] = _unstated(interval) if hides else coarse
    return found + [gate for gate in (judged, course) if gate is not None], missing


def _unstated(frame_interval_ps: float) -> str:
    return (
        f"frames {frame_interval_ps * 1000:g} fs apart do not show the kicks of a Langevin thermostat of "
        f"{USUAL_LANGEVIN.rate_per_ps:g} / ps: state the thermostat and its rate"
    )


def _mean_gates(
    trajectory: Trajectory,
    thermal: "_Thermal",
    coupling: Coupling | None,
    *,
    asked_K: float | None,
    duration_ps: float,
    demanded: bool,
) -> tuple[list[GateOutcome], dict[str, str]]:
    """Whether the run had the temperature that is asked about, and knows it."""
    if asked_K is None:
        return [], dict.fromkeys(("temperature", "temperature_known"), "none was given to compare with")
    found = [set_temperature_gate(trajectory.set_temperature_K, asked_K=asked_K)]
    atoms = len(trajectory.numbers)
    stderr = thermal.stderr if coupling is None else coupling.stderr(atoms, duration_ps=duration_ps)
    if thermal.mean_K is None or stderr is None:
        unseen = "none is recorded, and frames are too far apart to show it"
        return found, dict.fromkeys(("temperature", "temperature_known"), unseen)
    found.append(temperature_gate(thermal.mean_K, target_K=asked_K, stderr=stderr, unseen=thermal.unseen))
    known = known_gate(stderr, coupling=coupling, atoms=atoms, duration_ps=duration_ps)
    if not demanded and not known.passed:
        return found, {"temperature_known": known.message}
    return [*found, known], {}


def _steady_gates(
    trajectory: Trajectory, start: Equilibration, thermal: "_Thermal", coupling: Coupling | None
) -> tuple[list[GateOutcome], dict[str, str]]:
    temperatures = trajectory.temperatures_K
    if temperatures is None and thermal.mean_K is not None:
        temperatures = _kinetic_energies(remove_drift(trajectory.positions_A, trajectory.masses_u), trajectory.masses_u)
    if temperatures is None:
        return [], {"steady_temperature": "none is recorded, and frames are too far apart to show it"}
    # A drift looks like a long relaxation: no more than a quarter is taken for one here. Where nothing is recorded
    # nothing was discarded either, and the quarter is left out whole.
    count, interval = len(temperatures), trajectory.frame_interval_ps
    relaxed = start.frames if start.series else count
    first = max(min(relaxed, count // LONGEST_RELAXATION), min(round(SHORTEST_RELAXATION_PS / interval), count // 2))
    series = temperatures[first:]
    stderr = None
    if coupling is not None:
        stderr = coupling.stderr(len(trajectory.numbers), duration_ps=len(series) * interval)
    return [steady_temperature_gate(series, stderr=stderr)], {}


def _kinetic_energies(displacements_A: FloatArray, masses_u: FloatArray) -> FloatArray:
    """Of the steps, in u A^2, shape (F - 1,)."""
    steps = np.diff(displacements_A, axis=0)
    energies: FloatArray = np.einsum("fni,fni,n->f", steps, steps, masses_u)
    return energies


def _frame_gates(trajectory: Trajectory) -> list[GateOutcome]:
    # The whole run: what is discarded of it must be whole, too, for the time of all that follows to be known.
    steps = continuity(
        remove_drift(trajectory.positions_A, trajectory.masses_u),
        trajectory.numbers,
        masses_u=trajectory.masses_u,
        temperatures_K=trajectory.temperatures_K,
    )
    found = [
        gates.unwrapped_gate(largest_fractional_step(trajectory.positions_A, trajectory.lattice_A)),
        gates.repeated_frame_gate(steps),
    ]
    if steps.telling or steps.log_odds > steps.limit:
        found.append(gates.missing_frame_gate(steps))
    return found


@dataclass(frozen=True, eq=False)
class _Thermal:
    """Temperatures of one run.

    Attributes:
        motion: from the positions.
        recorded_K: mean of the recorded ones, or None.
        mean_K: the recorded one, or that of the positions where they show it.
        series_K: what the mean is of, in any unit where it is read off positions; None where nothing shows it.
        unseen: share of it that may have escaped.
    """

    motion: ThermalMotion
    recorded_K: float | None
    mean_K: float | None
    series_K: FloatArray | None
    unseen: float

    @property
    def stderr(self) -> float | None:
        """Relative standard error of the mean by its own series."""
        return None if self.series_K is None else series_stderr(self.series_K)

    @classmethod
    def of(cls, trajectory: Trajectory, displacements_A: FloatArray, start: Equilibration, kicks: Kicks) -> "_Thermal":
        found = thermal_motion(
            trajectory.positions_A[start.frames] + displacements_A,
            trajectory.numbers,
            masses_u=trajectory.masses_u,
            lattice_A=trajectory.lattice_A,
            frame_interval_ps=trajectory.frame_interval_ps,
        )
        if trajectory.temperatures_K is not None:
            series = trajectory.temperatures_K[start.frames :]
            return cls(found, float(series.mean()), float(series.mean()), series, 0.0)
        cell = found.cell
        if cell.unseen is None or cell.unseen + kicks.share > LARGEST_UNSEEN:
            return cls(found, None, None, None, 0.0)
        energies = _kinetic_energies(displacements_A, trajectory.masses_u)
        return cls(found, None, cell.temperature_K, energies, cell.unseen + kicks.share)
