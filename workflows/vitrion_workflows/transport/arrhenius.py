"""Arrhenius line through labels that know their errors, upper bounds included."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

BOLTZMANN_eV_PER_K = 8.617333262145179e-5
LOG10 = float(np.log(10.0))
FEWEST_TEMPERATURES = 2
# A bound blurs over this many decades, so that the likelihood of a censored label stays smooth.
CENSORING_SOFTNESS = 0.05


@dataclass(frozen=True)
class ArrheniusPoint:
    """One label.

    Attributes:
        temperature_K: of the run.
        log10_D: decimal logarithm of D in cm2/s; of the upper bound where censored.
        log10_stderr: standard error in decades; ignored where censored.
        censored: whether the value is an upper bound.
    """

    temperature_K: float
    log10_D: float
    log10_stderr: float
    censored: bool = False


@dataclass(frozen=True, eq=False)
class ArrheniusFit:
    """log10 D = log10 D0 - Ea / (kT ln 10).

    Attributes:
        log10_D0: cm2/s.
        Ea_eV: activation energy.
        covariance: of (log10_D0, Ea_eV), shape (2, 2).
        freedom: measured labels less two; with none left the errors rest on the labels' own.
        scale: factor by which the labels scatter more than their errors say, at least 1; applied to `covariance`.
        temperatures_K: range of the measured labels.
    """

    log10_D0: float
    Ea_eV: float
    covariance: FloatArray
    freedom: int
    scale: float
    temperatures_K: tuple[float, float]

    @property
    def Ea_stderr_eV(self) -> float:
        """Standard error of the activation energy."""
        return float(np.sqrt(self.covariance[1, 1]))

    def predict(self, temperature_K: float) -> "ArrheniusPrediction":
        """Diffusivity at a temperature with the interval of the line, and whether it lies beyond the labels."""
        row = _design(np.array([temperature_K]))[0]
        mean = float(row @ [self.log10_D0, self.Ea_eV])
        stderr = float(np.sqrt(row @ self.covariance @ row))
        width = stderr * float(stats.t.isf(0.025, self.freedom) if self.freedom else stats.norm.isf(0.025))
        low, high = self.temperatures_K
        return ArrheniusPrediction(
            temperature_K=temperature_K,
            log10_D=mean,
            log10_stderr=stderr,
            interval_95=(mean - width, mean + width),
            extrapolated=not low <= temperature_K <= high,
        )


@dataclass(frozen=True)
class ArrheniusPrediction:
    """Value of a fitted line.

    Attributes:
        temperature_K: asked for.
        log10_D: decimal logarithm of D in cm2/s.
        log10_stderr: of the line, in decades.
        interval_95: of log10 D.
        extrapolated: whether the temperature lies outside the range of the measured labels.
    """

    temperature_K: float
    log10_D: float
    log10_stderr: float
    interval_95: tuple[float, float]
    extrapolated: bool


def fit_arrhenius(points: Sequence[ArrheniusPoint]) -> ArrheniusFit:
    """Fit D0 and Ea by maximum likelihood.

    A measured label contributes a Gaussian in log10 D with its own standard error; a censored one the probability
    Phi((bound - line) / softness) of lying below its bound (Tobin, Econometrica 26, 24, 1958). Without censored
    labels this is weighted least squares. The covariance is the inverse Hessian, scaled up by the reduced chi square
    where labels scatter more than their errors allow.

    Args:
        points: labels of one material, at two measured temperatures or more.

    Raises:
        InputError: fewer than two temperatures measured, or errors that are not positive.
    """
    measured = [point for point in points if not point.censored]
    temperatures = np.array([point.temperature_K for point in measured])
    if len(set(temperatures.tolist())) < FEWEST_TEMPERATURES:
        raise InputError("an Arrhenius line needs measured labels at two temperatures or more")
    if not all(point.log10_stderr > 0 and np.isfinite(point.log10_stderr) for point in measured):
        raise InputError("every measured label needs a positive standard error of log10 D")
    design = _design(temperatures)
    values = np.array([point.log10_D for point in measured])
    errors = np.array([point.log10_stderr for point in measured])
    start, *_ = np.linalg.lstsq(design / errors[:, None], values / errors, rcond=None)
    bounds = [point for point in points if point.censored]
    parameters, precision = start, (design / errors[:, None]).T @ (design / errors[:, None])
    if bounds:
        parameters, precision = _censored_fit(start, design, values, errors, bounds)
    residuals = (values - design @ parameters) / errors
    freedom = len(measured) - 2
    scale = float(np.sqrt(max(1.0, residuals @ residuals / freedom))) if freedom else 1.0
    return ArrheniusFit(
        log10_D0=float(parameters[0]),
        Ea_eV=float(parameters[1]),
        covariance=np.linalg.inv(precision) * scale**2,
        freedom=freedom,
        scale=scale,
        temperatures_K=(float(temperatures.min()), float(temperatures.max())),
    )


def _design(temperatures_K: FloatArray) -> FloatArray:
    return np.column_stack(
        [np.ones_like(temperatures_K), -1 / (BOLTZMANN_eV_PER_K * temperatures_K * LOG10)],
    )


def _censored_fit(
    start: FloatArray,
    design: FloatArray,
    values: FloatArray,
    errors: FloatArray,
    bounds: Sequence[ArrheniusPoint],
) -> tuple[FloatArray, FloatArray]:
    """Maximum of the likelihood with bounds, and its Hessian."""
    rows = _design(np.array([point.temperature_K for point in bounds]))
    limits = np.array([point.log10_D for point in bounds])

    def loss(parameters: FloatArray) -> float:
        residuals = (values - design @ parameters) / errors
        below = stats.norm.logcdf((limits - rows @ parameters) / CENSORING_SOFTNESS)
        return float(0.5 * residuals @ residuals - below.sum())

    def gradient(parameters: FloatArray) -> FloatArray:
        z = (limits - rows @ parameters) / CENSORING_SOFTNESS
        pull = np.exp(stats.norm.logpdf(z) - stats.norm.logcdf(z)) / CENSORING_SOFTNESS
        found: FloatArray = -design.T @ ((values - design @ parameters) / errors**2) + rows.T @ pull
        return found

    best = optimize.minimize(loss, start, jac=gradient, method="BFGS").x
    z = (limits - rows @ best) / CENSORING_SOFTNESS
    ratio = np.exp(stats.norm.logpdf(z) - stats.norm.logcdf(z))
    curvature = ratio * (ratio + z) / CENSORING_SOFTNESS**2
    precision = (design / errors[:, None]).T @ (design / errors[:, None]) + rows.T @ (curvature[:, None] * rows)
    return best, precision
