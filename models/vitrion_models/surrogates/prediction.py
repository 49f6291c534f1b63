"""What a surrogate answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from vitrion_models.system import FloatArray


@dataclass(frozen=True, eq=False)
class Prediction:
    """Diffusivities of n pairs of material and temperature; all arrays have shape (n,).

    Attributes:
        temperatures_K: temperatures asked for.
        mean: log10 D, D in cm2/s.
        std: standard deviation of the model's ignorance (epistemic), decades.
        noise_std: standard deviation that a label keeps beside a perfect model (model noise and label error), decades.
        lower_95: lower end of the interval that holds a new label with a chance of 95 %.
        upper_95: upper end.
        log10_D0: logarithm of the prefactor, D0 in cm2/s.
        Ea_eV: activation energy, never negative.
        extrapolating: whether the question lies outside of what was trained on.
        reasons: why, one text for each; empty where it does not.
    """

    temperatures_K: FloatArray
    mean: FloatArray
    std: FloatArray
    noise_std: FloatArray
    lower_95: FloatArray
    upper_95: FloatArray
    log10_D0: FloatArray
    Ea_eV: FloatArray
    extrapolating: NDArray[np.bool_]
    reasons: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.mean)

    @property
    def label_std(self) -> FloatArray:
        """Standard deviation expected of a new label about the mean, decades."""
        total: FloatArray = np.sqrt(self.std**2 + self.noise_std**2)
        return total
