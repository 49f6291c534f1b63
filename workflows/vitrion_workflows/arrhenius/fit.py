"""Arrhenius line through labels with errors and upper bounds, and its predictions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_models.conductivity import conductivity_per_diffusivity
from vitrion_models.constants import COLDEST_K, HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.arrhenius.posterior import (
    PRIOR_SCATTER_DECADES,
    Curvature,
    Evidence,
    Posterior,
    arrhenius_rows,
    curvature_of,
    posterior,
)

FEWEST_TEMPERATURES = 2
LINE_WIDTH = 1e-4
LARGEST_LOG10_D = 100.0
# No diffusivity is known to 0.02 %: a smaller error, in decades, is that of D itself, or in another unit.
SMALLEST_LOG10_STDERR = 1e-4
# Standard errors of the slope beyond which labels that fall with temperature are refused.
FALLING_SIGMAS = 5.0
TAILS_95 = (0.025, 0.975)
TAILS_68 = (float(stats.norm.sf(1.0)), float(stats.norm.cdf(1.0)))


@dataclass(frozen=True)
class ArrheniusPrediction:
    """Diffusivity of a further cell at a temperature.

    Attributes:
        temperature_K: of the prediction.
        log10_D: posterior mean of the decimal logarithm of D in cm2/s.
        log10_stderr: predictive, in decades: of the line and of the scatter about it.
        interval_68: predictive, of log10 D.
        interval_95: as above.
        line_95: 95 % interval of the line alone.
        extrapolated: whether the temperature lies outside the range of the measured labels.
    """

    temperature_K: float
    log10_D: float
    log10_stderr: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    line_95: tuple[float, float]
    extrapolated: bool


@dataclass(frozen=True)
class ConductivityPrediction:
    """Nernst-Einstein conductivity at a temperature.

    Attributes:
        temperature_K: of the prediction.
        value_S_per_cm: at the posterior mean of log10 D.
        interval_68: predictive.
        interval_95: as above.
        extrapolated: whether the temperature lies outside the range of the measured labels.
    """

    temperature_K: float
    value_S_per_cm: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]
    extrapolated: bool


@dataclass(frozen=True)
class ArrheniusPoint:
    """Label at one temperature.

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
    """log10 D = log10 D0 - Ea / (kT ln 10), with its uncertainty.

    Attributes:
        log10_D0: posterior mean, D0 in cm2/s.
        log10_D0_stderr: posterior standard deviation.
        Ea_eV: posterior mean of the activation energy.
        Ea_stderr_eV: posterior standard deviation.
        Ea_95_eV: its 95 % interval.
        covariance: of (log10_D0, Ea_eV), shape (2, 2).
        scatter_decades: posterior mean of the scatter of labels about the line beyond their own errors.
        curvature: deviation from a straight line; None with measured labels at fewer than three temperatures.
        temperatures_K: range of the measured labels.
        measured: number of measured labels.
        censored: number of upper bounds.
        posterior: its quadrature nodes.
    """

    log10_D0: float
    log10_D0_stderr: float
    Ea_eV: float
    Ea_stderr_eV: float
    Ea_95_eV: tuple[float, float]
    covariance: FloatArray
    scatter_decades: float
    curvature: Curvature | None
    temperatures_K: tuple[float, float]
    measured: int
    censored: int
    posterior: Posterior

    def predict(self, temperature_K: float, *, log10_stderr: float = 0.0) -> ArrheniusPrediction:
        """Predict the diffusivity of a further cell at a temperature.

        Args:
            temperature_K: from 1 to 10000.
            log10_stderr: statistical error of that label in decades; zero for its true value.

        Raises:
            InputError: a temperature outside of that.
        """
        if not COLDEST_K <= temperature_K <= HOTTEST_K:
            raise InputError(f"temperature {temperature_K:g} K: give one from {COLDEST_K:g} to {HOTTEST_K:g} K")
        row = arrhenius_rows(np.array([temperature_K]))[0]
        nodes = self.posterior
        line = nodes.log10_D0 * row[0] + nodes.Ea_eV * row[1]
        widths = np.hypot(nodes.scatter, log10_stderr)
        low_68, high_68, low_95, high_95 = nodes.quantiles(line, widths, (*TAILS_68, *TAILS_95))
        line_95 = nodes.quantiles(line, np.full_like(line, LINE_WIDTH), TAILS_95)
        low, high = self.temperatures_K
        return ArrheniusPrediction(
            temperature_K=temperature_K,
            log10_D=nodes.mean(line),
            log10_stderr=float(np.sqrt(nodes.deviation(line) ** 2 + nodes.mean(widths**2))),
            interval_68=(low_68, high_68),
            interval_95=(low_95, high_95),
            line_95=(line_95[0], line_95[1]),
            extrapolated=not low <= temperature_K <= high,
        )

    def predict_conductivity(self, temperature_K: float, *, squared_charges_per_A3: float) -> ConductivityPrediction:
        """Predict the Nernst-Einstein conductivity, e^2 n z^2 D / (k T), of independent ions.

        Args:
            temperature_K: positive.
            squared_charges_per_A3: sum of z_i^2 over the volume; the number density for ions of charge one.

        Raises:
            InputError: a density or temperature that is not positive.
        """
        if not squared_charges_per_A3 > 0:
            raise InputError("a conductivity needs ions that carry charge: state their charge and number density")
        diffusivity = self.predict(temperature_K)
        factor = conductivity_per_diffusivity(
            squared_charges=squared_charges_per_A3, volume_A3=1.0, temperature_K=temperature_K
        )

        def scaled(interval: tuple[float, float]) -> tuple[float, float]:
            return factor * 10 ** interval[0], factor * 10 ** interval[1]

        return ConductivityPrediction(
            temperature_K=temperature_K,
            value_S_per_cm=factor * 10**diffusivity.log10_D,
            interval_68=scaled(diffusivity.interval_68),
            interval_95=scaled(diffusivity.interval_95),
            extrapolated=diffusivity.extrapolated,
        )


def fit_arrhenius(points: Sequence[ArrheniusPoint]) -> ArrheniusFit:
    """Fit D0 and Ea with each label's error, upper bounds and a scatter beyond the errors (`posterior`).

    Args:
        points: labels of one material, potential, protocol and convention, at two measured temperatures or more.

    Raises:
        InputError: fewer than two temperatures measured, impossible numbers or errors, or a diffusivity that falls
            with temperature by more than five standard errors.
    """
    measured = [point for point in points if not point.censored]
    bounds = [point for point in points if point.censored]
    if not all(abs(point.log10_D) < LARGEST_LOG10_D for point in points):
        raise InputError("every label needs log10 D in cm2/s between -100 and 100: correct the values")
    if not all(COLDEST_K <= point.temperature_K <= HOTTEST_K for point in points):
        raise InputError(f"every label needs a temperature from {COLDEST_K:g} to {HOTTEST_K:g} K")
    temperatures = np.array([point.temperature_K for point in measured])
    if len(set(temperatures.tolist())) < FEWEST_TEMPERATURES:
        raise InputError("an Arrhenius line needs measured labels at two temperatures or more")
    if not all(SMALLEST_LOG10_STDERR <= point.log10_stderr < np.inf for point in measured):
        raise InputError(
            f"every measured label needs a standard error of log10 D, {SMALLEST_LOG10_STDERR:g} decades or more"
        )
    evidence = Evidence(
        design=arrhenius_rows(temperatures),
        values=np.array([point.log10_D for point in measured]),
        errors=np.array([point.log10_stderr for point in measured]),
        bound_design=arrhenius_rows(np.array([point.temperature_K for point in bounds])),
        bounds=np.array([point.log10_D for point in bounds]),
    )
    _check_rising(evidence)
    nodes = posterior(evidence)
    energies = nodes.quantiles(nodes.Ea_eV, np.full_like(nodes.Ea_eV, LINE_WIDTH), TAILS_95)
    both = np.stack([nodes.log10_D0, nodes.Ea_eV])
    return ArrheniusFit(
        log10_D0=nodes.mean(nodes.log10_D0),
        log10_D0_stderr=nodes.deviation(nodes.log10_D0),
        Ea_eV=nodes.mean(nodes.Ea_eV),
        Ea_stderr_eV=nodes.deviation(nodes.Ea_eV),
        Ea_95_eV=(max(energies[0], 0.0), energies[1]),
        covariance=np.cov(both, aweights=nodes.weight, ddof=0),
        scatter_decades=nodes.mean(nodes.scatter),
        curvature=curvature_of(evidence),
        temperatures_K=(float(temperatures.min()), float(temperatures.max())),
        measured=len(measured),
        censored=len(bounds),
        posterior=nodes,
    )


def _check_rising(evidence: Evidence) -> None:
    """Refuse labels whose straight line falls with temperature by more than errors and usual scatter explain.

    The prior Ea >= 0 would attribute all of that to scatter, and give a line far from every label.
    """
    weight = 1 / (evidence.errors**2 + PRIOR_SCATTER_DECADES**2)
    precision = (evidence.design.T * weight) @ evidence.design
    line = np.linalg.solve(precision, evidence.design.T @ (weight * evidence.values))
    misfit = float(weight @ (evidence.values - evidence.design @ line) ** 2)
    freedom = len(evidence.values) - len(line)
    widened = max(1.0, misfit / freedom) if freedom else 1.0
    error = float(np.sqrt(np.linalg.inv(precision)[1, 1] * widened))
    if line[1] < -FALLING_SIGMAS * error:
        raise InputError(
            f"log10 D falls as the temperature rises (Ea {line[1]:.2f} +- {error:.2f} eV): "
            "check the temperatures and values of the labels"
        )
