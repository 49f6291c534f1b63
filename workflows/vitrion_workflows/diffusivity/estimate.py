"""Tracer diffusivity of mobile ions with a calibrated interval."""

from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import Fit, fit_lags, walk_covariance
from vitrion_workflows.diffusivity.spectrum import LongTimeMotion, long_time_motion
from vitrion_workflows.diffusivity.variance import (
    Intervals,
    Ratio,
    Variance,
    anisotropy_factor,
    collective_ratio,
    corrected_variance,
    gamma_intervals,
    james_stein_factor,
    jump_variance_A4,
)
from vitrion_workflows.diffusivity.window import (
    LATEST_START,
    LONGEST_LAG,
    VIBRATION_PS,
    MeanSquaredDisplacement,
    Window,
    choose_window,
    memory_lag,
)
from vitrion_workflows.schemas.label import MsdTable

ONE_SIDED_95 = 1.645
# Below two standard errors a gamma distribution has no meaningful upper end.
SMALLEST_SIGNAL = 2.0
FEWEST_FRAMES = 20
ROWS_IN_TABLE = 64


@dataclass(frozen=True, eq=False)
class DiffusivityEstimate:
    """A tracer diffusivity, D = lim MSD / (2 d t) with d = 3.

    Attributes:
        value_cm2_per_s: best estimate; zero where the mean squared displacement does not rise.
        stderr_cm2_per_s: its standard error, `curvature` included.
        noise_cm2_per_s: its statistical part.
        interval_68: cm2/s; None where the value is below two standard errors.
        interval_95: as above.
        upper_95: one-sided 95 % upper bound, cm2/s.
        log10_stderr: standard error of log10 D in decades; infinite where there is no interval.
        n_eff: number of independent three-dimensional displacements with the same uncertainty.
        exponent: of the mean squared displacement at long times, from the velocity spectrum; 1 is diffusion.
        exponent_stderr: its standard error.
        anomaly: evidence against diffusion, twice the logarithm of a likelihood ratio (`long_time_motion`).
        scale_free: whether a power law alone describes the motion up to the frames' resolution.
        fit_window_ps: first and last lag of the fit.
        intercept_A2: of the fitted line; contribution of ballistic motion and rattling to the MSD.
        variance: of the slope, with its corrections.
        fit: the regression, in frames.
        curvature: relative change of the slope between the last two windows where none was confirmed, else zero.
        msd: mean squared displacement against lag.
        frame_interval_ps: of the input.
        duration_ps: length of the run.
    """

    value_cm2_per_s: float
    stderr_cm2_per_s: float
    noise_cm2_per_s: float
    interval_68: tuple[float, float] | None
    interval_95: tuple[float, float] | None
    upper_95: float
    log10_stderr: float
    n_eff: float
    exponent: float
    exponent_stderr: float
    anomaly: float
    scale_free: bool
    fit_window_ps: tuple[float, float]
    intercept_A2: float
    variance: Variance
    fit: Fit
    curvature: float
    msd: MsdTable
    frame_interval_ps: float
    duration_ps: float


def estimate_diffusivity(displacements_A: FloatArray, frame_interval_ps: float) -> DiffusivityEstimate:
    """Estimate the tracer diffusivity of a set of ions.

    1. Mean squared displacement of each ion over all origins (`mean_squared_displacements`).
    2. Window by a fixed rule (`choose_window`): after velocity and cage are forgotten, to half the run.
    3. Generalised least squares of MSD = a + 6 D t with the covariance of overlapping displacements
       (`msd_covariance`), iterated to self-consistency (McCluskey, Squires, Dunn, Coles and Morgan, J. Chem. Theory
       Comput. 21, 79, 2025, without their sampling: the covariance here is exact for a walk that rattles).
    4. Variance from the same covariance and from the observed jumps, corrected by how far ions differ or move together
       (`corrected_variance`); curvature, or a power law that cannot be excluded, widens it further
       (`long_time_motion`).
    5. Gamma intervals (`gamma_intervals`).

    Args:
        displacements_A: unwrapped drift-corrected positions or displacements of the mobile ions, shape (F, N, 3).
        frame_interval_ps: time between frames.

    Returns:
        The estimate; `diffusivity` adds its gates.

    Raises:
        InputError: wrong shape, too few frames, numbers that are not finite, ions that never move.
    """
    _check(displacements_A, frame_interval_ps)
    increments = len(displacements_A) - 1
    msd = mean_squared_displacements(displacements_A, largest_lag=int(LONGEST_LAG * increments) + 2)
    if not msd.any() or (displacements_A == displacements_A[0]).all():
        raise InputError("no ion moves in this trajectory: its frames are copies of each other")
    window, variance = _fit_window(displacements_A, msd, frame_interval_ps)
    fit = window.fit
    motion = long_time_motion(displacements_A, frame_interval_ps, collective=_collective_ratio(displacements_A, fit))
    diffusion = _diffusion(window, variance, motion, frame_interval_ps)
    bounds = diffusion.intervals
    return DiffusivityEstimate(
        value_cm2_per_s=diffusion.value,
        stderr_cm2_per_s=diffusion.stderr,
        noise_cm2_per_s=diffusion.noise,
        interval_68=bounds.interval_68 if bounds else None,
        interval_95=bounds.interval_95 if bounds else None,
        upper_95=bounds.upper_95 if bounds else diffusion.value + ONE_SIDED_95 * diffusion.stderr,
        log10_stderr=bounds.log10_stderr if bounds else float("inf"),
        n_eff=bounds.n_eff if bounds else 0.0,
        exponent=motion.exponent,
        exponent_stderr=motion.exponent_stderr,
        anomaly=motion.evidence,
        scale_free=motion.scale_free,
        fit_window_ps=(float(fit.lags[0] * frame_interval_ps), float(fit.lags[-1] * frame_interval_ps)),
        intercept_A2=fit.intercept_A2,
        variance=variance,
        fit=fit,
        curvature=window.curvature,
        msd=_table(msd, fit, variance, increments, frame_interval_ps),
        frame_interval_ps=frame_interval_ps,
        duration_ps=increments * frame_interval_ps,
    )


def _check(displacements: FloatArray, interval: float) -> None:
    if displacements.ndim != 3 or displacements.shape[2] != DIMENSIONS or displacements.shape[1] == 0:  # noqa: PLR2004
        raise InputError(f"displacements must have shape (frames, ions, 3), not {displacements.shape}")
    if len(displacements) < FEWEST_FRAMES:
        raise InputError(f"{len(displacements)} frames are too few for a diffusivity: give at least {FEWEST_FRAMES}")
    if not np.isfinite(displacements).all():
        raise InputError("displacements hold numbers that are not finite: correct the trajectory")
    if not (np.isfinite(interval) and interval > 0):
        raise InputError("the frame interval must be a positive number of ps")


def _fit_window(displacements: FloatArray, msd: FloatArray, interval: float) -> tuple[Window, Variance]:
    """Choose the window and compute the variance of its slope."""
    increments = len(displacements) - 1
    ratio = collective_ratio(displacements, block=1)
    correlated = max(1.0, corrected_variance(0.0, msd[0], collective=ratio).collective)
    forgotten = memory_lag(msd.mean(axis=1), independent_ions=msd.shape[1] / correlated, increments=increments)
    beyond_cage = min(max(forgotten, round(VIBRATION_PS / interval)), max(1, int(LATEST_START * increments)))
    anisotropy = anisotropy_factor(displacements, lag=beyond_cage, correlated_ions=correlated)
    jumps = jump_variance_A4(displacements, lag=beyond_cage, anisotropy=anisotropy)
    data = MeanSquaredDisplacement(msd, increments=increments, correlated_ions=correlated, jumps_A4=jumps.value)
    window = choose_window(data, first=forgotten, frame_interval_ps=interval)
    variance = corrected_variance(
        window.fit.variance_A4 * anisotropy,
        window.fit.ion_slopes_A2,
        collective=_collective_ratio(displacements, window.fit),
        jumps=replace(jumps, value=jumps.value * window.fit.jump_weight),
    )
    return window, variance


def _collective_ratio(displacements: FloatArray, fit: Fit) -> Ratio:
    return collective_ratio(displacements, block=int(fit.lags[0]) // 2)


@dataclass(frozen=True)
class _Diffusion:
    """D in cm2/s with its standard error, the statistical part of that, and intervals where there is a signal."""

    value: float
    stderr: float
    noise: float
    intervals: Intervals | None


def _diffusion(window: Window, variance: Variance, motion: LongTimeMotion, interval: float) -> _Diffusion:
    fit = window.fit
    to_value = A2_PER_PS_IN_CM2_PER_S / (2 * DIMENSIONS * interval)
    value = max(fit.slope_A2, 0.0) * to_value
    # A slope that still changes is uncertain by its last change, and by the further change that a power law implies.
    curvature = window.curvature if np.isfinite(window.curvature) else 0.0
    change = float(np.hypot(curvature, expected_change(motion, first=fit.lags[0], last=fit.lags[-1]))) * fit.slope_A2
    noise = float(np.sqrt(variance.value)) * to_value
    stderr = float(np.hypot(noise, change * to_value))
    if not (value > 0 and value >= SMALLEST_SIGNAL * stderr):
        return _Diffusion(value, stderr, noise, None)
    intervals = gamma_intervals(value, stderr**2, degrees_of_freedom=variance.degrees_of_freedom)
    return _Diffusion(value, stderr, noise, intervals)


def expected_change(motion: LongTimeMotion, *, first: float, last: float) -> float:
    """Return the relative change of the slope over the window if the motion is anomalous, times its probability.

    A power law changes D(t) by (1 - alpha) ln(t_last / t_first). Its probability follows from the likelihood ratio at
    even odds; an exponent within its own noise of one contributes little.

    Args:
        motion: exponent and evidence.
        first: lag at which the window begins, in any unit.
        last: lag at which it ends, in the same.
    """
    deviation = abs(1 - motion.exponent)
    probability = 1 / (1 + np.exp(-motion.evidence / 2))
    span = float(np.log(last / first))
    return float(deviation * span * probability) * james_stein_factor(deviation / motion.exponent_stderr)


def _table(msd: FloatArray, fit: Fit, variance: Variance, increments: int, interval: float) -> MsdTable:
    lags = fit_lags(1, int(fit.lags[-1]), count=ROWS_IN_TABLE)
    mean = msd[lags].mean(axis=1)
    covariance = walk_covariance(
        lags,
        slope_A2=fit.slope_A2,
        intercept_A2=fit.intercept_A2,
        level_A2=float(mean[-1]),
        increments=increments,
        ions=msd.shape[1],
    )
    widening = variance.value / fit.variance_A4
    return MsdTable(
        lag_ps=tuple((lags * interval).tolist()),
        msd_A2=tuple(mean.tolist()),
        stderr_A2=tuple(np.sqrt(np.diag(covariance) * widening).tolist()),
    )
