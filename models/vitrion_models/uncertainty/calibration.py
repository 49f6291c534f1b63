"""Whether stated uncertainties are true: coverage, interval score, probabilities, error against deviation."""

import math
from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

LEVELS = np.linspace(0.05, 0.95, 19)


@dataclass(frozen=True)
class Coverage:
    """Share of truths inside their intervals, with the binomial error of that share.

    Attributes:
        share: covered over all.
        lower: lower end of the 95 % Wilson interval of the share.
        upper: upper end.
        count: number of truths.
    """

    share: float
    lower: float
    upper: float
    count: int


def coverage(truth: FloatArray, lower: FloatArray, upper: FloatArray) -> Coverage:
    """Share of truths within their intervals and its Wilson interval (J. Am. Stat. Assoc. 22, 209 (1927)).

    Rows of one group are correlated: give one row a group where the error itself matters.

    Raises:
        InputError: there is no truth.
    """
    count = len(truth)
    if count == 0:
        raise InputError("a coverage needs at least one truth")
    share = float(np.mean((truth >= lower) & (truth <= upper)))
    z2 = 1.959963984540054**2
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = math.sqrt(z2) / (1 + z2 / count) * math.sqrt(share * (1 - share) / count + z2 / (4 * count**2))
    return Coverage(share=share, lower=centre - half, upper=centre + half, count=count)


def probability_integral_transform(truth: FloatArray, mean: FloatArray, deviation: FloatArray) -> FloatArray:
    """Gaussian cumulative probability of each truth, uniform on [0, 1] for a calibrated model; shape (n,)."""
    from scipy.special import ndtr  # noqa: PLC0415 - slow to import, and needed here alone

    transform: FloatArray = ndtr((truth - mean) / deviation)
    return transform


def miscalibration_area(truth: FloatArray, mean: FloatArray, deviation: FloatArray) -> float:
    """Mean distance between nominal and observed coverage of central Gaussian intervals, 0 (calibrated) to about 0.5.

    Kuleshov et al., ICML 2018 (arXiv 1807.00263).
    """
    transform = probability_integral_transform(truth, mean, deviation)
    central = 2.0 * np.abs(transform - 0.5)
    observed = np.array([np.mean(central <= level) for level in LEVELS])
    return float(np.mean(np.abs(observed - LEVELS)))


def interval_score(truth: FloatArray, lower: FloatArray, upper: FloatArray, *, level: float = 0.95) -> float:
    """Mean interval score: the width plus 2 / alpha times what a truth lies outside; less is better.

    Gneiting and Raftery, J. Am. Stat. Assoc. 102, 359 (2007), equation 43.
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
    """Mean over bins of rising deviation of |RMS deviation - RMSE| / RMS deviation; 0 for a calibrated model.

    Levi et al., Sensors 22, 5540 (2022) (arXiv 1905.11659), equation 8.

    Raises:
        InputError: fewer truths than bins.
    """
    if len(truth) < bins:
        raise InputError(f"{bins} bins need at least as many truths; there are {len(truth)}")
    parts = np.array_split(np.argsort(deviation, kind="stable"), bins)
    errors = []
    for part in parts:
        expected = math.sqrt(float(np.mean(deviation[part] ** 2)))
        found = math.sqrt(float(np.mean((truth[part] - mean[part]) ** 2)))
        errors.append(abs(expected - found) / expected)
    return float(np.mean(errors))
