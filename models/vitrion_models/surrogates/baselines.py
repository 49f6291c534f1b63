"""Baselines of a surrogate, fitted on the same labels: temperature alone, and a random forest on descriptors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrion_models.heads.arrhenius import ArrheniusPrior, fit_head
from vitrion_models.heads.likelihood import Labels
from vitrion_models.system import FloatArray

TREES = 200


@dataclass(frozen=True)
class TemperatureOnly:
    """One Arrhenius law for all materials.

    Attributes:
        level: log10 D at the reference temperature.
        slope: decades per 1000/K, never negative.
    """

    level: float
    slope: float

    def predict(self, x: FloatArray) -> FloatArray:
        """Return log10 D at centred inverse temperatures (1000/K), both (n,)."""
        predicted: FloatArray = self.level - self.slope * x
        return predicted


def fit_temperature_only(labels: Labels, prior: ArrheniusPrior) -> TemperatureOnly:
    """Fit one Arrhenius law to all labels: the head with equal embeddings, so bounds and errors count as there."""
    pooled = Labels(np.zeros(len(labels), dtype=np.int64), labels.x, labels.y, labels.stderr, labels.censored)
    posterior = fit_head(np.zeros((1, 1)), pooled, prior).posterior(np.zeros((1, 1)))
    at_x, _ = posterior.moments(np.zeros(2, dtype=np.int64), np.array([0.0, 1.0]))
    return TemperatureOnly(level=float(at_x[0]), slope=float(at_x[0] - at_x[1]))


@dataclass(frozen=True, eq=False)
class Forest:
    """Random forest on descriptors and inverse temperature; upper bounds count as values."""

    model: Any

    def predict(self, descriptors: FloatArray, x: FloatArray) -> FloatArray:
        """Return log10 D, shape (n,), of descriptors (n, P) at centred inverse temperatures (1000/K, (n,))."""
        predicted: FloatArray = self.model.predict(np.column_stack([descriptors, x]))
        return predicted


def fit_forest(descriptors: FloatArray, x: FloatArray, y: FloatArray, *, seed: int) -> Forest:
    """Fit a random forest (scikit-learn).

    Args:
        descriptors: one row for each label, shape (n, P).
        x: centred inverse temperatures, 1000/K, shape (n,).
        y: log10 D, shape (n,).
        seed: of the forest.
    """
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - slow to import

    model = RandomForestRegressor(TREES, random_state=seed, n_jobs=1)
    return Forest(model.fit(np.column_stack([descriptors, x]), y))
