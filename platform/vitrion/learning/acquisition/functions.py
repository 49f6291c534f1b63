"""Acquisition: which questions to put to the molecular dynamics next.

All functions work on decades (log10 D) of the candidates at the campaign's target temperature, and on those of nature:
what the potential is off by on average is taken off its D, and its own error is noise of the label that no longer run
makes smaller. Noise enters twice: a label can only move the mean as far as its errors allow, and the incumbent is the
model's mean of what was labelled, never the luckiest label.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import norm

from vitrion_models.system import FloatArray

SMALLEST_DEVIATION = 1e-6


@dataclass(frozen=True, eq=False)
class Beliefs:
    """What the surrogate believes of the candidates.

    Attributes:
        samples: log10 D of each candidate by each ensemble member, as the potential has it, shape (M, C).
        deviation: predictive standard deviation of the mean of each candidate, shape (C,).
        incumbent: the best mean of nature among what was labelled already, or None before the first label.
        label_noise: expected statistical standard error of a new label, in decades.
        model_offset: what the potential is off by on average for each candidate, decades, shape (C,).
        model_deviation: deviation of that, decades, shape (C,).
    """

    samples: FloatArray
    deviation: FloatArray
    incumbent: float | None
    label_noise: float
    model_offset: FloatArray
    model_deviation: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Mean over the members, of nature, shape (C,)."""
        mean: FloatArray = self.samples.mean(axis=0) - self.model_offset
        return mean

    def told(self, label_noise: float) -> FloatArray:
        """Deviation of the posterior mean of nature after one label, s^2 / sqrt(s^2 + t^2 + noise^2), shape (C,).

        Where the potential's own error t is large beside what is unknown, s, a label tells of the potential only.

        Args:
            label_noise: statistical standard error of the label; with 0 this is all that labels can ever tell.
        """
        square = self.deviation**2
        total = np.sqrt(square + self.model_deviation**2 + label_noise**2)
        return square / np.maximum(total, SMALLEST_DEVIATION)


AcquisitionFunction = Callable[[Beliefs, float, np.random.Generator], FloatArray]


def expected_improvement(beliefs: Beliefs, margin: float, _generator: np.random.Generator) -> FloatArray:
    """Expected improvement over the incumbent that one noisy label can show.

    With s_n = s^2 / sqrt(s^2 + t^2 + noise^2), the deviation of the posterior mean after one label (knowledge-gradient
    form; Frazier et al., INFORMS J. Comput. 21, 599 (2009)): EI = s_n (z Phi(z) + phi(z)),
    z = (mean - incumbent - xi) / s_n, xi a hundredth of a decade times the margin.
    """
    deviation = np.maximum(beliefs.told(beliefs.label_noise), SMALLEST_DEVIATION)
    incumbent = float(beliefs.mean.max()) if beliefs.incumbent is None else beliefs.incumbent
    z = (beliefs.mean - incumbent - 0.01 * margin) / deviation
    value: FloatArray = deviation * (z * norm.cdf(z) + norm.pdf(z))
    return value


def upper_confidence_bound(beliefs: Beliefs, margin: float, _generator: np.random.Generator) -> FloatArray:
    """Mean plus margin times the deviation that labels can take away (Srinivas et al., ICML 2010)."""
    return beliefs.mean + margin * beliefs.told(0.0)


def thompson(beliefs: Beliefs, _margin: float, generator: np.random.Generator) -> FloatArray:
    """One draw from the ensemble for all candidates, as wide as what labels can take away (Thompson 1933)."""
    member = beliefs.samples[generator.integers(len(beliefs.samples))]
    spread = np.maximum(beliefs.samples.std(axis=0), SMALLEST_DEVIATION)
    value: FloatArray = beliefs.mean + (member - beliefs.samples.mean(axis=0)) * beliefs.told(0.0) / spread
    return value


FUNCTIONS: dict[str, AcquisitionFunction] = {
    "expected_improvement": expected_improvement,
    "upper_confidence_bound": upper_confidence_bound,
    "thompson": thompson,
}


def choose_batch(
    name: str,
    beliefs: Beliefs,
    *,
    count: int,
    margin: float,
    kinship: FloatArray,
    seed: int,
) -> list[tuple[int, float]]:
    """Choose a diverse batch, one candidate after another.

    After each choice the candidates akin to it lose deviation as if its label had come in (Gaussian conditioning of a
    pair with correlation k: s^2 -> s^2 (1 - k^2 s_b^2 / (s_b^2 + t_b^2 + noise^2)), s_b the deviation of the chosen
    one), so that a second, nearly equal candidate is only taken when nothing else promises more.

    Args:
        name: key of `FUNCTIONS`.
        beliefs: what the surrogate believes.
        count: how many to choose.
        margin: exploration weight.
        kinship: correlation of the candidates' unknowns, shape (C, C), one on the diagonal.
        seed: for Thompson draws.

    Returns:
        (candidate, acquisition value when chosen) in order of choice; at most C entries, none twice.
    """
    generator = np.random.default_rng(seed)
    deviation = beliefs.deviation.astype(float).copy()
    left = np.ones(len(deviation), dtype=bool)
    chosen: list[tuple[int, float]] = []
    while len(chosen) < count and left.any():
        current = replace(beliefs, deviation=deviation)
        value = np.where(left, FUNCTIONS[name](current, margin, generator), -np.inf)
        best = int(np.argmax(value))
        chosen.append((best, float(value[best])))
        left[best] = False
        noise = beliefs.label_noise**2 + beliefs.model_deviation[best] ** 2
        gain = deviation[best] ** 2 / (deviation[best] ** 2 + noise)
        deviation = deviation * np.sqrt(np.maximum(1.0 - kinship[best] ** 2 * gain, 0.0))
    return chosen


def choose_random(count: int, candidates: int, *, seed: int) -> list[int]:
    """The permanent random arm: a uniform choice without repetition."""
    generator = np.random.default_rng(seed)
    return [int(index) for index in generator.permutation(candidates)[:count]]
