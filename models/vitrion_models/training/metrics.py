"""Regression metrics on held-out labels; errors are in decades."""

from dataclasses import asdict, dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray


@dataclass(frozen=True)
class RegressionMetrics:
    """Errors of predictions against labels.

    Attributes:
        count: labels compared (upper bounds left out).
        rmse: root mean square error, decades.
        mae: mean absolute error, decades.
        nll: mean negative log likelihood of a Gaussian with the predicted deviation, nats; None
            without one.
        coverage_95: fraction of labels inside the 95 % interval; None without one.
        mean_width_95: mean width of that interval, decades; None without one.
    """

    count: int
    rmse: float
    mae: float
    nll: float | None = None
    coverage_95: float | None = None
    mean_width_95: float | None = None

    def as_dict(self) -> dict[str, float | int | None]:
        """Return plain numbers, for JSON."""
        return asdict(self)


def regression_metrics(
    truth: FloatArray,
    mean: FloatArray,
    *,
    deviation: FloatArray | None = None,
    lower_95: FloatArray | None = None,
    upper_95: FloatArray | None = None,
) -> RegressionMetrics:
    """Return the metrics of predictions against uncensored labels.

    Args:
        truth: labels, log10 D, shape (n,).
        mean: predictions, shape (n,).
        deviation: predictive standard deviation of a label (label noise included), shape (n,).
        lower_95: lower end of the interval, shape (n,).
        upper_95: upper end of the interval, shape (n,).

    Raises:
        InputError: no label, or different shapes.
    """
    if len(truth) == 0 or truth.shape != mean.shape:
        raise InputError("metrics need at least one label and one prediction for each")
    errors = mean - truth
    nll = coverage = width = None
    if deviation is not None:
        nll = float(np.mean(0.5 * np.log(2 * np.pi * deviation**2) + 0.5 * (errors / deviation) ** 2))
    if lower_95 is not None and upper_95 is not None:
        coverage = float(np.mean((truth >= lower_95) & (truth <= upper_95)))
        width = float(np.mean(upper_95 - lower_95))
    return RegressionMetrics(
        count=len(truth),
        rmse=float(np.sqrt(np.mean(errors**2))),
        mae=float(np.mean(np.abs(errors))),
        nll=nll,
        coverage_95=coverage,
        mean_width_95=width,
    )
