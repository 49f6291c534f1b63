"""All measurements on a trajectory that do not need its diffusivity."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.schemas.gate import Measurement
from vitrion_workflows.trajectories.displacements import centre_of_mass, largest_fractional_step, remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.continuity import (
    measure_longest_step,
    measure_missing_frame,
    measure_repeated_frame,
    measure_wrapped_step,
    repeated_frames,
)
from vitrion_workflows.validation.density_and_contacts import (
    measure_closest_contact,
    measure_density,
    measure_volume_change,
)
from vitrion_workflows.validation.drift import measure_cell_drift, measure_sublattice_drift
from vitrion_workflows.validation.equilibration import Equilibration, measure_energy_drift
from vitrion_workflows.validation.interruptions import frame_steps, most_likely_interruption
from vitrion_workflows.validation.kinetic_consistency import (
    ReferenceTemperature,
    mass_fault,
    measure_free_flight_ratio,
    measure_possible_temperature,
    measure_recorded_drift,
    measure_recorded_temperature,
    measure_species_temperatures,
)
from vitrion_workflows.validation.temperature import (
    LARGEST_UNRESOLVED,
    USUAL_LANGEVIN,
    Coupling,
    RunTemperature,
    ThermostatNoise,
    mass_weighted_squared_steps,
    measure_mean_temperature,
    measure_set_temperature,
    measure_temperature_drift,
    measure_temperature_stderr,
)

# Spread over the run; every frame would find no more, since a wrong bond lasts and a collision is a matter of chance.
FRAMES_OF_CONTACTS = 40
HOTTEST_MELT_K = 2500.0  # of the melts whose distances were measured, for a run of unknown temperature
LONGEST_RELAXATION = 4
SHORTEST_RELAXATION_PS = 1.0
NEED_TEMPERATURE = (
    "free_flight_ratio",
    "longest_step",
    "species_temperature",
    "frame_interval",
    "species_mass",
    "mean_temperature",
    "temperature_stderr",
    "temperature_drift",
    "cell_drift",
)
UNKNOWN_TEMPERATURE = "none is recorded, and frames are too far apart to show it"


@dataclass(frozen=True)
class Checks:
    """Measurements that were made, and those that the trajectory does not allow.

    Attributes:
        measurements: of any gates.
        not_checked: name of a measurement -> why it could not be made.
    """

    measurements: tuple[Measurement, ...] = ()
    not_checked: Mapping[str, str] = field(default_factory=dict)

    def __add__(self, other: "Checks") -> "Checks":
        return Checks(self.measurements + other.measurements, {**self.not_checked, **other.not_checked})

    @classmethod
    def made(cls, *measurements: Measurement | None) -> "Checks":
        """Return checks with the measurements that are not None."""
        return cls(tuple(measurement for measurement in measurements if measurement is not None))

    @classmethod
    def impossible(cls, **reasons: str) -> "Checks":
        """Return checks of which none could be made, with the reason of each."""
        return cls(not_checked=reasons)


@dataclass(frozen=True)
class TrajectoryChecks(Checks):
    """Checks of a trajectory.

    Attributes:
        drift_A: path of the centre of mass.
        mean_temperature_K: recorded, or that of the positions; None where neither is known.
    """

    drift_A: float = 0.0
    mean_temperature_K: float | None = None


@dataclass(frozen=True, eq=False)
class _Run:
    """A run after equilibration: `displacements_A` are drift-corrected, shape (F, N, 3)."""

    trajectory: Trajectory
    displacements_A: FloatArray
    equilibration: Equilibration
    coupling: Coupling | None
    noise: ThermostatNoise
    temperature: RunTemperature

    @property
    def interval_ps(self) -> float:
        return self.trajectory.frame_interval_ps

    @property
    def duration_ps(self) -> float:
        return (len(self.displacements_A) - 1) * self.interval_ps


def check_trajectory(
    trajectory: Trajectory,
    displacements_A: FloatArray,
    equilibration: Equilibration,
    *,
    mobile: int,
    temperature_K: float | None,
    coupling: Coupling | None = None,
    cell_masses_u: FloatArray | None = None,
) -> TrajectoryChecks:
    """Check frames, velocities, temperature and cell.

    Args:
        trajectory: the whole run.
        displacements_A: drift-corrected displacements after equilibration, shape (F, N, 3).
        equilibration: of the run.
        mobile: atomic number of the mobile species.
        temperature_K: of the label, or None.
        coupling: of the thermostat, for a run that has to resolve its temperature; None takes what the trajectory
            carries.
        cell_masses_u: see `mass_fault`.
    """
    stated = coupling or Coupling.of(trajectory)
    interval_ps = trajectory.frame_interval_ps
    noise = ThermostatNoise.of(stated, thermostat=trajectory.thermostat, frame_interval_ps=interval_ps)
    temperature = RunTemperature.of(trajectory, displacements_A, discarded_frames=equilibration.frames, noise=noise)
    run = _Run(trajectory, displacements_A, equilibration, stated, noise, temperature)
    path = centre_of_mass(trajectory.positions_A[equilibration.frames :], trajectory.masses_u)
    drift_A = float(np.linalg.norm(path[-1]))
    reference_K = temperature_K if temperature.recorded_K is None else temperature.mean_K
    checks = _check_frames(run) + _check_cell(run, cell_masses_u) + _check_contacts(run, reference_K)
    if reference_K is None:
        possible = measure_possible_temperature(temperature.motion.cell, frame_interval_ps=interval_ps)
        checks += Checks((possible,), dict.fromkeys(NEED_TEMPERATURE, "no temperature was given"))
    else:
        checks += _check_motion(run, mobile=mobile, reference_K=reference_K)
        checks += _check_records(run)
        checks += _check_temperature_drift(run)
        checks += _check_mean_temperature(run, target_K=temperature_K, required=coupling is not None)
        checks += Checks.made(_cell_drift(run, drift_A, reference_K))
    return TrajectoryChecks(
        checks.measurements, checks.not_checked, drift_A=drift_A, mean_temperature_K=temperature.mean_K
    )


def _check_frames(run: _Run) -> Checks:
    # The whole run: frames missing from the discarded part would shift the times of all that follows.
    trajectory = run.trajectory
    positions = remove_drift(trajectory.positions_A, trajectory.masses_u)
    steps = frame_steps(
        positions, trajectory.numbers, masses_u=trajectory.masses_u, temperatures_K=trajectory.temperatures_K
    )
    interruption = most_likely_interruption(steps, trajectory.numbers)
    repeated: tuple[int, ...] = ()
    if interruption is not None:
        repeated = repeated_frames(positions, trajectory.numbers, squared_A2=steps.squared_A2)
    checks = Checks.made(
        measure_wrapped_step(largest_fractional_step(trajectory.positions_A, trajectory.lattice_A)),
        measure_repeated_frame(repeated),
    )
    if interruption and (interruption.detectable or interruption.log_odds > interruption.limit):
        return checks + Checks.made(measure_missing_frame(interruption))
    reason = "frames are too far apart, or atoms too few, to show that one is missing: store more of either"
    return checks + Checks.impossible(missing_frame=reason)


def _check_cell(run: _Run, cell_masses_u: FloatArray | None) -> Checks:
    trajectory, equilibration = run.trajectory, run.equilibration
    cell = AtomicSystem(trajectory.numbers, trajectory.positions_A[0], trajectory.lattice_A)
    drift = measure_sublattice_drift(run.displacements_A, trajectory.numbers, masses_u=trajectory.masses_u)
    checks = Checks.made(drift)
    density = measure_density(cell)
    if density.passed or len(set(trajectory.numbers.tolist())) > 1:
        checks += Checks.made(density)
    else:
        reason = f"one species alone, and {density.message}: a gas, or ions without their framework"
        checks += Checks.impossible(density=reason)
    if fault := mass_fault(trajectory.numbers, trajectory.masses_u, cell_masses_u=cell_masses_u):
        checks += Checks.impossible(natural_masses=fault)
    if trajectory.volumes_A3 is not None:
        first = min(equilibration.frames, len(trajectory) // LONGEST_RELAXATION)
        checks += Checks.made(measure_volume_change(trajectory.volumes_A3[first:]))
    if trajectory.potential_energies_eV is None and trajectory.temperatures_K is None:
        discarded = "" if equilibration.series else ", nothing was discarded"
        return checks + Checks.impossible(energy_drift=f"neither energy nor temperature is recorded{discarded}")
    return checks + Checks.made(measure_energy_drift(equilibration, frames=len(trajectory)))


def _check_contacts(run: _Run, temperature_K: float | None) -> Checks:
    frames = run.trajectory.spread_frames(FRAMES_OF_CONTACTS)
    temperature_K = HOTTEST_MELT_K if temperature_K is None else temperature_K
    return Checks.made(measure_closest_contact(frames, temperature_K=temperature_K))


def _check_motion(run: _Run, *, mobile: int, reference_K: float) -> Checks:
    """Compare the motion of the species with the reference temperature and their masses."""
    temperature, trajectory = run.temperature, run.trajectory
    # Where none is recorded, the run has the set temperature but for its own scatter.
    stderr = 0.0 if temperature.recorded_K is not None else temperature.stderr or 0.0
    measurements = [
        measure(
            run.displacements_A,
            trajectory.numbers,
            masses_u=trajectory.masses_u,
            frame_interval_ps=run.interval_ps,
            temperature_K=reference_K,
        )
        for measure in (measure_free_flight_ratio, measure_longest_step)
    ]
    measurements += measure_species_temperatures(
        temperature.motion.species,
        mobile=mobile,
        reference=ReferenceTemperature(reference_K, stderr, run.noise.fraction),
    )
    missing = {"frame_interval", "species_mass"} - {measurement.name for measurement in measurements}
    return Checks(tuple(measurements), dict.fromkeys(sorted(missing), _too_coarse(run)))


def _check_records(run: _Run) -> Checks:
    """Compare recorded temperatures with the motion of the cell."""
    motion, recorded_K = run.temperature.motion, run.temperature.recorded_K
    if recorded_K is None:
        return Checks()
    recorded = measure_recorded_temperature(motion, recorded_K, noise=run.noise)
    checks = Checks.made(recorded, measure_recorded_drift(motion, recorded_K))
    if recorded is not None:
        return checks
    unresolved = motion.cell.unresolved
    if run.noise.stated or unresolved is None or unresolved > LARGEST_UNRESOLVED:
        return checks + Checks.impossible(recorded_temperature=_too_coarse(run))
    reason = (
        f"frames {run.interval_ps * 1000:g} fs apart do not show the noise of a Langevin thermostat of "
        f"{USUAL_LANGEVIN.rate_per_ps:g} / ps: state the thermostat and its rate"
    )
    return checks + Checks.impossible(recorded_temperature=reason)


def _too_coarse(run: _Run) -> str:
    finer_fs = run.temperature.motion.finer_interval_ps(run.interval_ps) * 1000
    return f"frames {run.interval_ps * 1000:g} fs apart do not show all of the motion: store them every {finer_fs:g} fs"


def _check_temperature_drift(run: _Run) -> Checks:
    trajectory = run.trajectory
    series = trajectory.temperatures_K
    if series is None and run.temperature.mean_K is not None:
        series = mass_weighted_squared_steps(
            remove_drift(trajectory.positions_A, trajectory.masses_u), trajectory.masses_u
        )
    if series is None:
        return Checks.impossible(temperature_drift=UNKNOWN_TEMPERATURE)
    # A drift looks like a long relaxation: no more than a quarter is discarded here. Where nothing is recorded nothing
    # was discarded either, and the whole quarter is left out.
    count = len(series)
    relaxed = run.equilibration.frames if run.equilibration.series else count
    shortest = min(round(SHORTEST_RELAXATION_PS / run.interval_ps), count // 2)
    series = series[max(min(relaxed, count // LONGEST_RELAXATION), shortest) :]
    stderr = None
    if run.coupling is not None:
        stderr = run.coupling.stderr(len(trajectory.numbers), duration_ps=len(series) * run.interval_ps)
    return Checks.made(measure_temperature_drift(series, stderr=stderr))


def _check_mean_temperature(run: _Run, *, target_K: float | None, required: bool) -> Checks:
    """Compare the mean with the temperature of the label; `required`: the run must resolve it."""
    names = ("mean_temperature", "temperature_stderr")
    if target_K is None:
        return Checks.impossible(**dict.fromkeys(names, "none was given to compare with"))
    checks = Checks.made(measure_set_temperature(run.trajectory.set_temperature_K, target_K=target_K))
    atoms, temperature = len(run.trajectory.numbers), run.temperature
    stderr = run.coupling.stderr(atoms, duration_ps=run.duration_ps) if run.coupling else temperature.stderr
    if temperature.mean_K is None or stderr is None:
        return checks + Checks.impossible(**dict.fromkeys(names, UNKNOWN_TEMPERATURE))
    mean = measure_mean_temperature(
        temperature.mean_K, target_K=target_K, stderr=stderr, unresolved=temperature.unresolved
    )
    precision = measure_temperature_stderr(stderr, coupling=run.coupling, atoms=atoms, duration_ps=run.duration_ps)
    if not required and not precision.passed:
        return checks + Checks((mean,), {"temperature_stderr": precision.message})
    return checks + Checks.made(mean, precision)


def _cell_drift(run: _Run, drift_A: float, temperature_K: float) -> Measurement:
    flight_ps = run.duration_ps if run.coupling is None else run.coupling.flight_ps(run.duration_ps)
    mass_u = float(run.trajectory.masses_u.sum())
    return measure_cell_drift(drift_A, mass_u=mass_u, temperature_K=temperature_K, flight_ps=flight_ps)
