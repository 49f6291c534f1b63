"""Confidence intervals, and the variance of a mean over ions that differ, move together, or jump rarely."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from vitrion_models.constants import LN_10
from vitrion_models.system import FloatArray

# Of a normal distribution, beyond one standard deviation on one side.
ONE_SIGMA_TAIL = float(special.ndtr(-1.0))
# Squared displacement of a free ion in three dimensions: variance over square of the mean.
RELATIVE_VARIANCE_3D = 2.0 / 3.0
# Below this many ions their scatter is not used.
FEWEST_IONS = 4
# Where more than half of all ions move together, their scatter is not corrected for it any further.
LEAST_INDEPENDENCE = 0.5
FEWEST_BLOCKS = 8
MOST_BLOCKS = 64


@dataclass(frozen=True)
class Intervals:
    """Uncertainty of a positive estimate.

    Attributes:
        interval_68: central interval, same unit as the estimate.
        interval_95: as above.
        log10_stderr: standard error of the decimal logarithm.
        n_eff: number of independent three-dimensional squared displacements with the same uncertainty.
        upper_95: one-sided 95 % upper bound.
    """

    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    log10_stderr: float
    n_eff: float
    upper_95: float


def gamma_intervals(estimate: float, variance: float, *, degrees_of_freedom: float = float("inf")) -> Intervals:
    """Compute the intervals of an average of squared displacements.

    Such an average follows a gamma distribution of shape k = estimate^2 / variance, exactly so for independent
    Gaussian displacements, and is skewed where k is small. The interval for the mean is
    estimate * k / gamma_quantile(k, p). Where the variance itself was estimated from the data with nu degrees of
    freedom, p is the normal tail beyond the Student-t quantile, which widens the interval. The logarithm has the
    standard deviation sqrt(trigamma(k)). N_eff = (2/3) k.

    Args:
        estimate: positive.
        variance: of the estimate.
        degrees_of_freedom: nu, of the variance; infinite for one from theory.
    """
    shape = estimate**2 / variance

    def quantile(tail: float) -> float:
        if not np.isfinite(degrees_of_freedom):
            return float(-special.ndtri(tail))
        return float(-special.stdtrit(degrees_of_freedom, tail))

    def bounds(level: float) -> tuple[float, float]:
        tail = float(special.ndtr(-quantile((1 - level) / 2)))
        low = estimate * shape / special.gammainccinv(shape, tail)
        high = estimate * shape / max(float(special.gammaincinv(shape, tail)), np.finfo(float).tiny)
        return float(low), float(min(high, np.finfo(float).max))

    return Intervals(
        interval_68=bounds(1 - 2 * ONE_SIGMA_TAIL),
        interval_95=bounds(0.95),
        log10_stderr=quantile(ONE_SIGMA_TAIL) * float(np.sqrt(special.polygamma(1, shape))) / LN_10,
        n_eff=RELATIVE_VARIANCE_3D * shape,
        upper_95=bounds(0.90)[1],
    )


@dataclass(frozen=True)
class Ratio:
    """Measured variance over its theoretical value, with the degrees of freedom of the measurement (0: none)."""

    value: float
    degrees_of_freedom: float


@dataclass(frozen=True)
class JumpVariance:
    """Variance that rare jumps add to theory, and its degrees of freedom."""

    value: float
    degrees_of_freedom: float


NO_CORRELATION = Ratio(1.0, 0.0)
NO_JUMPS = JumpVariance(0.0, float("inf"))


@dataclass(frozen=True)
class Variance:
    """Variance of a mean over ions.

    Attributes:
        value: the variance.
        degrees_of_freedom: of the variance; infinite where it rests on theory alone.
        heterogeneity: scatter of the ions over that of Brownian ions.
        collective: fluctuation of the sum over ions over that of independent ions; the number of ions that move
            together.
    """

    value: float
    degrees_of_freedom: float
    heterogeneity: float
    collective: float


@dataclass(frozen=True)
class _Correction:
    """Factor on a theoretical variance, and its contribution to Satterthwaite's 1 / nu."""

    factor: float
    inverse_freedom: float


def corrected_variance(
    theory: float, ion_values: FloatArray, *, collective: Ratio = NO_CORRELATION, jumps: JumpVariance = NO_JUMPS
) -> Variance:
    """Multiply the variance of a mean over independent Brownian ions by two measured ratios.

    variance = (theory + jumps) H C, with

    - H, the heterogeneity: the observed scatter of the ions, s^2 / N with s^2 the sample variance of the N values, over
      theory + jumps. It differs from one where ions rattle in cages, jump rarely or sit on unequal sites; it is not
      measured with fewer than `FEWEST_IONS` ions.
    - C, the collective ratio (`collective_ratio`): k where ions move in groups of k, which makes N ions count as N / k.

    Both ratios R are noisy: with nu degrees of freedom, and a true value of one, R - 1 has the standard deviation
    sqrt(2 / nu). Each deviation R - 1, positive or negative, is therefore multiplied by its `james_stein_factor`. If
    only positive ones were applied, noise would raise the variance on average.

    The two are not independent: ions that move in groups of k differ among themselves less than their mean differs from
    run to run, by the factor 1 - (k - 1) / (N - 1). The scatter is divided by that factor (at least
    `LEAST_INDEPENDENCE`) before H is formed.

    Args:
        theory: variance of the mean for independent Brownian ions.
        ion_values: value of each ion, shape (N,), whose mean is the estimate; same unit as sqrt(theory).
        collective: measured ratio with its degrees of freedom.
        jumps: variance that rare jumps add to the theory.

    Returns:
        The variance. Its degrees of freedom follow Satterthwaite: 1 / nu is the sum over H, C and the jumps of
        (share of the variance)^2 / nu of each.
    """
    ions = len(ion_values)
    inverse_freedom = (jumps.value / (theory + jumps.value)) ** 2 / jumps.degrees_of_freedom if jumps.value > 0 else 0.0
    theory += jumps.value
    heterogeneity, joint = _Correction(1.0, 0.0), _correction(collective)
    if ions >= FEWEST_IONS and theory > 0:
        independence = 1 - (joint.factor - 1) / (ions - 1)
        scatter = float(ion_values.var(ddof=1)) / min(max(independence, LEAST_INDEPENDENCE), 1.0)
        # A sum of few squares is skewed; its variance is less certain than a Gaussian's (gamma: kurtosis 6 / shape).
        shape = max(float(ion_values.mean()) ** 2 / scatter, 1 / ions) if scatter > 0 else np.inf
        heterogeneity = _correction(Ratio(scatter / ions / theory, (ions - 1) / (1 + 3 / shape)))
    inverse_freedom = inverse_freedom + heterogeneity.inverse_freedom + joint.inverse_freedom
    return Variance(
        value=theory * heterogeneity.factor * joint.factor,
        degrees_of_freedom=1 / inverse_freedom if inverse_freedom > 0 else float("inf"),
        heterogeneity=heterogeneity.factor,
        collective=joint.factor,
    )


def _correction(ratio: Ratio) -> _Correction:
    if not ratio.degrees_of_freedom > 0:
        return _Correction(1.0, 0.0)
    excess = ratio.value - 1
    applied = excess * james_stein_factor(excess * float(np.sqrt(ratio.degrees_of_freedom / 2)))
    share = applied / (1 + applied)
    return _Correction(1 + applied, share**2 / ratio.degrees_of_freedom)


def james_stein_factor(sigmas: float) -> float:
    """Return the share of a deviation that is not noise: 1 - 1 / z^2, zero below one sigma.

    The mean square of a deviation is that of its noise and that of the true deviation; the factor is the second over
    both (James and Stein, Proc. 4th Berkeley Symp. 1, 361, 1961, positive part).
    """
    return max(0.0, 1 - 1 / float(sigmas) ** 2) if sigmas else 0.0


def anisotropy_factor(positions_A: FloatArray, *, lag: int, correlated_ions: float = 1.0) -> float:
    """Return the factor by which anisotropic motion increases the variance of squared displacements, at least one.

    A Gaussian displacement d with the covariance S = <d d^T> has Var |d|^2 = 2 tr S^2. Isotropic motion of the same
    mean square tr S has 2 (tr S)^2 / 3. The factor is their ratio, 3 tr S^2 / (tr S)^2: one for isotropic motion, three
    for motion along one axis. Estimated from n independent isotropic displacements, it is 1 + 10 / (3 n) on average,
    because the noise of S has five components that change its shape; 10 / (3 n) is subtracted.

    Args:
        positions_A: positions or displacements, shape (F, N, 3).
        lag: time of a displacement in frames, longer than the motion in a cage.
        correlated_ions: number of ions that move together, at least 1; it divides n.
    """
    moves = (positions_A[lag:] - positions_A[:-lag]).reshape(-1, 3)
    tensor = moves.T @ moves
    independent = 1.5 * (len(positions_A) - 1) / lag * positions_A.shape[1] / correlated_ions
    factor = 3 * float((tensor**2).sum()) / float(np.trace(tensor)) ** 2
    return float(max(1.0, factor - 10 / (3 * independent)))


def jump_variance_A4(positions_A: FloatArray, *, lag: int, anisotropy: float = 1.0) -> JumpVariance:
    """Measure the fourth cumulant of the motion in A^4 a frame: excess scatter over that of a Gaussian walk.

    A walk of independent steps, among them jumps of length l at rate g, has <q^2> = (5/3) <q>^2 + K n for the squared
    displacement q over n frames, K = g l^4 a frame; no Gaussian vibration adds to it. The mean <q>^2 is taken ion by
    ion, so that unequal ions do not look like jumps, and is corrected for its own variance, that of windows which
    overlap: (2/3)(2n / 3T) <q>^2 + K n (n / T).

    Args:
        positions_A: shape (F, N, 3).
        lag: n, in frames, longer than the motion in a cage.
        anisotropy: from `anisotropy_factor`; with it the factor 5/3 above becomes 1 + 2/3 of it.

    Returns:
        K, not below zero and shrunk by its noise (`james_stein_factor`), with its degrees of freedom; `NO_JUMPS` for
        fewer than four ions.
    """
    frames, ions = len(positions_A) - 1, positions_A.shape[1]
    if ions < FEWEST_IONS:
        return NO_JUMPS
    squares = ((positions_A[lag:] - positions_A[:-lag]) ** 2).sum(axis=2)
    square = 1 + 2 * anisotropy / 3
    gaussian = 1 + (square - 1) * 2 * lag / (3 * frames)
    of_ions = (squares**2).mean(axis=0) - square * squares.mean(axis=0) ** 2 / gaussian
    of_ions /= lag * (1 - square * lag / frames / gaussian)
    rate, noise = float(of_ions.mean()), float(of_ions.var(ddof=1)) / ions
    if rate <= 0 or noise <= 0:  # ions that move as one body have no scatter to compare with
        return NO_JUMPS
    return JumpVariance(rate * james_stein_factor(rate / float(np.sqrt(noise))), 2 * rate**2 / noise)


def collective_ratio(positions_A: FloatArray, *, block: int) -> Ratio:
    """Measure the fluctuation of the summed squared displacement from block to block against independent ions.

    The run is cut into blocks of equal length that do not overlap. With q_i(b) the squared displacement of ion i over
    block b, the ratio Var_b(sum_i q_i) / sum_i Var_b(q_i) is one for independent ions, k for ions that move in groups
    of k, and larger than one as well when the temperature drifts.

    Args:
        positions_A: shape (F, N, 3).
        block: shortest block, in frames.

    Returns:
        The ratio; `NO_CORRELATION` where the run has too few blocks.
    """
    moves = block_displacements(positions_A, block=block)
    if len(moves) < FEWEST_BLOCKS or positions_A.shape[1] == 1:
        return NO_CORRELATION
    squares = (moves**2).sum(axis=2)
    independent = float(squares.var(axis=0, ddof=1).sum())
    if independent == 0:
        return NO_CORRELATION
    return Ratio(float(squares.sum(axis=1).var(ddof=1)) / independent, float(len(moves) - 1))


def block_displacements(positions_A: FloatArray, *, block: int) -> FloatArray:
    """Return displacements over at most 64 consecutive blocks of equal length, shape (B, N, 3), in Angstrom.

    Args:
        positions_A: shape (F, N, 3).
        block: shortest block, in frames.
    """
    frames = len(positions_A) - 1
    length = max(block, frames // MOST_BLOCKS, 1)
    blocks = frames // length
    moves: FloatArray = np.diff(positions_A[: blocks * length + 1 : length], axis=0)
    return moves
