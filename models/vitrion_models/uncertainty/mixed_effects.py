"""Linear mixed models: sums of Gaussian effects that observations share, in closed form.

An observation is y = sum_e a_e u_e + noise. The effects u_e ~ N(0, d_e^2) are independent beforehand; the coefficients
a_e and the noise s are given. Two observations are correlated through the effects that both contain, so that few
observations of one group are drawn towards those of related ones (Gelman et al., *Bayesian Data Analysis*, 3rd edition,
2013, chapters 5 and 15). With coefficients A the values are Gaussian with covariance C = A diag(d^2) A^T + diag(s^2),
from which posterior and marginal likelihood follow (Rasmussen and Williams, *Gaussian Processes for Machine Learning*,
2006, equations 2.19 and 2.30).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from scipy.linalg import cho_solve, solve_triangular
from scipy.sparse import csr_array

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

Effect: TypeAlias = tuple[str, ...]
"""Name of an effect: its kind, then what it belongs to, such as ``("level", "nep89", "oxide")``."""

Effects: TypeAlias = Mapping[Effect, float]
"""Coefficient of each effect in a sum."""

Deviation: TypeAlias = Callable[[Effect], float]
"""Standard deviation of an effect before any observation."""


@dataclass(frozen=True)
class Observation:
    """One measured sum of effects.

    Attributes:
        value: measured value.
        stderr: its standard error, positive.
        effects: coefficients of the sum.
    """

    value: float
    stderr: float
    effects: Effects


@dataclass(frozen=True, eq=False)
class Posterior:
    """Joint Gaussian posterior of effects.

    Attributes:
        deviation: prior standard deviation of an effect.
        places: column of each observed effect.
        whitened: L^-1 A diag(d^2) with C = L L^T, shape (N, E).
        values: L^-1 y, shape (N,).
    """

    deviation: Deviation
    places: Mapping[Effect, int]
    whitened: FloatArray
    values: FloatArray

    def moments(self, sums: Sequence[Effects]) -> tuple[FloatArray, FloatArray]:
        """Return mean, shape (S,), and covariance, shape (S, S), of several sums of effects.

        An effect without observations keeps its prior and is independent of all others.

        Args:
            sums: coefficients of each sum.
        """
        effects = list(dict.fromkeys(effect for entry in sums for effect in entry))
        coefficients = np.array([[entry.get(effect, 0.0) for effect in effects] for entry in sums])
        prior = coefficients * np.array([self.deviation(effect) for effect in effects])
        observed = [column for column, effect in enumerate(effects) if effect in self.places]
        columns = [self.places[effects[column]] for column in observed]
        shared = self.whitened[:, columns] @ coefficients[:, observed].T
        return self.values @ shared, prior @ prior.T - shared.T @ shared


class MixedModel:
    """Observations of sums of effects."""

    def __init__(self, observations: Sequence[Observation]) -> None:
        """Collect the coefficients of all effects.

        Args:
            observations: any number; without any the posterior is the prior.

        Raises:
            InputError: an observation that is not finite, or has an error that is not positive.
        """
        for entry in observations:
            if not (math.isfinite(entry.value) and math.isfinite(entry.stderr) and entry.stderr > 0):
                raise InputError(f"comparison {entry.value} +- {entry.stderr}: give a finite value, a positive error")
        self.observations = tuple(observations)
        effects = dict.fromkeys(effect for entry in observations for effect in entry.effects)
        self.places = {effect: column for column, effect in enumerate(effects)}
        self.values = np.array([entry.value for entry in observations], dtype=float)

    @cached_property
    def coefficients(self) -> csr_array:
        """Coefficients A, shape (N, E): sparse, since an observation has few of all effects."""
        rows = [row for row, entry in enumerate(self.observations) for _ in entry.effects]
        columns = [self.places[effect] for entry in self.observations for effect in entry.effects]
        values = [value for entry in self.observations for value in entry.effects.values()]
        return csr_array((values, (rows, columns)), shape=(len(self.observations), len(self.places)), dtype=float)

    def infer(self, deviation: Deviation) -> Posterior:
        """Return the posterior of all effects from all observations together.

        Args:
            deviation: prior standard deviation of an effect.
        """
        deviations = self._deviations(deviation)
        factor = self._factor(deviations)
        values = solve_triangular(factor, self.values, lower=True)
        whitened = solve_triangular(factor, self.coefficients.toarray() * deviations**2, lower=True)
        return Posterior(deviation, self.places, whitened, values)

    def log_marginal_likelihood(self, deviation: Deviation) -> tuple[float, FloatArray]:
        """Return the logarithm of the probability density of all values, effects integrated out, and its gradient.

        The deviations that maximize it are those of empirical Bayes. The gradient is that to the logarithm of each
        effect's deviation, d_e^2 ((a_e C^-1 y)^2 - a_e C^-1 a_e), shape (E,) in the order of `places` (Rasmussen and
        Williams, equation 5.9).

        Args:
            deviation: prior standard deviation of an effect.
        """
        deviations = self._deviations(deviation)
        factor = self._factor(deviations)
        white = solve_triangular(factor, self.values, lower=True)
        value = float(-0.5 * white @ white - np.log(np.diag(factor) * math.sqrt(2 * math.pi)).sum())
        weights = solve_triangular(factor, white, lower=True, trans=1)
        inverse = cho_solve((factor, True), np.eye(len(factor)))
        transposed = self.coefficients.T.tocsr()
        expected = np.asarray(transposed.multiply(transposed @ inverse).sum(axis=1)).ravel()
        return value, deviations**2 * ((transposed @ weights) ** 2 - expected)

    def _deviations(self, deviation: Deviation) -> FloatArray:
        return np.array([deviation(effect) for effect in self.places], dtype=float)

    def _factor(self, deviations: FloatArray) -> FloatArray:
        scaled = self.coefficients * deviations
        noise = np.array([entry.stderr**2 for entry in self.observations], dtype=float)
        return np.asarray(np.linalg.cholesky((scaled @ scaled.T).toarray() + np.diag(noise)), dtype=np.float64)
