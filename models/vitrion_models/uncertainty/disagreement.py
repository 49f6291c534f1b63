"""Disagreement of two methods beyond the statistical errors of both."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

FEWEST_PAIRS = 3
GRID = 200
# Largest spread of the grid over the greatest difference.
REACH = 3.0
LEVELS = (0.025, 0.5, 0.975)


@dataclass(frozen=True)
class Disagreement:
    """Differences d = log10(second / first) of pairs, as offset + true spread + the statistical error of each.

    Attributes:
        pairs: number of pairs.
        offset_decades: median of the posterior of the offset.
        offset_95: its central 95 %.
        spread_decades: median of the posterior of the true spread.
        spread_95: its central 95 %.
        statistical_decades: root mean square of the pairs' own errors, for comparison.
    """

    pairs: int
    offset_decades: float
    offset_95: tuple[float, float]
    spread_decades: float
    spread_95: tuple[float, float]
    statistical_decades: float

    @property
    def model_error_decades(self) -> float:
        """Root mean square difference of two labels without statistical errors, offset included, decades."""
        return float(np.hypot(self.offset_decades, self.spread_decades))


def disagreement(differences: Sequence[float] | FloatArray, stderr: Sequence[float] | FloatArray) -> Disagreement:
    """Estimate offset and true spread of differences with statistical errors.

    d_i ~ N(offset, spread^2 + s_i^2) with flat priors on the offset and on spread >= 0 (random effects; Gelman,
    Bayesian Anal. 1, 515, 2006). For each spread the offset is Gaussian; the spread is summed over a grid.

    Args:
        differences: log10(second / first), shape (n,), n >= 3, decades.
        stderr: standard error of each difference, shape (n,), positive, decades.

    Raises:
        InputError: fewer than three pairs, a value that is not finite, or an error that is not positive.
    """
    d, s = np.asarray(differences, dtype=np.float64), np.asarray(stderr, dtype=np.float64)
    if d.shape != s.shape or d.ndim != 1 or not (np.isfinite(d).all() and np.isfinite(s).all() and (s > 0).all()):
        raise InputError("differences need one positive, finite standard error each")
    if len(d) < FEWEST_PAIRS:
        raise InputError(f"{len(d)} pairs are too few for a disagreement: give at least {FEWEST_PAIRS}")
    widest = REACH * max(float(np.abs(d - np.median(d)).max()), float(s.max()))
    spreads = np.linspace(0.0, widest, GRID)
    weights = 1 / (spreads[:, None] ** 2 + s**2)
    total = weights.sum(axis=1)
    means = (weights @ d) / total
    logs = 0.5 * np.log(weights).sum(axis=1) - 0.5 * np.log(total)
    logs -= 0.5 * (weights * (d - means[:, None]) ** 2).sum(axis=1)
    chance = np.exp(logs - logs.max())
    chance /= chance.sum()
    spread = np.interp(LEVELS, np.cumsum(chance) - 0.5 * chance, spreads)
    offset = _mixture_quantiles(chance, means, 1 / np.sqrt(total))
    return Disagreement(
        pairs=len(d),
        offset_decades=float(offset[1]),
        offset_95=(float(offset[0]), float(offset[2])),
        spread_decades=float(spread[1]),
        spread_95=(float(spread[0]), float(spread[2])),
        statistical_decades=float(np.sqrt((s**2).mean())),
    )


def _mixture_quantiles(chance: FloatArray, means: FloatArray, widths: FloatArray) -> FloatArray:
    """Return the quantiles of a mixture of Gaussians, shape (3,)."""
    from scipy.special import ndtr  # noqa: PLC0415 - keeps the import of the package light

    grid = np.linspace(float((means - 6 * widths).min()), float((means + 6 * widths).max()), 4 * GRID)
    cumulative = chance @ ndtr((grid - means[:, None]) / widths[:, None])
    quantiles: FloatArray = np.interp(LEVELS, cumulative, grid)
    return quantiles
