"""Promotion of a retrained model: paired bootstrap over groups of the frozen test."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

RESAMPLES = 4000
TIE_FRACTION = 0.1
TAILS = (2.5, 97.5)


@dataclass(frozen=True)
class PromotionDecision:
    """Outcome of a comparison on the frozen test.

    Attributes:
        promote: True if the child replaces its parent.
        reason: one line, stored with the model.
        mean_difference: mean over groups of the child's minus the parent's squared error; negative is better.
        interval: 95 % bootstrap interval of that mean, in the squared unit of the errors.
    """

    promote: bool
    reason: str
    mean_difference: float
    interval: tuple[float, float]


def compare_on_frozen_test(
    errors_parent: FloatArray,
    errors_child: FloatArray,
    *,
    groups: Sequence[str],
    seed: int,
) -> PromotionDecision:
    """Compare a child with its parent: promote it unless it is worse beyond chance or by more than a tie.

    The statistic is the mean over groups of each group's mean difference of squared errors, child minus parent. Groups
    are resampled as a whole, since errors within a group are correlated. The child was trained on more labels, so a tie
    goes to it; a small test has little power, so the point estimate must also lie within a tenth of the parent's mean
    squared error.

    Args:
        errors_parent: prediction minus label of the parent on each row of the frozen test, shape (n,), decades.
        errors_child: of the child on the same rows, shape (n,).
        groups: group of each row.
        seed: of the resampling.

    Returns:
        The decision with its statistics.

    Raises:
        InputError: different shapes, an error that is not finite, or no row.
    """
    parent, child = np.asarray(errors_parent, dtype=float), np.asarray(errors_child, dtype=float)
    if parent.shape != child.shape or parent.shape != (len(groups),) or not len(groups):
        raise InputError("parent, child and groups must have the same rows of the frozen test, at least one")
    if not (np.isfinite(parent).all() and np.isfinite(child).all()):
        raise InputError("an error on the frozen test is not a finite number")
    names, index = np.unique(np.asarray(groups, dtype=str), return_inverse=True)
    rows = np.bincount(index)
    differences = np.bincount(index, weights=child**2 - parent**2) / rows
    tie = TIE_FRACTION * float((np.bincount(index, weights=parent**2) / rows).mean())
    mean = float(differences.mean())
    draws = np.random.default_rng(seed).integers(0, len(names), size=(RESAMPLES, len(names)))
    low, high = (float(value) for value in np.percentile(differences[draws].mean(axis=1), TAILS))
    if len(names) > 1 and low > 0.0:
        promote, outcome = False, "worse beyond chance"
    elif mean > tie:
        promote, outcome = False, "worse, though not beyond chance"
    else:
        promote, outcome = True, "not worse"
    reason = (
        f"{outcome} on {len(names)} test groups: squared error {mean:+.4f} decade^2 (95 % interval {low:+.4f} to "
        f"{high:+.4f}, tie up to {tie:+.4f})"
    )
    return PromotionDecision(promote=promote, reason=reason, mean_difference=mean, interval=(low, high))
