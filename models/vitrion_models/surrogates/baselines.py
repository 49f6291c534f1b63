"""What a surrogate must beat, fitted on the same labels: temperature alone, and a random forest on descriptors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrion_models.surrogates.arrhenius_gnn.head import Labels, fit_head
from vitrion_models.surrogates.config import SurrogateConfig
from vitrion_models.system import FloatArray

TREES = 200


@dataclass(frozen=True, eq=False)
class TemperatureOnly:
    """One Arrhenius law for all materials.

    Attributes:
        level: log10 D at the reference temperature.
        slope: decades per 1000/K, never negative.
    """

    level: float
    slope: float

    def predict(self, x: FloatArray) -> FloatArray:
        """log10 D at centred inverse temperatures, shape (n,)."""
        predicted: FloatArray = self.level - self.slope * x
        return predicted


def fit_temperature_only(labels: Labels, config: SurrogateConfig) -> TemperatureOnly:
    """One law for all labels: the head with nothing to tell materials apart, so bounds and errors count as there."""
    one = Labels(np.zeros(len(labels), dtype=np.int64), labels.x, labels.y, labels.stderr, labels.censored)
    head = fit_head(np.zeros((1, 1)), one, config)
    posterior = head.posterior(np.zeros((1, 1)))
    both, _ = posterior.moments(np.zeros(2, dtype=np.int64), np.array([0.0, 1.0]))
    return TemperatureOnly(level=float(both[0]), slope=float(both[0] - both[1]))


@dataclass(frozen=True, eq=False)
class Forest:
    """Random forest on descriptors and inverse temperature; upper bounds count as values."""

    model: Any

    def predict(self, descriptors: FloatArray, x: FloatArray) -> FloatArray:
        """log10 D of rows of descriptors (n, P) at centred inverse temperatures (n,)."""
        predicted: FloatArray = self.model.predict(np.column_stack([descriptors, x]))
        return predicted


def fit_forest(descriptors: FloatArray, x: FloatArray, y: FloatArray, *, seed: int) -> Forest:
    """Fit a random forest (scikit-learn) on one row a label."""
    from sklearn.ensemble import RandomForestRegressor  # noqa: PLC0415 - slow to import

    model = RandomForestRegressor(TREES, random_state=seed, n_jobs=1)
    return Forest(model.fit(np.column_stack([descriptors, x]), y))
