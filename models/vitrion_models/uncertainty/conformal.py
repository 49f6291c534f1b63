"""Conformal intervals for new groups (compounds), valid for any model, with a Student-t fallback for few groups.

A score is a cross-validated residual over the predicted standard deviation, |y - mu| / u. Groups are exchangeable, rows
(four temperatures of one compound) are not: so each group carries the mass 1 / (G + 1), shared by its rows, and the new
group carries the same mass at infinity (pooling of groups: Dunn, Wasserman, Ramdas, J. Am. Stat. Assoc. 118, 2491
(2023)). The scores come from models trained without the group (CV+: Barber et al., Ann. Stat. 49, 486 (2021), whose
worst case is 1 - 2 alpha). For a level of 95 % the quantile is finite from G = 19 on.

Below that no distribution-free interval exists. The fallback is the Student-t predictive interval of a normal model of
the scores with a conjugate prior worth `PRIOR_GROUPS` groups, whose scale the caller states: wide with a handful of
labels, and finite even with none.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

PRIOR_GROUPS = 3.0


@dataclass(frozen=True)
class ScoreQuantile:
    """Factor from a standard deviation to the half-width of an interval.

    Attributes:
        factor: half-width over standard deviation.
        method: ``conformal``, or ``student`` with too few groups.
        groups: number of calibration groups.
        level: nominal coverage.
    """

    factor: float
    method: str
    groups: int
    level: float


def grouped_quantile(scores: FloatArray, groups: Sequence[str], *, level: float) -> float:
    """Return the conformal quantile of scores, every group with equal weight; infinite with too few groups.

    Args:
        scores: absolute, scaled, cross-validated residuals, shape (n,).
        groups: group of each score.
        level: nominal coverage, for example 0.95.

    Raises:
        InputError: scores and groups differ in length, a score is not finite, or the level is not within (0, 1).
    """
    values = np.asarray(scores, dtype=float)
    if values.shape != (len(groups),) or not np.isfinite(values).all():
        raise InputError("a conformal interval needs one finite score for each group entry")
    if not 0.0 < level < 1.0:
        raise InputError(f"coverage level {level}: give a number between 0 and 1")
    if not len(values):
        return math.inf
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    mass = 1.0 / (np.bincount(index)[index] * (len(names) + 1))
    order = np.argsort(values, kind="stable")
    reached = np.cumsum(mass[order])
    # The tolerance absorbs the rounding of the sum.
    enough = np.flatnonzero(reached >= level - 1e-12)
    return float(values[order][enough[0]]) if len(enough) else math.inf


def student_factor(scores: FloatArray, groups: Sequence[str], *, level: float, prior_scale: float) -> float:
    """Return the half-width factor of the Student-t predictive interval; a group counts as one observation.

    With G groups of mean squared score z_g^2 and a prior worth nu0 groups of scale s0, the predictive is Student-t with
    nu0 + G degrees of freedom and squared scale ``(nu0 s0^2 + sum_g z_g^2) / (nu0 + G)``.

    Args:
        scores: as in `grouped_quantile`; may be empty.
        groups: group of each score.
        level: nominal coverage.
        prior_scale: s0, the score expected before any label.
    """
    from scipy.stats import t as student  # noqa: PLC0415 - slow to import

    squares = 0.0
    count = 0
    if len(groups):
        _, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
        sizes = np.bincount(index)
        squares = float((np.bincount(index, weights=np.asarray(scores, dtype=float) ** 2) / sizes).sum())
        count = len(sizes)
    freedom = PRIOR_GROUPS + count
    scale = math.sqrt((PRIOR_GROUPS * prior_scale**2 + squares) / freedom)
    return float(student.ppf(0.5 + level / 2, freedom)) * scale


def score_quantile(
    scores: FloatArray,
    groups: Sequence[str],
    *,
    level: float = 0.95,
    prior_scale: float,
) -> ScoreQuantile:
    """Return the conformal factor if there are enough groups, else the Student-t factor.

    Args:
        scores: absolute, scaled, cross-validated residuals, shape (n,); may be empty.
        groups: group of each score.
        level: nominal coverage.
        prior_scale: score expected before any label; only the fallback uses it.

    Raises:
        InputError: see `grouped_quantile`.
    """
    factor, method = grouped_quantile(scores, groups, level=level), "conformal"
    if not math.isfinite(factor):
        factor, method = student_factor(scores, groups, level=level, prior_scale=prior_scale), "student"
    return ScoreQuantile(factor=factor, method=method, groups=len(set(groups)), level=level)
