"""Acquisition functions: the value of labelling a candidate next, and batches chosen by it.

All work on log10 D (decades) at the target temperature of the campaign, corrected by the mean error of the potential.
Symbols: s, standard deviation of the surrogate's prediction; t, standard deviation of the potential's own error, noise
that a longer run does not reduce; n, statistical standard error of a label; f*, the incumbent: the best predicted mean
among the labelled candidates, never the luckiest label.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from vitrion_models.system import FloatArray

SMALLEST_DEVIATION = 1e-6
EI_MARGIN_DECADES = 0.01


@dataclass(frozen=True, eq=False)
class Predictions:
    """Predictions of the surrogate for C candidates by M ensemble members.

    Attributes:
        samples: log10 D that the labelling potential would give, shape (M, C).
        deviation: s, predictive standard deviation of the mean, decades, shape (C,).
        incumbent: f*, the best corrected mean among the labelled candidates, or None before the first label.
        label_noise: n, expected statistical standard error of a new label, decades.
        model_offset: mean error of the potential, decades, shape (C,).
        model_deviation: t, standard deviation of that error, decades, shape (C,).
    """

    samples: FloatArray
    deviation: FloatArray
    incumbent: float | None
    label_noise: float
    model_offset: FloatArray
    model_deviation: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Ensemble mean of log10 D, corrected by the mean error of the potential, shape (C,)."""
        mean: FloatArray = self.samples.mean(axis=0) - self.model_offset
        return mean

    def sigma_tilde(self, label_noise: float) -> FloatArray:
        """Return the standard deviation of the change of the posterior mean caused by one new label, shape (C,).

        s^2 / sqrt(s^2 + t^2 + n^2) (Frazier et al., INFORMS J. Comput. 21, 599 (2009)). Where t is large beside
        s, a label says more about the potential than about the material.

        Args:
            label_noise: n, decades; with 0, the limit of infinitely long runs.
        """
        variance = self.deviation**2
        total = np.sqrt(variance + self.model_deviation**2 + label_noise**2)
        return variance / np.maximum(total, SMALLEST_DEVIATION)


AcquisitionFunction = Callable[[Predictions, float, np.random.Generator], FloatArray]
"""Predictions, exploration weight and random generator -> value of each candidate, shape (C,)."""


def expected_improvement(predictions: Predictions, exploration: float, _rng: np.random.Generator) -> FloatArray:
    """Return the expected improvement over the incumbent that one noisy label can show, decades, shape (C,).

    EI = sigma_tilde (z Phi(z) + phi(z)), z = (mean - f* - xi) / sigma_tilde (knowledge-gradient form of Frazier et al.
    2009), with the margin xi = 0.01 decades x `exploration`.
    """
    incumbent = float(predictions.mean.max()) if predictions.incumbent is None else predictions.incumbent
    return mean_improvement(
        predictions.mean - incumbent - EI_MARGIN_DECADES * exploration,
        predictions.sigma_tilde(predictions.label_noise),
    )


def mean_improvement(mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return the mean of the positive part of a Gaussian, of any shape: sigma (z Phi(z) + phi(z)), z = mean / sigma."""
    sigma = np.maximum(deviation, SMALLEST_DEVIATION)
    z = mean / sigma
    value: FloatArray = sigma * (z * norm.cdf(z) + norm.pdf(z))
    return value


def upper_confidence_bound(predictions: Predictions, exploration: float, _rng: np.random.Generator) -> FloatArray:
    """Return mean + beta sigma_tilde(0) with beta = `exploration`, shape (C,) (Srinivas et al., ICML 2010)."""
    return predictions.mean + exploration * predictions.sigma_tilde(0.0)


def thompson(predictions: Predictions, _exploration: float, rng: np.random.Generator) -> FloatArray:
    """Return one draw from the ensemble, scaled to the deviation that labels can remove, shape (C,) (Thompson 1933)."""
    member = predictions.samples[rng.integers(len(predictions.samples))]
    spread = np.maximum(predictions.samples.std(axis=0), SMALLEST_DEVIATION)
    deviation = predictions.sigma_tilde(0.0)
    value: FloatArray = predictions.mean + (member - predictions.samples.mean(axis=0)) * deviation / spread
    return value


FUNCTIONS: dict[str, AcquisitionFunction] = {
    "expected_improvement": expected_improvement,
    "upper_confidence_bound": upper_confidence_bound,
    "thompson": thompson,
}


def choose_batch(
    name: str,
    predictions: Predictions,
    *,
    count: int,
    exploration: float,
    correlation: FloatArray,
    seed: int,
) -> list[tuple[int, float]]:
    """Choose a diverse batch greedily.

    After each choice b, the deviations of the other candidates shrink as if its label had arrived (Gaussian
    conditioning of a pair with correlation r: s^2 -> s^2 (1 - r^2 s_b^2 / (s_b^2 + t_b^2 + n^2))), so that a similar
    candidate is taken only where no other promises more.

    Args:
        name: key of `FUNCTIONS`.
        predictions: of all candidates.
        count: number to choose.
        exploration: weight of exploration.
        correlation: between the candidates, shape (C, C), one on the diagonal.
        seed: of Thompson sampling.

    Returns:
        (candidate, acquisition value when chosen) in order of choice; at most C entries, all different.
    """
    rng = np.random.default_rng(seed)
    deviation = predictions.deviation.astype(float).copy()
    available = np.ones(len(deviation), dtype=bool)
    chosen: list[tuple[int, float]] = []
    while len(chosen) < count and available.any():
        current = replace(predictions, deviation=deviation)
        value = np.where(available, FUNCTIONS[name](current, exploration, rng), -np.inf)
        best = int(np.argmax(value))
        chosen.append((best, float(value[best])))
        available[best] = False
        noise = predictions.label_noise**2 + predictions.model_deviation[best] ** 2
        gain = deviation[best] ** 2 / (deviation[best] ** 2 + noise)
        deviation = deviation * np.sqrt(np.maximum(1.0 - correlation[best] ** 2 * gain, 0.0))
    return chosen


def choose_random(count: int, candidates: int, *, seed: int) -> list[int]:
    """Return `count` of the candidates' indices, drawn uniformly without repetition: the random arm."""
    rng = np.random.default_rng(seed)
    return [int(index) for index in rng.permutation(candidates)[:count]]
