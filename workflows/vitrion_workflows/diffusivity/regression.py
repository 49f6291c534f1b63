"""Generalised least squares on a mean squared displacement, with the covariance of overlapping displacements."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.constants import DIMENSIONS
from vitrion_models.system import FloatArray, IntArray

# More lags than this hold no more information about a straight line: neighbours share nearly all displacements.
LAGS_IN_FIT = 32
ITERATIONS = 12
TOLERANCE = 1e-4
# Slope at which a flat mean squared displacement is treated as a walk, relative to its level; keeps weights defined.
SMALLEST_RELATIVE_SLOPE = 1e-6


def msd_covariance(
    lags: IntArray, *, increments: int, step_variance_A2: float, rattle_variance_A2: float
) -> FloatArray:
    r"""Compute the covariance of mean squared displacements at two lags, for one ion and one dimension.

    Model: x(i) = walk with independent Gaussian increments of variance s^2 = 2 D dt, plus an independent Gaussian
    rattle of variance v in each frame. With T increments, the mean squared displacement at lag n averages
    M_n = T - n + 1 overlapping displacements. Two Gaussian displacements of covariance c have squares of covariance
    2 c^2 (Isserlis), hence

        cov(n, m) = 2 / (M_n M_m) * sum_k count(k) c_nm(k)^2,      c_nm(k) = s^2 o(k) + v e(k),

    where k is the offset of the origins, count(k) the number of origin pairs with that offset, o(k) the number of
    increments that both displacements share, and e(k) = +1 for each shared end point of like sign (k = 0, k = n - m),
    -1 for each of unlike sign (k = n, k = -m). All three are piecewise linear in k, so the sum closes. For n <= m:

        sum count o^2  = (m - n + 1)(T - m + 1) n^2 + 2 [G(n - 1) - G(max(0, m + n - T - 1))]
        G(p)           = (T - m - n + 1) Q2(p) + Q3(p),   Q2, Q3: sums of squares and cubes of 1..p
        sum count o e  = 2 n (T - m + 1)
        sum count e^2  = 2 (T - m + 1) (1 + [n = m]) + 2 max(0, T - m - n + 1)

    The first line is the covariance of Qian, Sheetz and Elson (Biophys. J. 60, 910, 1991), the others are those of
    Michalet (Phys. Rev. E 82, 041914, 2010) for a walk observed with localisation noise. Being the exact covariance of
    distinct quadratic forms of one Gaussian vector, the matrix is positive definite by construction.

    Args:
        lags: in frames, shape (L,), between 1 and `increments`.
        increments: T, frames less one.
        step_variance_A2: s^2, variance of one increment of the walk.
        rattle_variance_A2: v, variance of the rattle.

    Returns:
        Shape (L, L), in Angstrom to the fourth.
    """
    short = np.minimum.outer(lags, lags).astype(np.float64)
    long = np.maximum.outer(lags, lags).astype(np.float64)
    origins = increments - long + 1
    beyond = increments - long - short + 1
    walk = (long - short + 1) * origins * short**2
    walk += 2 * (_ramp(short - 1, beyond) - _ramp(np.maximum(0.0, -beyond), beyond))
    mixed = 2 * short * origins
    rattle = 2 * origins * (1 + (short == long)) + 2 * np.maximum(0.0, beyond)
    pairs = origins * (increments - short + 1)
    s2, v = step_variance_A2, rattle_variance_A2
    covariance: FloatArray = 2 * (s2**2 * walk + 2 * s2 * v * mixed + v**2 * rattle) / pairs
    return covariance


def _ramp(top: FloatArray, offset: FloatArray) -> FloatArray:
    """Return the sum over u = 1..top of (offset + u) u^2."""
    squares = top * (top + 1) * (2 * top + 1) / 6
    cubes = (top * (top + 1) / 2) ** 2
    total: FloatArray = offset * squares + cubes
    return total


@dataclass(frozen=True, eq=False)
class Fit:
    """Straight line MSD = intercept + slope * lag over a window.

    Attributes:
        lags: lags in the fit, in frames, shape (L,).
        weights: slope and intercept are `weights @ msd`, shape (2, L).
        covariance: of the mean MSD over ions and three dimensions, shape (L, L), Angstrom^4.
        slope_A2: square Angstrom a frame.
        intercept_A2: square Angstrom.
        ion_slopes_A2: slope of each ion with the same weights, shape (N,); their mean is the slope.
        variance_A4: of the slope, for independent Brownian ions.
        jump_weight: addition of jumps to it, for each A^4 a frame of `jump_variance_A4`.
    """

    lags: IntArray
    weights: FloatArray
    covariance: FloatArray
    slope_A2: float
    intercept_A2: float
    ion_slopes_A2: FloatArray
    variance_A4: float
    jump_weight: float


def fit_lags(first: int, last: int, *, count: int = LAGS_IN_FIT) -> IntArray:
    """Return at most `count` distinct lags in frames between two, evenly spaced in the logarithm, shape (L,)."""
    spaced = np.round(np.geomspace(first, last, count)).astype(np.int64)
    return np.unique(spaced)


def linear_weights(design: FloatArray, covariance: FloatArray) -> FloatArray:
    """Compute the weights of the best linear unbiased estimate, (X' C^-1 X)^-1 X' C^-1 (Aitken, 1935).

    Args:
        design: columns of the linear model, shape (L, P).
        covariance: shape (L, L), positive definite.

    Returns:
        Shape (P, L): parameters are weights @ observations.
    """
    # Correlations are better conditioned than covariances, which span decades.
    scale = np.sqrt(np.diag(covariance))
    scaled = design / scale[:, None]
    solved = np.linalg.solve(covariance / np.outer(scale, scale), scaled)
    weights: FloatArray = np.linalg.solve(scaled.T @ solved, solved.T) / scale
    return weights


def fit_line(msd_A2: FloatArray, lags: IntArray, *, increments: int) -> Fit:
    """Fit slope and intercept of the mean over ions with the covariance that they themselves imply.

    The covariance depends on the slope (variance of a step, slope / 3 a dimension) and on the intercept (rattle
    variance, intercept / 6 a dimension, not below zero). Starting from ordinary least squares, weights and parameters
    are computed in turn until the slope converges.

    Args:
        msd_A2: mean squared displacement of each ion at lags 0, 1, 2 ... frames, shape (>= max(lags) + 1, N).
        lags: in frames, shape (L,), at least three.
        increments: frames of the run less one.
    """
    observed = msd_A2[lags]
    mean = observed.mean(axis=1)
    design = np.column_stack([lags.astype(np.float64), np.ones(len(lags))])
    slope, intercept = np.linalg.lstsq(design, mean, rcond=None)[0]
    for _ in range(ITERATIONS):
        covariance = walk_covariance(
            lags, slope_A2=slope, intercept_A2=intercept, level_A2=mean[-1], increments=increments, ions=msd_A2.shape[1]
        )
        weights = linear_weights(design, covariance)
        before, (slope, intercept) = slope, weights @ mean
        if abs(slope - before) <= TOLERANCE * abs(slope):
            break
    return Fit(
        lags=lags,
        weights=weights,
        covariance=covariance,
        slope_A2=float(slope),
        intercept_A2=float(intercept),
        ion_slopes_A2=weights[0] @ observed,
        variance_A4=float(weights[0] @ covariance @ weights[0]),
        jump_weight=_jump_weight(weights[0], lags, increments) / msd_A2.shape[1],
    )


def _jump_weight(weights: FloatArray, lags: IntArray, increments: int) -> float:
    """Return the sum over steps of the square of each step's own weight in the slope.

    Step t lies in min(t, n, T - n + 1, T - t + 1) of the T - n + 1 windows of lag n. Steps being independent, a fourth
    cumulant K a step adds K sum_t (sum_n w_n windows_n(t) / (T - n + 1))^2 to the variance of w . MSD.
    """
    steps = np.arange(1, increments + 1)
    edge = np.minimum(steps, increments + 1 - steps)
    windows = increments - lags + 1
    covered = np.minimum(edge, np.minimum(lags, windows)[:, None]) / windows[:, None]
    return float(((weights @ covered) ** 2).sum())


def walk_covariance(
    lags: IntArray, *, slope_A2: float, intercept_A2: float, level_A2: float, increments: int, ions: int
) -> FloatArray:
    """Compute the covariance of the mean MSD of independent ions in three dimensions, for a given line.

    Args:
        lags: in frames, shape (L,).
        slope_A2: square Angstrom a frame; a floor relative to the level keeps the matrix positive definite.
        intercept_A2: square Angstrom; below zero (ballistic start) it counts as no rattle.
        level_A2: mean squared displacement at the last lag, the scale of the floor.
        increments: frames of the run less one.
        ions: number of ions.

    Returns:
        Shape (L, L), Angstrom^4.
    """
    floor = SMALLEST_RELATIVE_SLOPE * max(level_A2, np.finfo(np.float64).tiny) / float(lags[-1])
    single = msd_covariance(
        lags,
        increments=increments,
        step_variance_A2=max(slope_A2, floor) / DIMENSIONS,
        rattle_variance_A2=max(intercept_A2, 0.0) / (2 * DIMENSIONS),
    )
    return single * DIMENSIONS / ions
