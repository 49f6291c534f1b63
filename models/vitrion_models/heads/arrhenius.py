"""Arrhenius head: level and slope of a material as Gaussian processes over its embedding.

Prior: level and raw slope are independent Gaussian processes with constant means, a constant part of stated deviation,
a linear and a squared-exponential part of the same amplitude. The slope is the softplus of the raw slope. Likelihood:
`vitrion_models.heads.likelihood`. Posterior: the Laplace approximation about the mode, which damped Gauss-Newton steps
reach (Rasmussen and Williams, *Gaussian Processes for Machine Learning*, 2006, chapters 2 and 3). Amplitude and noise
maximise the Laplace evidence under a log-normal prior on a fixed grid: with a handful of labels the evidence alone is
nearly flat.

Where the source of the labels has a systematic error for each compound (standard deviation t, shared by all labels of
one compound), the level has an additional independent part of deviation t for each labelled compound: for other
compounds a label counts with ``stderr^2 + noise^2 + t^2``, and several labels of one compound do not average it away.
"""

from dataclasses import dataclass
from itertools import product
from typing import Protocol

import numpy as np

from vitrion_models.heads.arrhenius_law import EV_PER_SLOPE, softplus
from vitrion_models.heads.gaussian_process import linear_rbf_kernel
from vitrion_models.heads.likelihood import SHARPNESS, Labels, derivatives, log_likelihood
from vitrion_models.system import FloatArray, IntArray

AMPLITUDES = (0.15, 0.3, 0.6)
NOISES = (0.03, 0.05, 0.08, 0.13, 0.2, 0.32, 0.5)
TYPICAL_AMPLITUDE, AMPLITUDE_FACTOR = 0.3, 1.7
TYPICAL_NOISE, NOISE_FACTOR = 0.08, 2.0
MAX_STEPS = 40
TOLERANCE = 1e-9
MIN_DAMPING = 1e-4


class Prior(Protocol):
    """Gaussian prior of level and raw slope over embeddings."""

    def means(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Return the prior means of level and raw slope for a number of materials S, both (S,)."""

    def covariance(
        self, first: FloatArray, second: FloatArray, compound: FloatArray, *, amplitude: float
    ) -> FloatArray:
        """Return the prior covariance of (level, raw slope) between materials; see `ArrheniusPrior.covariance`."""


@dataclass(frozen=True)
class ArrheniusPrior:
    """Prior of level and activation energy.

    Attributes:
        level: log10 D expected at the reference temperature, D in cm2/s.
        level_std: its standard deviation, decades.
        Ea_eV: expected activation energy.
        Ea_std_eV: its standard deviation.
        length_scale: of the squared-exponential part, in the unit of the embeddings.
    """

    level: float
    level_std: float
    Ea_eV: float
    Ea_std_eV: float
    length_scale: float

    def means(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Return the prior means of level and raw slope for a number of materials S, both (S,)."""
        # Inverse of the softplus, so that the prior's activation energy is the one stated.
        raw_slope = np.log(np.expm1(SHARPNESS * self.Ea_eV / EV_PER_SLOPE)) / SHARPNESS
        return np.full(count, self.level), np.full(count, raw_slope)

    def covariance(
        self, first: FloatArray, second: FloatArray, compound: FloatArray, *, amplitude: float
    ) -> FloatArray:
        """Return the prior covariance of (level, raw slope) between materials, levels first, shape (2 n, 2 m).

        Args:
            first: embeddings, shape (n, P).
            second: embeddings, shape (m, P).
            compound: covariance of the compounds' systematic errors, decades^2, shape (n, m).
            amplitude: of the processes, decades.
        """
        shared = linear_rbf_kernel(first, second, amplitude=amplitude, length_scale=self.length_scale)
        zero = np.zeros_like(shared)
        slope_variance = (self.Ea_std_eV / EV_PER_SLOPE) ** 2
        return np.block([[shared + self.level_std**2 + compound, zero], [zero, shared + slope_variance]])


@dataclass(frozen=True, eq=False)
class ArrheniusPosterior:
    """Joint Gaussian of level and raw slope at S materials.

    Attributes:
        level: means of log10 D at the reference temperature, shape (S,).
        raw_slope: means of the raw slope, shape (S,).
        covariance: of (level, raw slope) of all materials, levels first, shape (2 S, 2 S).
    """

    level: FloatArray
    raw_slope: FloatArray
    covariance: FloatArray

    def shifted(self, correction: FloatArray) -> "ArrheniusPosterior":
        """Return the posterior with corrections added to level and raw slope, shape (S, 2)."""
        return ArrheniusPosterior(self.level + correction[:, 0], self.raw_slope + correction[:, 1], self.covariance)

    def moments(self, material: IntArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Return mean and variance (delta method) of log10 D, decades, both (n,).

        Args:
            material: indices of materials, shape (n,).
            x: centred inverse temperatures, 1000/K, shape (n,).
        """
        slope, derivative = softplus(self.raw_slope[material], sharpness=SHARPNESS)
        count = len(self.level)
        gain = -x * derivative
        diagonal = np.diagonal(self.covariance)
        cross = self.covariance[material, count + material]
        variance = diagonal[material] + 2.0 * gain * cross + gain**2 * diagonal[count + material]
        return self.level[material] - slope * x, np.maximum(variance, 0.0)

    def covariances(self, material: IntArray, x: FloatArray, other: IntArray, other_x: FloatArray) -> FloatArray:
        """Return the covariance (delta method) of n pairs of log10 D, decades^2, shape (n,).

        Args:
            material: index of the first material of each pair, shape (n,).
            x: its centred inverse temperature, 1000/K, shape (n,).
            other: index of the second material, of a shape that broadcasts to (n,).
            other_x: its centred inverse temperature, of such a shape.
        """
        count = len(self.level)
        _, derivative = softplus(self.raw_slope, sharpness=SHARPNESS)
        gain, other_gain = -x * derivative[material], -other_x * derivative[other]
        by_level = self.covariance[material, other] + other_gain * self.covariance[material, count + other]
        by_slope = self.covariance[count + material, other]
        by_slope = by_slope + other_gain * self.covariance[count + material, count + other]
        covariances: FloatArray = by_level + gain * by_slope
        return covariances


@dataclass(frozen=True, eq=False)
class ArrheniusHead:
    """A fitted head.

    Attributes:
        embeddings: of the S training materials, shape (S, P).
        weights: prior covariance times these, plus the prior mean, is the mode at a material, shape (2 S,).
        curvature: level-level, level-slope and slope-slope curvature of the likelihood at the mode, shape (3, S).
        amplitude: of the processes, decades.
        noise: model noise, decades.
        prior: of level and activation energy.
        compound_errors: standard deviation of the systematic error of each training material's compound, in the column
            of the compound, decades, shape (S, C).
    """

    embeddings: FloatArray
    weights: FloatArray
    curvature: FloatArray
    amplitude: float
    noise: float
    prior: Prior
    compound_errors: FloatArray

    def posterior(self, embeddings: FloatArray, compound_errors: FloatArray | None = None) -> ArrheniusPosterior:
        """Return the joint posterior at materials.

        Args:
            embeddings: of the materials, shape (m, P).
            compound_errors: standard deviations of the systematic errors of their compounds, decades, shape (m, C);
                zero if None. Errors of compounds without a label do not widen a prediction.
        """
        columns = self.compound_errors.shape[1]
        labelled = self.compound_errors.any(axis=0)
        errors = np.zeros((len(embeddings), columns)) if compound_errors is None else compound_errors * labelled
        here = self._covariance(embeddings, embeddings, errors @ errors.T)
        level, raw_slope = self.prior.means(len(embeddings))
        if not len(self.embeddings):
            return ArrheniusPosterior(level, raw_slope, here)
        across = self._covariance(embeddings, self.embeddings, errors @ self.compound_errors.T)
        training = self._covariance(self.embeddings, self.embeddings, self.compound_errors @ self.compound_errors.T)
        gain = np.linalg.solve(np.eye(len(training)) + _times(self.curvature, training), _blocks(self.curvature))
        covariance = here - across @ gain @ across.T
        shift = across @ self.weights
        count = len(embeddings)
        return ArrheniusPosterior(level + shift[:count], raw_slope + shift[count:], 0.5 * (covariance + covariance.T))

    def _covariance(self, first: FloatArray, second: FloatArray, compound: FloatArray) -> FloatArray:
        return self.prior.covariance(first, second, compound, amplitude=self.amplitude)


def fit_head(
    embeddings: FloatArray, labels: Labels, prior: Prior, *, compound_errors: FloatArray | None = None
) -> ArrheniusHead:
    """Fit a head; amplitude and noise maximise the evidence.

    Args:
        embeddings: of the materials, shape (S, P).
        labels: at least one label on these materials.
        prior: of level and activation energy.
        compound_errors: see `ArrheniusHead`, shape (S, C); zero if None.
    """
    best: tuple[float, ArrheniusHead] | None = None
    for amplitude, noise in product(AMPLITUDES, NOISES):
        head, evidence = fit_with_evidence(
            embeddings, labels, prior, amplitude=amplitude, noise=noise, compound_errors=compound_errors
        )
        score = evidence + log_hyperprior(amplitude, noise)
        if best is None or score > best[0]:
            best = (score, head)
    if best is None:
        raise ValueError("the grid of hyper-parameters is empty")
    return best[1]


def refit_head(
    embeddings: FloatArray,
    labels: Labels,
    prior: Prior,
    *,
    amplitude: float,
    noise: float,
    compound_errors: FloatArray | None = None,
) -> ArrheniusHead:
    """Fit a head with given amplitude and noise (decades); without labels it is the prior. See `fit_head`."""
    return fit_with_evidence(
        embeddings, labels, prior, amplitude=amplitude, noise=noise, compound_errors=compound_errors
    )[0]


def fit_with_evidence(
    embeddings: FloatArray,
    labels: Labels,
    prior: Prior,
    *,
    amplitude: float,
    noise: float,
    compound_errors: FloatArray | None = None,
) -> tuple[ArrheniusHead, float]:
    """Return the head with given amplitude and noise, and its log evidence; see `refit_head`."""
    used, local = np.unique(labels.material, return_inverse=True)
    errors = np.zeros((len(used), 0)) if compound_errors is None else compound_errors[used]
    renumbered = Labels(local.astype(np.int64), labels.x, labels.y, labels.stderr, labels.censored)
    covariance = prior.covariance(embeddings[used], embeddings[used], errors @ errors.T, amplitude=amplitude)
    mean = np.concatenate(prior.means(len(used)))
    weights, curvature, evidence = _laplace(covariance, mean, renumbered, noise=noise)
    return ArrheniusHead(embeddings[used], weights, curvature, amplitude, noise, prior, errors), evidence


def log_hyperprior(amplitude: float, noise: float) -> float:
    """Return the log density, up to a constant, of the log-normal prior of amplitude and noise (decades)."""
    a = np.log(amplitude / TYPICAL_AMPLITUDE) / np.log(AMPLITUDE_FACTOR)
    n = np.log(noise / TYPICAL_NOISE) / np.log(NOISE_FACTOR)
    return float(-0.5 * (a**2 + n**2))


def _laplace(
    covariance: FloatArray, mean: FloatArray, labels: Labels, *, noise: float
) -> tuple[FloatArray, FloatArray, float]:
    """Return the weights of the mode (2 S,), the curvature there (3, S) and the log evidence.

    Damped Gauss-Newton in function space: the mode is mean + covariance @ weights.
    """
    weights = np.zeros(len(mean))
    identity = np.eye(len(mean))

    def objective(candidate: FloatArray) -> float:
        shift = covariance @ candidate
        return log_likelihood(labels, mean + shift, noise) - 0.5 * float(candidate @ shift)

    value = objective(weights)
    for _ in range(MAX_STEPS):
        shift = covariance @ weights
        gradient, curvature = derivatives(labels, mean + shift, noise)
        target = np.linalg.solve(identity + _times(curvature, covariance), _times(curvature, shift) + gradient)
        damping = 1.0
        while (trial := objective(weights + damping * (target - weights))) < value and damping > MIN_DAMPING:
            damping *= 0.5
        if trial <= value + TOLERANCE:
            break
        weights, value = weights + damping * (target - weights), trial
    _, curvature = derivatives(labels, mean + covariance @ weights, noise)
    _, log_determinant = np.linalg.slogdet(identity + _times(curvature, covariance))
    return weights, curvature, value - 0.5 * float(log_determinant)


def _blocks(curvature: FloatArray) -> FloatArray:
    level, cross, slope = (np.diag(row) for row in curvature)
    return np.block([[level, cross], [cross, slope]])


def _times(curvature: FloatArray, right: FloatArray) -> FloatArray:
    """Return ``_blocks(curvature) @ right`` without the zeros: the whole product costs more than the solution."""
    level, cross, slope = curvature if right.ndim == 1 else curvature[:, :, None]
    upper, lower = np.split(right, 2)
    return np.concatenate([level * upper + cross * lower, cross * upper + slope * lower])
