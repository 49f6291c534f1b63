"""Measures of calibration: coverage, interval score, probability integral transform, error against deviation."""

import math
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

LEVELS = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class Coverage:
    """Fraction of true values inside their intervals, with its binomial error.

    Attributes:
        share: fraction covered.
        lower: lower end of the 95 % Wilson interval of the fraction.
        upper: upper end.
        count: number of true values.
    """

    share: float
    lower: float
    upper: float
    count: int


def coverage(truth: FloatArray, lower: FloatArray, upper: FloatArray) -> Coverage:
    """Return the fraction of true values within their intervals and its Wilson interval.

    Wilson, J. Am. Stat. Assoc. 22, 209 (1927). Rows of one group are correlated: pass one row for each group where the
    error itself matters.

    Args:
        truth: true values, shape (n,).
        lower: lower ends of the intervals, shape (n,).
        upper: upper ends, shape (n,).

    Raises:
        InputError: n is zero.
    """
    count = len(truth)
    if count == 0:
        raise InputError("a coverage needs at least one true value")
    share = float(np.mean((truth >= lower) & (truth <= upper)))
    z2 = 1.959963984540054**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2) / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return Coverage(share=share, lower=centre - half, upper=centre + half, count=count)


def probability_integral_transform(truth: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Return the Gaussian cumulative probability of each true value, shape (n,).

    Uniform on [0, 1] for a calibrated model. Truth, mean and standard deviation have shape (n,) and one unit.
    """
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import

    transform: FloatArray = ndtr((truth - mean) / deviation)
    return transform


def miscalibration_area(truth: FloatArray, mean: FloatArray, deviation: FloatArray) -> float:
    """Return the mean distance between nominal and observed coverage of central Gaussian intervals.

    0 for a calibrated model, at most about 0.5; arguments as in `probability_integral_transform`. Kuleshov et al.,
    ICML 2018 (arXiv 1807.00263).
    """
    transform = probability_integral_transform(truth, mean, deviation)
    central = 2.0 * np.abs(transform - 0.5)
    observed = np.array([np.mean(central <= level) for level in LEVELS])
    return float(np.mean(np.abs(observed - LEVELS)))


def interval_score(truth: FloatArray, lower: FloatArray, upper: FloatArray, *, level: float = 0.95) -> float:
    """Return the mean interval score: the width plus 2 / alpha times the distance outside; smaller is better.

    Arguments as in `coverage`; the score has their unit. Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359 (2007),
    equation 43.
    """
    alpha = 1.0 - level
    outside = np.maximum(lower - truth, 0.0) + np.maximum(truth - upper, 0.0)
    return float(np.mean(upper - lower + 2.0 / alpha * outside))


def expected_normalised_calibration_error(
    truth: FloatArray,
    mean: FloatArray,
    deviation: FloatArray,
    *,
    bins: int = 5,
) -> float:
    """Return the mean of |RMS deviation - RMSE| / RMS deviation over bins of rising deviation.

    0 for a calibrated model; arguments as in `probability_integral_transform`. Levi et al., Sensors 22, 5540 (2022)
    (arXiv 1905.11659), equation 8.

    Raises:
        InputError: fewer values than bins.
    """
    if len(truth) < bins:
        raise InputError(f"{bins} bins need at least as many true values; there are {len(truth)}")
    parts = np.array_split(np.argsort(deviation, kind="stable"), bins)
    errors = []
    for part in parts:
        expected = math.sqrt(float(np.mean(deviation[part] ** 2)))
        rmse = math.sqrt(float(np.mean((truth[part] - mean[part]) ** 2)))
        errors.append(abs(expected - rmse) / expected)
    return float(np.mean(errors))
