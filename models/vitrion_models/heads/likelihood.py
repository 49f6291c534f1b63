"""Likelihood of diffusivity labels under the Arrhenius law: Gaussian for values, Tobit for upper bounds."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.heads.arrhenius_law import softplus
from vitrion_models.system import FloatArray, IntArray

SHARPNESS = 3.0


@dataclass(frozen=True, eq=False)
class Labels:
    """n labels on S materials as arrays.

    Attributes:
        material: index of the material of each label, shape (n,).
        x: centred inverse temperature, 1000/K, shape (n,).
        y: log10 D, or its upper bound, shape (n,).
        stderr: statistical standard error, decades, shape (n,).
        censored: 1 where y is an upper bound, else 0, shape (n,).
    """

    material: IntArray
    x: FloatArray
    y: FloatArray
    stderr: FloatArray
    censored: FloatArray

    def __len__(self) -> int:
        return len(self.y)

    def subset(self, rows: IntArray) -> "Labels":
        """Return the labels of some rows, shape (m,), with the materials numbered as before."""
        return Labels(self.material[rows], self.x[rows], self.y[rows], self.stderr[rows], self.censored[rows])


def log_likelihood(labels: Labels, state: FloatArray, noise: float) -> float:
    """Return the log likelihood of the labels.

    Args:
        labels: n labels on S materials.
        state: level and raw slope of all materials, levels first, shape (2 S,).
        noise: model noise, decades.
    """
    from scipy.special import log_ndtr  # noqa: PLC0415 - slow to import, and needed while training only

    mean, _ = _mean(labels, state)
    sigma = np.sqrt(labels.stderr**2 + noise**2)
    z = (labels.y - mean) / sigma
    gaussian = -0.5 * z**2 - np.log(sigma) - 0.5 * np.log(2 * np.pi)
    return float(np.where(labels.censored > 0, log_ndtr(z), gaussian).sum())


def derivatives(labels: Labels, state: FloatArray, noise: float) -> tuple[FloatArray, FloatArray]:
    """Return the gradient of the log likelihood and its Gauss-Newton curvature.

    Args:
        labels: n labels on S materials.
        state: as in `log_likelihood`.
        noise: model noise, decades.

    Returns:
        Gradient over (levels, raw slopes), shape (2 S,); level-level, level-slope and slope-slope curvature of each
        material, shape (3, S).
    """
    from scipy.special import log_ndtr  # noqa: PLC0415 - slow to import, and needed while training only

    count = len(state) // 2
    mean, gain = _mean(labels, state)
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


def _mean(labels: Labels, state: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return log10 D of each label and its derivative by the raw slope, both (n,)."""
    count = len(state) // 2
    slope, derivative = softplus(state[count:][labels.material], sharpness=SHARPNESS)
    return state[:count][labels.material] - slope * labels.x, -labels.x * derivative
