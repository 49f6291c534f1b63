"""Is a trajectory what it claims to be? Every check that does not need the diffusivity."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics.trajectory import Trajectory
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.transport import gates
from vitrion_workflows.transport.continuity import continuity
from vitrion_workflows.transport.displacements import centre_of_mass, remove_drift
from vitrion_workflows.transport.equilibration import Equilibration
from vitrion_workflows.transport.flow import sublattice_flow
from vitrion_workflows.transport.frames import largest_fractional_step, species_motion
from vitrion_workflows.transport.plausibility import contact_gate, density_gate, recorded_gate, velocity_gates
from vitrion_workflows.transport.thermometer import SpeciesTemperature, cell_temperature, species_temperatures

LONGEST_RELAXATION = 4
SHORTEST_RELAXATION_PS = 1.0
NEED_TEMPERATURE = (
    "ballistic_bound",
    "species_temperature",
    "frame_interval",
    "temperature",
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
    temperature_K: float | None,
    coupling: gates.Coupling | None = None,
) -> Integrity:
    """Judge frames, velocities, temperature and cell.

    Args:
        trajectory: the whole of it.
        displacements_A: drift-corrected displacements of what is left after equilibration, shape (F, N, 3).
        start: where equilibration ends.
        temperature_K: set temperature, or None.
        coupling: of the thermostat, where known.
    """
    found, missing = _without_temperature(trajectory, displacements_A, start)
    thermal = _Thermal.of(trajectory, displacements_A, start)
    path = centre_of_mass(trajectory.positions_A[start.frames :], trajectory.masses_u)
    drift = float(np.linalg.norm(path[-1]))
    reference = thermal.recorded_K if thermal.recorded_K is not None else temperature_K
    if reference is None:
        missing |= dict.fromkeys(NEED_TEMPERATURE, "no temperature was given")
        return Integrity(tuple(found), missing, drift, thermal.mean_K)
    duration = (len(displacements_A) - 1) * trajectory.frame_interval_ps
    known = coupling or gates.Coupling()
    uncertainty = known.stderr(len(trajectory.numbers), duration_ps=duration)
    if coupling is None or not coupling.noisy:
        uncertainty = max(uncertainty, thermal.stderr)
    found += _motion_gates(
        trajectory, displacements_A, thermal, reference_K=reference, stderr=uncertainty, coupling=known
    )
    if not any(gate.name == "frame_interval" for gate in found):
        missing["frame_interval"] = "frames are too far apart to show an interval that is stated too long"
    found += _steady_gates(trajectory, start, thermal, known)
    if not any(gate.name == "steady_temperature" for gate in found):
        missing["steady_temperature"] = "none is recorded, and frames are too far apart to show it"
    if temperature_K is None:
        missing |= {"temperature": "none was given to compare with"}
    elif thermal.mean_K is None:
        missing |= {"temperature": "none is recorded, and frames are too far apart to show it"}
    else:
        found.append(
            gates.temperature_gate(thermal.mean_K, target_K=temperature_K, stderr=uncertainty, unseen=thermal.unseen)
        )
    found.append(
        gates.drift_gate(drift, mass_u=float(trajectory.masses_u.sum()), temperature_K=reference, duration_ps=duration)
    )
    return Integrity(tuple(found), missing, drift, thermal.mean_K)


def _without_temperature(
    trajectory: Trajectory, displacements_A: FloatArray, start: Equilibration
) -> tuple[list[GateOutcome], dict[str, str]]:
    """What frames and cell show by themselves, and what of it they leave unjudged."""
    found = _frame_gates(trajectory)
    if flow := sublattice_flow(displacements_A, trajectory.numbers, masses_u=trajectory.masses_u):
        found.append(gates.flow_gate(flow))
    missing: dict[str, str] = {}
    cell = AtomicSystem(trajectory.numbers, trajectory.positions_A[0], trajectory.lattice_A)
    density = density_gate(cell)
    if density.passed or len(set(trajectory.numbers.tolist())) > 1:
        found.append(density)
    else:
        # Also of ions whose framework was left out of the file; no label is made of what was not judged.
        missing["density"] = f"one species alone, and {density.message}: a gas, or ions without their framework"
    found.append(contact_gate(cell))
    if start.series:
        found.append(gates.equilibrated_gate(start, frames=len(trajectory)))
    else:
        missing["equilibrated"] = "neither energy nor temperature is recorded, nothing was discarded"
    if not any(gate.name == "missing_frame" for gate in found):
        missing["missing_frame"] = "frames are too far apart, or atoms too few, to show that one is missing"
    return found, missing


def _motion_gates(
    trajectory: Trajectory,
    displacements_A: FloatArray,
    thermal: "_Thermal",
    *,
    reference_K: float,
    stderr: float,
    coupling: gates.Coupling,
) -> list[GateOutcome]:
    """Whether atoms move as fast as the reference temperature, of that relative error, and their masses demand."""
    interval = trajectory.frame_interval_ps
    motion = species_motion(
        displacements_A,
        trajectory.numbers,
        masses_u=trajectory.masses_u,
        frame_interval_ps=interval,
        temperature_K=reference_K,
    )
    found = [gates.ballistic_gate(motion, duration_ps=(len(displacements_A) - 1) * interval)]
    if thermal.recorded_K is None:
        return found + velocity_gates(thermal.species, reference_K=reference_K, stderr=stderr)
    found += velocity_gates(thermal.species, reference_K=reference_K, stderr=0.0)
    kicks = coupling.rate_per_ps * interval if coupling.noisy else 0.0
    found.append(recorded_gate(cell_temperature(thermal.species), recorded_K=thermal.recorded_K, kicks=kicks))
    return found


def _steady_gates(
    trajectory: Trajectory, start: Equilibration, thermal: "_Thermal", coupling: gates.Coupling
) -> list[GateOutcome]:
    temperatures = trajectory.temperatures_K
    if temperatures is None:
        temperatures = _kinetic_series(trajectory, mean_K=thermal.mean_K)
    if temperatures is None:
        return []
    # A drift looks like a long relaxation: no more than a quarter is taken for one here. Where nothing is recorded
    # nothing was discarded either, and the quarter is left out whole.
    count, interval = len(temperatures), trajectory.frame_interval_ps
    relaxed = start.frames if start.series else count
    first = max(min(relaxed, count // LONGEST_RELAXATION), min(round(SHORTEST_RELAXATION_PS / interval), count // 2))
    series = temperatures[first:]
    stderr = coupling.stderr(len(trajectory.numbers), duration_ps=len(series) * interval)
    return [gates.steady_temperature_gate(series, stderr=stderr)]


def _kinetic_series(trajectory: Trajectory, *, mean_K: float | None) -> FloatArray | None:
    """Temperature from step to step as the positions show it, shape (F - 1,); None where their mean is not seen."""
    if mean_K is None:
        return None
    steps = np.diff(remove_drift(trajectory.positions_A, trajectory.masses_u), axis=0)
    squares: FloatArray = np.einsum("fni,fni,n->f", steps, steps, trajectory.masses_u)
    squares *= mean_K / squares.mean()
    return squares


def _frame_gates(trajectory: Trajectory) -> list[GateOutcome]:
    # The whole run: what is discarded of it must be whole, too, for the time of all that follows to be known.
    steps = continuity(
        remove_drift(trajectory.positions_A, trajectory.masses_u),
        trajectory.numbers,
        temperatures_K=trajectory.temperatures_K,
    )
    found = [
        gates.unwrapped_gate(largest_fractional_step(trajectory.positions_A, trajectory.lattice_A)),
        gates.repeated_frame_gate(steps),
    ]
    if steps.telling or steps.log_odds > steps.limit:
        found.append(gates.missing_frame_gate(steps))
    return found


@dataclass(frozen=True)
class _Thermal:
    """Temperatures of one run.

    Attributes:
        species: from the positions.
        recorded_K: mean of the recorded ones, or None.
        mean_K: the recorded one, or that of the positions where they show it.
        stderr: relative standard error of the mean from its own series.
        unseen: share of it that may have escaped.
    """

    species: list[SpeciesTemperature]
    recorded_K: float | None
    mean_K: float | None
    stderr: float
    unseen: float

    @classmethod
    def of(cls, trajectory: Trajectory, displacements_A: FloatArray, start: Equilibration) -> "_Thermal":
        found = species_temperatures(
            displacements_A,
            trajectory.numbers,
            masses_u=trajectory.masses_u,
            frame_interval_ps=trajectory.frame_interval_ps,
        )
        if trajectory.temperatures_K is None:
            cell = cell_temperature(found)
            return cls(found, None, None if cell.unseen is None else cell.temperature_K, 0.0, cell.unseen or 0.0)
        series = trajectory.temperatures_K[start.frames :]
        return cls(found, float(series.mean()), float(series.mean()), gates.series_stderr(series), 0.0)
