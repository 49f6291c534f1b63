"""Statistics of the report: difference of means, coverage, interval of a proportion."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri, stdtrit

POWER = 0.8
FEWEST_PER_ARM = 2


@dataclass(frozen=True)
class Difference:
    """Difference of two means with its 95 % interval, in the unit of the values.

    Attributes:
        value: first mean minus second.
        low: lower end of the interval.
        high: upper end.
        detectable: difference that this number of values detects with 80 % power at the 5 % level.
    """

    value: float
    low: float
    high: float
    detectable: float

    @property
    def decided(self) -> bool:
        """True if the interval excludes zero."""
        return self.low > 0 or self.high < 0


def difference_of_means(first: Sequence[float], second: Sequence[float]) -> Difference | None:
    """Return the difference of two means with Welch's interval (Biometrika 34, 28 (1947)).

    Returns:
        The difference, or None where an arm has fewer than two values or neither varies.
    """
    if min(len(first), len(second)) < FEWEST_PER_ARM:
        return None
    a, b = np.asarray(first, dtype=float), np.asarray(second, dtype=float)
    parts = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    error = math.sqrt(sum(parts))
    if error == 0.0:
        return None
    freedom = sum(parts) ** 2 / (parts[0] ** 2 / (len(a) - 1) + parts[1] ** 2 / (len(b) - 1))
    half = float(stdtrit(freedom, 0.975)) * error
    value = float(a.mean() - b.mean())
    detectable = float(stdtrit(freedom, 0.975) + ndtri(POWER)) * error
    return Difference(value, value - half, value + half, detectable)


def central_coverage(residuals: Sequence[float], deviations: Sequence[float], level: float) -> tuple[int, int]:
    """Return the number of residuals inside the central Gaussian interval of a nominal level, and their total."""
    limit = float(ndtri(0.5 + level / 2))
    inside = sum(abs(r) <= limit * s for r, s in zip(residuals, deviations, strict=True))
    return inside, len(residuals)


def wilson(successes: int, count: int) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson, J. Am. Stat. Assoc. 22, 209 (1927))."""
    z = float(ndtri(0.975))
    share = successes / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z / (1 + z * z / count) * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return centre - half, centre + half
