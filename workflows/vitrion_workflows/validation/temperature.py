"""Temperature of a run: coupling and noise of its thermostat, its mean, and measurements on mean and drift."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.equilibration import relative_change, statistical_inefficiency
from vitrion_workflows.validation.velocity_temperature import ThermalMotion, thermal_motion

# Allowed error of the mean temperature. A run resolves it when it is 2.33 standard errors: then an error of a tenth,
# twice as much, is found in 98 runs of 100 and heating by 30 % in 89; longer runs find more.
TOLERANCE = 0.05
RESOLVED_SIGMAS = float(stats.norm.isf(0.01))
LARGEST_STDERR = TOLERANCE / RESOLVED_SIGMAS
# Langevin friction that holds the temperature as a chain does, in units of the chain's rate 1/tau: 1.3 by the scatter
# of 39 labels of glasses, 2.0 to 3.9 in the Lennard-Jones model (docs/design/label-gates.md).
CHAIN_FRICTION = 1.3
SMALLEST_FRICTION = 1e-6
LANGEVIN, ISOLATED = "langevin", "nve"
# Largest unresolved fraction with which records can be compared; an error of a tenth shows beyond it and the tolerance.
LARGEST_UNRESOLVED = 0.05
SMALLEST_STDERR = LARGEST_STDERR / 10
DRIFT_SIGMAS = float(stats.norm.isf(0.0025))
SAME = 1e-6


@dataclass(frozen=True)
class Coupling:
    """Coupling of a thermostat, which decides how well a run knows its temperature.

    Attributes:
        rate_per_ps: Langevin friction, or 1/tau of a Nose-Hoover chain.
        noisy: True for a thermostat that works by noise (Langevin).
    """

    rate_per_ps: float
    noisy: bool

    @property
    def relaxation_per_ps(self) -> float:
        """Langevin friction that holds the temperature as well."""
        return self.rate_per_ps * (1.0 if self.noisy else CHAIN_FRICTION)

    def stderr(self, atoms: int, *, duration_ps: float) -> float:
        """Return the relative standard error of the mean kinetic temperature of a run.

        Langevin: the noise added by the time t has no memory, and friction takes it away at the rate 2 gamma K, so
        mean K - K0 = (noise - change of energy) / (2 gamma t), the noise of variance 4 gamma K k_B T t: the result is
        sqrt(2 / (3 N gamma t)). Nose-Hoover: mean K - K0 is the mean of p1 p2 / 2 Q2, momenta of the chain, which
        decorrelates within about tau: of thermal size sqrt(3 N) k_B T tau and 1 / tau they give the same, with
        gamma a multiple of 1 / tau.
        """
        return float(np.sqrt(2 / (3 * atoms * max(1.0, self.relaxation_per_ps * duration_ps))))

    def needed_ps(self, atoms: int) -> float:
        """Return the length of a run that resolves its temperature."""
        return 2 / (3 * atoms * LARGEST_STDERR**2) / self.relaxation_per_ps

    def flight_ps(self, duration_ps: float) -> float:
        """Return the time a cell would fly at its thermal speed to come as far as under the thermostat (rms), in ps.

        Friction turns flight into diffusion, 2 (gamma t - 1 + exp(-gamma t)) / gamma^2 (Ornstein and Uhlenbeck, 1930);
        a chain leaves the cell's own motion alone.
        """
        spans = self.rate_per_ps * duration_ps
        if not self.noisy or spans < SMALLEST_FRICTION:
            return duration_ps
        return float(np.sqrt(2 * (spans + np.expm1(-spans)))) / self.rate_per_ps

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Coupling | None":
        """Return the coupling that a trajectory carries; None where it carries none, or has no thermostat."""
        if trajectory.friction_per_ps is None:
            return None
        return cls.under(trajectory.thermostat, rate_per_ps=trajectory.friction_per_ps)

    @classmethod
    def under(cls, thermostat: str, *, rate_per_ps: float) -> "Coupling":
        """Return the coupling of a thermostat by its name, as in `MDPlan`."""
        return cls(rate_per_ps, noisy=thermostat == LANGEVIN)


GOOD_COUPLING = Coupling(rate_per_ps=10.0, noisy=False)
# The strongest in common use (0.01 / fs), assumed where the thermostat is not stated.
USUAL_LANGEVIN = Coupling(rate_per_ps=10.0, noisy=True)


@dataclass(frozen=True)
class ThermostatNoise:
    """Velocity noise of a thermostat that frames do not show.

    Attributes:
        fraction: of the mean squared velocity, beyond the Nyquist frequency of the frames.
        stated: True where the thermostat is known; otherwise `fraction` is that of a usual Langevin one.
    """

    fraction: float
    stated: bool = True

    @classmethod
    def of(cls, coupling: Coupling | None, *, thermostat: str, frame_interval_ps: float) -> "ThermostatNoise":
        """Return the noise of a run.

        A velocity that is kicked and slowed at the rate gamma has the spectrum 2 gamma / (w^2 + gamma^2), of which the
        fraction (2 / pi) arctan(gamma dt / pi) lies beyond pi / dt.

        Args:
            coupling: where known.
            thermostat: as the trajectory carries it; ``nve`` has no noise.
            frame_interval_ps: between frames.
        """
        stated = coupling is not None or thermostat == ISOLATED
        assumed = coupling if stated else USUAL_LANGEVIN
        if assumed is None or not assumed.noisy:
            return cls(0.0, stated=stated)
        return cls(float(2 / np.pi * np.arctan(assumed.rate_per_ps * frame_interval_ps / np.pi)), stated=stated)


def series_stderr(temperatures_K: FloatArray) -> float:
    """Return the relative standard error of the mean of a time series, shape (n,), from its own correlation."""
    samples = len(temperatures_K) / statistical_inefficiency(temperatures_K)
    return float(temperatures_K.std() / temperatures_K.mean() / np.sqrt(samples))


def measure_temperature_stderr(
    stderr: float, *, coupling: Coupling | None, atoms: int, duration_ps: float
) -> Measurement:
    """Compare the standard error of the mean temperature with the largest that shows an error of a tenth.

    Args:
        stderr: relative, of the mean.
        coupling: of the thermostat, or None.
        atoms: number of atoms.
        duration_ps: of what was analysed.
    """
    message = f"mean temperature known within {stderr:.2%}, needed {LARGEST_STDERR:.2%}"
    if stderr > LARGEST_STDERR:
        needed = coupling.needed_ps(atoms) if coupling else duration_ps * (stderr / LARGEST_STDERR) ** 2
        message += f": analyse {needed:.2g} ps instead of {duration_ps:.2g}"
        if coupling is not None and coupling.relaxation_per_ps < GOOD_COUPLING.relaxation_per_ps:
            message += f", or {GOOD_COUPLING.needed_ps(atoms):.2g} under a Nose-Hoover chain at 10 / ps"
    return measurement_of("temperature_stderr", stderr, upper=LARGEST_STDERR, message=message)


def measure_mean_temperature(mean_K: float, *, target_K: float, stderr: float, unresolved: float = 0.0) -> Measurement:
    """Compare the mean kinetic temperature with the temperature of the label, within 5 %.

    Args:
        mean_K: of the run.
        target_K: of the label.
        stderr: relative; a run that does not resolve its temperature (`measure_temperature_stderr`) is allowed 2.33.
        unresolved: fraction by which the mean may be too low, where it was read off positions.
    """
    width = max(TOLERANCE, RESOLVED_SIGMAS * stderr) * target_K
    return measurement_of(
        "mean_temperature",
        mean_K,
        lower=target_K * (1 - unresolved) - width,
        upper=target_K + width,
        unit="K",
        message=f"mean {mean_K:.0f} K where {target_K:.0f} K was set, known within {stderr:.1%}",
    )


def measure_temperature_drift(temperatures_K: FloatArray, *, stderr: float | None) -> Measurement:
    """Test for a steady rise or fall of the temperature, two-sided at 0.5 %.

    A straight line through a series whose mean has the standard error s ends sqrt(12) s from where it begins, within
    its own error.

    Args:
        temperatures_K: time series without relaxation, shape (n,).
        stderr: relative, of their mean, see `Coupling`; None estimates it from the residuals of the line.
    """
    change, residuals = relative_change(temperatures_K)
    own_stderr = float(residuals.std() * np.sqrt(statistical_inefficiency(residuals) / len(temperatures_K)))
    # A temperature that is held exactly, by rescaling, rises by nothing that matters.
    error = float(np.hypot(stderr or own_stderr, SMALLEST_STDERR))
    z = change / (np.sqrt(12) * error)
    return measurement_of(
        "temperature_drift",
        z,
        lower=-DRIFT_SIGMAS,
        upper=DRIFT_SIGMAS,
        message=f"the temperature changes by {change:+z.1%} over the run, {abs(z):.1f} standard errors",
    )


def measure_set_temperature(set_K: float | None, *, target_K: float) -> Measurement:
    """Compare the temperature that the thermostat was set to with that of the label.

    A run that does not state it is decided by its mean alone, which it has to resolve (`measure_temperature_stderr`).

    Args:
        set_K: as the trajectory carries it, or None.
        target_K: of the label.
    """
    if set_K is None:
        message = "not stated by the trajectory; mean_temperature is used"
        return Measurement(name="set_temperature", passed=True, message=message)
    return measurement_of(
        "set_temperature",
        set_K,
        lower=target_K * (1 - SAME),
        upper=target_K * (1 + SAME),
        unit="K",
        message=f"thermostat set to {set_K:g} K for a label at {target_K:g} K",
    )


@dataclass(frozen=True, eq=False)
class RunTemperature:
    """Mean temperature of a run.

    Attributes:
        motion: kinetic temperatures of the positions.
        recorded_K: recorded temperatures after equilibration, shape (F,), or None.
        mean_K: mean of the recorded ones, or that of the positions where the frames resolve it; otherwise None.
        series: time series behind the mean, in any unit, shape (n,); None where there is no mean.
        unresolved: fraction by which a mean of positions may be too low.
    """

    motion: ThermalMotion
    recorded_K: FloatArray | None
    mean_K: float | None
    series: FloatArray | None
    unresolved: float = 0.0

    @property
    def stderr(self) -> float | None:
        """Relative standard error of the mean by its own series."""
        return None if self.series is None else series_stderr(self.series)

    @classmethod
    def of(
        cls, trajectory: Trajectory, displacements_A: FloatArray, *, discarded_frames: int, noise: ThermostatNoise
    ) -> "RunTemperature":
        """Return the temperature of a trajectory.

        Args:
            trajectory: the whole run.
            displacements_A: drift-corrected displacements after equilibration, shape (F, N, 3).
            discarded_frames: as equilibration.
            noise: of the thermostat.
        """
        motion = thermal_motion(
            trajectory.positions_A[discarded_frames] + displacements_A,
            trajectory.numbers,
            masses_u=trajectory.masses_u,
            lattice_A=trajectory.lattice_A,
            frame_interval_ps=trajectory.frame_interval_ps,
        )
        if trajectory.temperatures_K is not None:
            recorded = trajectory.temperatures_K[discarded_frames:]
            return cls(motion, recorded, float(recorded.mean()), recorded)
        cell = motion.cell
        if cell.unresolved is None or cell.unresolved + noise.fraction > LARGEST_UNRESOLVED:
            return cls(motion, None, None, None)
        series = mass_weighted_squared_steps(displacements_A, trajectory.masses_u)
        return cls(motion, None, cell.temperature_K, series, cell.unresolved + noise.fraction)


def mass_weighted_squared_steps(displacements_A: FloatArray, masses_u: FloatArray) -> FloatArray:
    """Return the sum over atoms of mass times squared step in u A^2, shape (F - 1,); proportional to kinetic energy.

    Args:
        displacements_A: shape (F, N, 3).
        masses_u: shape (N,).
    """
    steps = np.diff(displacements_A, axis=0)
    sums: FloatArray = np.einsum("fni,fni,n->f", steps, steps, masses_u)
    return sums
