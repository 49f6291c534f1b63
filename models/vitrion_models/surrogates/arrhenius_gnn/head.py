"""The Arrhenius head: level and slope of a material as Gaussian processes over its descriptors.

Prior: level and raw slope are independent Gaussian processes with constant means, a constant part of stated deviation,
a linear and a squared-exponential part of the same amplitude (Rasmussen and Williams, *Gaussian Processes for Machine
Learning*, 2006, chapters 2 and 4). The slope is the softplus of the raw slope. Likelihood of a label: Gaussian with
variance ``stderr^2 + noise^2``; of an upper bound: the normal probability of lying below it (Tobit). Posterior: the
Laplace approximation about the mode, found by damped Gauss-Newton steps. Amplitude and noise: the maximum of the
Laplace evidence under a log-normal prior on a fixed grid, since with a handful of labels the evidence alone may choose
anything.

Where the labels' potential has an error of its own for each compound (deviation t, the same in all labels of one
compound), the level has one more, independent part for each labelled compound, of deviation t: to other compounds a
label says ``stderr^2 + noise^2 + t^2``, while several labels of one compound do not average the error away.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np

from vitrion_models.surrogates.arrhenius import EV_PER_SLOPE, positive
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.system import FloatArray, IntArray

SHARPNESS = 3.0
AMPLITUDES = (0.15, 0.3, 0.6)
NOISES = (0.03, 0.05, 0.08, 0.13, 0.2, 0.32, 0.5)
TYPICAL_AMPLITUDE, AMPLITUDE_FACTOR = 0.3, 1.7
TYPICAL_NOISE, NOISE_FACTOR = 0.08, 2.0
MOST_STEPS = 40
TOLERANCE = 1e-9
SMALLEST_DAMPING = 1e-4


@dataclass(frozen=True, eq=False)
class Labels:
    """Labels as arrays; n labels on S materials.

    Attributes:
        material: index of the material of each label, shape (n,).
        x: centred inverse temperature, 1000/K, shape (n,).
        y: log10 D, or its upper bound, shape (n,).
        stderr: standard errors in decades, shape (n,).
        censored: whether y is an upper bound, shape (n,).
    """

    material: IntArray
    x: FloatArray
    y: FloatArray
    stderr: FloatArray
    censored: FloatArray

    def __len__(self) -> int:
        return len(self.y)

    def subset(self, rows: IntArray) -> "Labels":
        """The labels of some rows, materials keeping their numbers."""
        return Labels(self.material[rows], self.x[rows], self.y[rows], self.stderr[rows], self.censored[rows])


@dataclass(frozen=True, eq=False)
class HeadPosterior:
    """Joint Gaussian of level and raw slope at some materials.

    Attributes:
        level: means of log10 D at the reference temperature, shape (S,).
        raw: means of the raw slope, shape (S,).
        covariance: of (level, raw slope) of all materials, levels first, shape (2 S, 2 S).
    """

    level: FloatArray
    raw: FloatArray
    covariance: FloatArray

    def moments(self, material: IntArray, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Mean and variance of log10 D (delta method) at pairs of material and inverse temperature, shapes (n,)."""
        slope, derivative = positive(self.raw[material], sharpness=SHARPNESS)
        count = len(self.level)
        gain = -x * derivative
        diagonal = np.diagonal(self.covariance)
        cross = self.covariance[material, count + material]
        variance = diagonal[material] + 2.0 * gain * cross + gain**2 * diagonal[count + material]
        return self.level[material] - slope * x, np.maximum(variance, 0.0)


@dataclass(frozen=True, eq=False)
class ArrheniusHead:
    """A fitted head: all that is needed to answer about any material.

    Attributes:
        descriptors: of the training materials, shape (S, P).
        weights: prior covariance times these, plus the prior mean, is the mode at a material, shape (2 S,).
        curvature: level-level, level-slope and slope-slope curvature of the likelihood at the mode, shape (3, S).
        amplitude: of the processes, decades.
        noise: model noise, decades.
        config: priors.
        own: deviation of the error that a training material's compound has for itself, in the compound's column,
            shape (S, C).
    """

    descriptors: FloatArray
    weights: FloatArray
    curvature: FloatArray
    amplitude: float
    noise: float
    config: SurrogateConfig
    own: FloatArray

    def posterior(self, descriptors: FloatArray, own: FloatArray | None = None) -> HeadPosterior:
        """Joint posterior at materials.

        Args:
            descriptors: of the materials, shape (m, P).
            own: deviations of their compounds' own errors, shape (m, C); none when None. Only those of labelled
                compounds enter: of others nothing is known, and no prediction is widened by them.
        """
        prior = _Prior(self.config, self.amplitude)
        mine = np.zeros((len(descriptors), self.own.shape[1])) if own is None else own * self.own.any(axis=0)
        here = prior.covariance(descriptors, descriptors, mine @ mine.T)
        level, raw = prior.means(len(descriptors))
        if not len(self.descriptors):
            return HeadPosterior(level, raw, here)
        across = prior.covariance(descriptors, self.descriptors, mine @ self.own.T)
        among = prior.covariance(self.descriptors, self.descriptors, self.own @ self.own.T)
        curvature = _blocks(self.curvature)
        gain = np.linalg.solve(np.eye(len(among)) + curvature @ among, curvature)
        covariance = here - across @ gain @ across.T
        shift = across @ self.weights
        count = len(descriptors)
        return HeadPosterior(level + shift[:count], raw + shift[count:], 0.5 * (covariance + covariance.T))


@dataclass(frozen=True)
class _Prior:
    config: SurrogateConfig
    amplitude: float

    def means(self, count: int) -> tuple[FloatArray, FloatArray]:
        slope = self.config.prior_Ea_eV / EV_PER_SLOPE
        # Inverse of the softplus, so that the prior's activation energy is the one stated.
        raw = np.log(np.expm1(SHARPNESS * slope)) / SHARPNESS
        return np.full(count, self.config.prior_level), np.full(count, raw)

    def covariance(self, one: FloatArray, other: FloatArray, own: FloatArray) -> FloatArray:
        """Between materials with these descriptors; `own` is the covariance of their compounds' own errors."""
        columns = one.shape[1]
        products = one @ other.T / columns
        squares = (one**2).sum(axis=1)[:, None] / columns + (other**2).sum(axis=1)[None] / columns - 2.0 * products
        smooth = np.exp(-0.5 * np.maximum(squares, 0.0) / self.config.length_scale**2)
        shared = self.amplitude**2 * (smooth + products)
        slope_std = self.config.prior_Ea_std_eV / EV_PER_SLOPE
        zero = np.zeros_like(shared)
        return np.block([[shared + self.config.prior_level_std**2 + own, zero], [zero, shared + slope_std**2]])


def fit_head(
    descriptors: FloatArray, labels: Labels, config: SurrogateConfig, *, own: FloatArray | None = None
) -> ArrheniusHead:
    """Fit a head, amplitude and noise chosen by the evidence.

    Args:
        descriptors: of the materials, shape (S, P).
        labels: at least one.
        config: priors.
        own: deviations of the compounds' own errors, shape (S, C), see `ArrheniusHead`; none when None.
    """
    used, local = np.unique(labels.material, return_inverse=True)
    chosen, mine = descriptors[used], _own(own, used)
    relabelled = Labels(local, labels.x, labels.y, labels.stderr, labels.censored)
    best: tuple[float, ArrheniusHead] | None = None
    for amplitude, noise in product(AMPLITUDES, NOISES):
        head, evidence = _laplace(chosen, relabelled, config, amplitude=amplitude, noise=noise, own=mine)
        score = evidence + _log_prior(amplitude, noise)
        if best is None or score > best[0]:
            best = (score, head)
    if best is None:
        raise ValueError("the grid of hyper-parameters is empty")
    return best[1]


def refit_head(
    descriptors: FloatArray,
    labels: Labels,
    config: SurrogateConfig,
    *,
    amplitude: float,
    noise: float,
    own: FloatArray | None = None,
) -> ArrheniusHead:
    """Fit a head with amplitude and noise as given; without any label it is the prior."""
    used, local = np.unique(labels.material, return_inverse=True)
    relabelled = Labels(local.astype(np.int64), labels.x, labels.y, labels.stderr, labels.censored)
    mine = _own(own, used)
    return _laplace(descriptors[used], relabelled, config, amplitude=amplitude, noise=noise, own=mine)[0]


def _own(own: FloatArray | None, used: IntArray) -> FloatArray:
    return np.zeros((len(used), 0)) if own is None else own[used]


def _log_prior(amplitude: float, noise: float) -> float:
    a = np.log(amplitude / TYPICAL_AMPLITUDE) / np.log(AMPLITUDE_FACTOR)
    n = np.log(noise / TYPICAL_NOISE) / np.log(NOISE_FACTOR)
    return float(-0.5 * (a**2 + n**2))


def _laplace(
    descriptors: FloatArray,
    labels: Labels,
    config: SurrogateConfig,
    *,
    amplitude: float,
    noise: float,
    own: FloatArray,
) -> tuple[ArrheniusHead, float]:
    """Mode by damped Gauss-Newton in function space, and the log evidence there."""
    prior = _Prior(config, amplitude)
    count = len(descriptors)
    covariance = prior.covariance(descriptors, descriptors, own @ own.T)
    mean = np.concatenate(prior.means(count))
    weights = np.zeros(2 * count)
    identity = np.eye(2 * count)

    def objective(candidate: FloatArray) -> float:
        shift = covariance @ candidate
        return _log_likelihood(labels, mean + shift, noise) - 0.5 * float(candidate @ shift)

    value = objective(weights)
    for _ in range(MOST_STEPS):
        shift = covariance @ weights
        gradient, curvature = _derivatives(labels, mean + shift, noise)
        blocks = _blocks(curvature)
        target = np.linalg.solve(identity + blocks @ covariance, blocks @ shift + gradient)
        damping = 1.0
        while (trial := objective(weights + damping * (target - weights))) < value and damping > SMALLEST_DAMPING:
            damping *= 0.5
        if trial <= value + TOLERANCE:
            break
        weights, value = weights + damping * (target - weights), trial
    _, curvature = _derivatives(labels, mean + covariance @ weights, noise)
    _, log_determinant = np.linalg.slogdet(identity + _blocks(curvature) @ covariance)
    head = ArrheniusHead(descriptors, weights, curvature, amplitude, noise, config, own)
    return head, value - 0.5 * float(log_determinant)


def _blocks(curvature: FloatArray) -> FloatArray:
    level, cross, slope = (np.diag(row) for row in curvature)
    return np.block([[level, cross], [cross, slope]])


def _predicted(labels: Labels, state: FloatArray) -> tuple[FloatArray, FloatArray]:
    count = len(state) // 2
    slope, derivative = positive(state[count:][labels.material], sharpness=SHARPNESS)
    return state[:count][labels.material] - slope * labels.x, -labels.x * derivative


def _log_likelihood(labels: Labels, state: FloatArray, noise: float) -> float:
    from scipy.special import log_ndtr  # noqa: PLC0415 - slow to import, and needed while training only

    mean, _ = _predicted(labels, state)
    sigma = np.sqrt(labels.stderr**2 + noise**2)
    z = (labels.y - mean) / sigma
    gaussian = -0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    return float(np.where(labels.censored > 0, log_ndtr(z), gaussian).sum())


def _derivatives(labels: Labels, state: FloatArray, noise: float) -> tuple[FloatArray, FloatArray]:
    """Gradient over (levels, raw slopes), shape (2 S,), and the Gauss-Newton curvature, shape (3, S)."""
    from scipy.special import log_ndtr  # noqa: PLC0415 - slow to import, and needed while training only

    count = len(state) // 2
    mean, gain = _predicted(labels, state)
    sigma = np.sqrt(labels.stderr**2 + noise**2)
    z = (labels.y - mean) / sigma
    # Inverse Mills ratio; through logarithms, since both its terms underflow far above a bound.
    mills = np.exp(-0.5 * z**2 - 0.5 * np.log(2 * np.pi) - log_ndtr(z))
    bound = labels.censored > 0
    first = np.where(bound, -mills, z) / sigma
    second = np.where(bound, np.clip(mills * (z + mills), 0.0, 1.0), 1.0) / sigma**2

    def total(values: FloatArray) -> FloatArray:
        summed: FloatArray = np.bincount(labels.material, weights=values, minlength=count).astype(np.float64)
        return summed

    gradient = np.concatenate([total(first), total(first * gain)])
    return gradient, np.stack([total(second), total(second * gain), total(second * gain**2)])
