"""Velocity autocorrelation and the Green-Kubo diffusivity."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES
from vitrion_workflows.diffusivity.msd import lagged_products, mean_squared_displacements
from vitrion_workflows.diffusivity.regression import walk_covariance
from vitrion_workflows.diffusivity.variance import (
    FEWEST_IONS,
    Variance,
    collective_ratio,
    corrected_variance,
    gamma_intervals,
)
from vitrion_workflows.diffusivity.window import AGREEMENT_SIGMAS, LATEST_START, VIBRATION_PS, memory_lag
from vitrion_workflows.trajectories.trajectory import Trajectory

# Stored velocities whose correlation falls below this after one frame are sampled too coarsely to be integrated.
COARSEST_CORRELATION = 0.5
# Stored velocities over the displacement across two intervals: 0.88 to 1.35 in 15 runs of ASE, frames 20 to 100 fs
# apart; units in use differ by ten and more.
VELOCITY_RATIOS = (0.5, 2.0)
OCTAVE = 2


class VelocitySource(StrEnum):
    """Source of the velocities."""

    STORED = "stored"
    DIFFERENCES = "differences"  # of positions over one frame interval


@dataclass(frozen=True, eq=False)
class VelocityCorrelation:
    """Velocity autocorrelation C(t) = <v(0) . v(t)> of each ion over all origins.

    Attributes:
        lag_ps: shape (L,).
        ions_A2_per_ps2: C of each ion, shape (L, N).
        frame_interval_ps: between lags.
        source: stored velocities, or the mean velocity over each interval.
    """

    lag_ps: FloatArray
    ions_A2_per_ps2: FloatArray
    frame_interval_ps: float
    source: VelocitySource

    @property
    def mean_A2_per_ps2(self) -> FloatArray:
        """Mean over ions in A2/ps2, shape (L,)."""
        mean: FloatArray = self.ions_A2_per_ps2.mean(axis=1)
        return mean


@dataclass(frozen=True)
class GreenKubo:
    """Green-Kubo diffusivity D = (1/3) int_0^inf C(t) dt.

    Attributes:
        value_cm2_per_s: mean of the running integral over the plateau.
        stderr_cm2_per_s: its standard error.
        interval_95: cm2/s; None where the value is not positive.
        plateau_ps: times between which the running integral is averaged.
        source: stored velocities, or differences of positions.
    """

    value_cm2_per_s: float
    stderr_cm2_per_s: float
    interval_95: tuple[float, float] | None
    plateau_ps: tuple[float, float]
    source: VelocitySource


def relative_velocities(trajectory: Trajectory, *, discarded_frames: int) -> FloatArray | None:
    """Return stored velocities relative to the centre of mass in A/ps, shape (F, N, 3); None where not stored.

    Args:
        trajectory: with or without velocities.
        discarded_frames: frames at the start, left out.
    """
    if trajectory.velocities_A_per_ps is None:
        return None
    velocities = trajectory.velocities_A_per_ps[discarded_frames:]
    drift = np.einsum("fnd,n->fd", velocities, trajectory.masses_u) / trajectory.masses_u.sum()
    relative: FloatArray = velocities - drift[:, None, :]
    return relative


def velocity_correlation(
    displacements_A: FloatArray, frame_interval_ps: float, *, velocities_A_per_ps: FloatArray | None = None
) -> VelocityCorrelation:
    """Compute the velocity autocorrelation up to half the run.

    Without stored velocities the mean velocity over each interval is used, u(i) = [r(i + 1) - r(i)] / dt. Its
    correlation is the true one averaged with a triangle of half-width dt: the power at a frequency f is multiplied by
    sinc^2(f dt), sinc(x) = sin(pi x) / (pi x), and power beyond half the frame frequency is aliased. At f = 0
    the factor is one and the aliased power vanishes, so that the integral, the diffusivity, needs no correction;
    spectra are divided by sinc^2 (`vibrational_density`).

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        frame_interval_ps: time between frames.
        velocities_A_per_ps: stored velocities of the same ions, drift removed, shape (F, N, 3); None without.

    Raises:
        InputError: too few frames, velocities of another shape, or inconsistent with the positions.
    """
    if len(displacements_A) < FEWEST_FRAMES:
        raise InputError(f"{len(displacements_A)} frames are too few for a correlation: give at least {FEWEST_FRAMES}")
    if velocities_A_per_ps is not None and velocities_A_per_ps.shape != displacements_A.shape:
        raise InputError(
            f"velocities of shape {velocities_A_per_ps.shape} for positions of {displacements_A.shape}: leave them out"
        )
    velocities, source = velocities_A_per_ps, VelocitySource.STORED
    if velocities is None:
        velocities, source = np.diff(displacements_A, axis=0) / frame_interval_ps, VelocitySource.DIFFERENCES
    correlation = _autocorrelation(velocities, largest_lag=len(velocities) // 2)
    if source is VelocitySource.STORED and _is_fine(correlation.mean(axis=1)):
        _check_velocities(velocities, displacements_A, frame_interval_ps)
    return VelocityCorrelation(
        lag_ps=np.arange(len(correlation), dtype=np.float64) * frame_interval_ps,
        ions_A2_per_ps2=correlation,
        frame_interval_ps=frame_interval_ps,
        source=source,
    )


def green_kubo(displacements_A: FloatArray, correlation: VelocityCorrelation) -> GreenKubo | None:
    """Estimate the diffusivity from the integral of the velocity autocorrelation.

    The running integral (trapezoidal rule) is averaged over an octave of time, the plateau. The first one tried starts
    where velocity and cage are forgotten (`memory_lag`), not within 1 ps as far as a sixteenth of the run allows; the
    plateau is the first octave that agrees with the next within 2.58 standard errors of their difference. Where the
    last still disagrees, that difference is added to its error.

    With stored velocities this is independent of the slope of the mean squared displacement; with differences of
    positions the running integral is that slope at one lag, identically, and the estimate is independent only in its
    window and weights. Its noise is that of the displacements over the plateau: the covariance of a walk, widened by
    the scatter over ions and by their joint motion as for the slope.

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        correlation: velocity autocorrelation of the same ions.

    Returns:
        The estimate, or None where stored velocities are too far apart to be integrated.
    """
    interval, mean = correlation.frame_interval_ps, correlation.mean_A2_per_ps2
    if correlation.source is VelocitySource.STORED and not _is_fine(mean):
        return None
    increments, ions = len(displacements_A) - 1, displacements_A.shape[1]
    msd = mean_squared_displacements(displacements_A, largest_lag=increments // 2).mean(axis=1)
    first = max(
        memory_lag(msd, independent_ions=ions, increments=increments),
        min(int(np.ceil(VIBRATION_PS / interval)), int(LATEST_START / 2 * increments)),
    )
    plateau = _find_plateau(displacements_A, msd, _running_integral(correlation), first=first, interval_ps=interval)
    to_slope, first = 2 * DIMENSIONS * interval, plateau.first
    variance = _variance(displacements_A, msd, plateau.ions_A2_per_ps * to_slope, first=first)
    value = float(plateau.ions_A2_per_ps.mean()) * A2_PER_PS_IN_CM2_PER_S
    noise = float(np.sqrt(variance.value)) / to_slope * A2_PER_PS_IN_CM2_PER_S
    stderr = float(np.hypot(noise, plateau.change_A2_per_ps * A2_PER_PS_IN_CM2_PER_S))
    intervals = gamma_intervals(value, stderr**2, degrees_of_freedom=variance.degrees_of_freedom) if value > 0 else None
    return GreenKubo(
        value_cm2_per_s=value,
        stderr_cm2_per_s=stderr,
        interval_95=intervals.interval_95 if intervals else None,
        plateau_ps=(first * interval, OCTAVE * first * interval),
        source=correlation.source,
    )


@dataclass(frozen=True, eq=False)
class _Plateau:
    """Octave of the running integral, its mean of each ion, and its change to the next where they disagree."""

    first: int
    ions_A2_per_ps: FloatArray
    change_A2_per_ps: float


def _find_plateau(
    displacements: FloatArray, msd: FloatArray, running: FloatArray, *, first: int, interval_ps: float
) -> _Plateau:
    values, change = _octave_mean(running, first), 0.0
    while OCTAVE**2 * first < len(running) - 1:
        later = _octave_mean(running, OCTAVE * first)
        difference = later - values
        if len(difference) >= FEWEST_IONS:
            error = float(difference.std(ddof=1)) / np.sqrt(len(difference))
        else:  # the scatter of few ions is not used
            to_slope = 2 * DIMENSIONS * interval_ps
            variance = _variance(displacements, msd, later * to_slope, first=OCTAVE * first)
            error = float(np.sqrt(variance.value)) / to_slope
        mean = abs(float(difference.mean()))
        change = mean if mean > AGREEMENT_SIGMAS * error else 0.0
        if not change:
            break
        first, values = OCTAVE * first, later
    return _Plateau(first, values, change)


def _is_fine(mean: FloatArray) -> bool:
    return bool(mean[1] >= COARSEST_CORRELATION * mean[0])


def _check_velocities(velocities: FloatArray, displacements: FloatArray, interval_ps: float) -> None:
    """Compare stored velocities with those of the positions, [r(i + 1) - r(i - 1)] / 2 dt, by regression."""
    moved = (displacements[2:] - displacements[:-2]) / (2 * interval_ps)
    if not (moved.any() or velocities.any()):
        return  # constrained ions
    ratio = float(np.vdot(velocities[1:-1], moved) / np.vdot(moved, moved)) if moved.any() else np.inf
    low, high = VELOCITY_RATIOS
    if not low <= ratio <= high:
        raise InputError(
            f"the stored velocities are {ratio:.3g} times those by which the positions move: they are in another unit "
            "or of other frames: leave them out"
        )


def _running_integral(correlation: VelocityCorrelation) -> FloatArray:
    """Return (1/3) int_0^t C of each ion in A2/ps, shape (L, N).

    With differences of positions, whose correlation is a mean over each interval, the value at t is the slope of the
    mean squared displacement between t and the next frame; with stored velocities it is the trapezoidal rule.
    """
    curves = correlation.ions_A2_per_ps2
    summed = np.cumsum(curves, axis=0) - curves[0] / 2
    if correlation.source is VelocitySource.STORED:
        summed = summed - curves / 2
    integral: FloatArray = summed * correlation.frame_interval_ps / DIMENSIONS
    return integral


def _octave_mean(running: FloatArray, first: int) -> FloatArray:
    mean: FloatArray = running[first : OCTAVE * first + 1].mean(axis=0)
    return mean


def _variance(displacements: FloatArray, msd: FloatArray, ion_slopes_A2: FloatArray, *, first: int) -> Variance:
    """Return the variance of the slope of the mean squared displacement between the ends of the plateau."""
    frames, ions, _ = displacements.shape
    slope = float(ion_slopes_A2.mean())
    covariance = walk_covariance(
        np.array([first, OCTAVE * first + 1]),
        slope_A2=slope,
        intercept_A2=float(msd[first]) - slope * first,
        level_A2=float(msd[-1]),
        increments=frames - 1,
        ions=ions,
    )
    octave = np.array([-1.0, 1.0]) / (first + 1)
    ratio = collective_ratio(displacements, block=max(1, first // 2))
    return corrected_variance(float(octave @ covariance @ octave), ion_slopes_A2, collective=ratio)


def _autocorrelation(series: FloatArray, *, largest_lag: int) -> FloatArray:
    """Return the mean over origins of v(i) . v(i + lag), shape (largest_lag + 1, N)."""
    products = lagged_products(np.ascontiguousarray(series.transpose(1, 2, 0)), largest_lag=largest_lag)
    correlation: FloatArray = (products / (len(series) - np.arange(largest_lag + 1))).T
    return correlation
