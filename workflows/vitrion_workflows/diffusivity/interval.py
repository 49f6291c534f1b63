"""Confidence intervals of a diffusivity: positive, and wide where few displacements were observed."""

from dataclasses import dataclass

import numpy as np
from scipy import special

LOG10 = float(np.log(10.0))
# Of a normal distribution, beyond one standard deviation on one side.
ONE_SIGMA_TAIL = float(special.ndtr(-1.0))
# Squared displacement of a free ion in three dimensions: variance over square of the mean.
RELATIVE_VARIANCE_3D = 2.0 / 3.0


@dataclass(frozen=True)
class Intervals:
    """Uncertainty of a positive estimate.

    Attributes:
        interval_68: central interval, same unit as the estimate.
        interval_95: as above.
        log10_stderr: standard error of the decimal logarithm.
        n_eff: number of independent three-dimensional squared displacements with the same uncertainty.
        upper_95: one-sided 95 % upper bound.
    """

    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    log10_stderr: float
    n_eff: float
    upper_95: float


def gamma_intervals(estimate: float, variance: float, *, degrees_of_freedom: float = float("inf")) -> Intervals:
    """Compute the intervals of an average of squared displacements.

    Such an average follows a gamma distribution of shape k = estimate^2 / variance, exactly so for independent
    Gaussian displacements, and is skewed where k is small. The interval for the mean is
    estimate * k / gamma_quantile(k, p). Where the variance itself was estimated from the data with nu degrees of
    freedom, p is the normal tail beyond the Student-t quantile, which widens the interval. The logarithm has the
    standard deviation sqrt(trigamma(k)). N_eff = (2/3) k.

    Args:
        estimate: positive.
        variance: of the estimate.
        degrees_of_freedom: nu, of the variance; infinite for one from theory.
    """
    shape = estimate**2 / variance

    def quantile(tail: float) -> float:
        if not np.isfinite(degrees_of_freedom):
            return float(-special.ndtri(tail))
        return float(-special.stdtrit(degrees_of_freedom, tail))

    def bounds(level: float) -> tuple[float, float]:
        tail = float(special.ndtr(-quantile((1 - level) / 2)))
        low = estimate * shape / special.gammainccinv(shape, tail)
        high = estimate * shape / max(float(special.gammaincinv(shape, tail)), np.finfo(float).tiny)
        return float(low), float(min(high, np.finfo(float).max))

    return Intervals(
        interval_68=bounds(1 - 2 * ONE_SIGMA_TAIL),
        interval_95=bounds(0.95),
        log10_stderr=quantile(ONE_SIGMA_TAIL) * float(np.sqrt(special.polygamma(1, shape))) / LOG10,
        n_eff=RELATIVE_VARIANCE_3D * shape,
        upper_95=bounds(0.90)[1],
    )
