"""Prediction of one target for n inputs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrion_models.system import FloatArray
from vitrion_models.targets import Target


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predictions of a target for n inputs, in the target's transformed scale.

    Attributes:
        target: the predicted quantity.
        mean: shape (n, *target.shape), as all arrays down to `upper_95`.
        std: epistemic standard deviation: more labels reduce it.
        noise_std: standard deviation of a new label about a perfect model (model noise and label error).
        lower_95: lower end of the interval that holds a new label with a probability of 95 %.
        upper_95: upper end.
        extrapolating: True where the input lies outside the domain of the training data, shape (n,).
        reasons: why, one text for each input; empty inside the domain.
    """

    target: Target
    mean: FloatArray
    std: FloatArray
    noise_std: FloatArray
    lower_95: FloatArray
    upper_95: FloatArray
    extrapolating: NDArray[np.bool_]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def label_std(self) -> FloatArray:
        """Standard deviation of a new label about the mean, shape (n, *target.shape)."""
        total: FloatArray = np.sqrt(self.std**2 + self.noise_std**2)
        return total
