"""Arrhenius line through labels that know their errors, upper bounds included."""

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
    SCATTER_NODES,
    Evidence,
    Posterior,
    arrhenius_rows,
    posterior,
)

FEWEST_TEMPERATURES = 2
FEWEST_FOR_CURVATURE = 3
# Bends of a decade over the labels' range are as large as one sees.
PRIOR_BEND_DECADES = 1.0
CURVED_P = 0.05
LINE_WIDTH = 1e-4
LARGEST_LOG10_D = 100.0
# Nobody knows a diffusivity to 0.02 %: what is below, in decades, is the error of D itself, or in another unit.
SMALLEST_LOG10_STDERR = 1e-4
# Standard errors of the slope beyond which D falls as the temperature rises, and is none.
FALLING_SIGMAS = 5.0
TAILS_95 = (0.025, 0.975)
TAILS_68 = (float(stats.norm.sf(1.0)), float(stats.norm.cdf(1.0)))


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


@dataclass(frozen=True)
class ArrheniusPrediction:
    """Diffusivity at a temperature.

    Attributes:
        temperature_K: asked for.
        log10_D: posterior mean of the decimal logarithm of D in cm2/s.
        log10_stderr: of what a further cell would show, in decades: of the line and of the scatter about it.
        interval_68: predictive, of the logarithm that a further cell would show.
        interval_95: as above.
        line_95: interval of the line alone.
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
        temperature_K: asked for.
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
class Curvature:
    """Whether the labels bend.

    Attributes:
        bend_decades: how far the middle of the labels' range lies above the straight line between its ends.
        stderr_decades: of that.
        p: probability that a straight line looks as bent as this.
    """

    bend_decades: float
    stderr_decades: float
    p: float

    @property
    def curved(self) -> bool:
        """Whether the bend stands out: one line in twenty is called curved wrongly."""
        return self.p < CURVED_P


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
        curvature: None with measured labels at fewer than three temperatures.
        temperatures_K: range of the measured labels.
        measured: number of measured labels.
        censored: number of upper bounds.
        posterior: its nodes.
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
        """Diffusivity that a further cell would show at a temperature.

        Args:
            temperature_K: from 1 to 10000.
            log10_stderr: error with which that label would be measured; none by default, for the true value.

        Raises:
            InputError: a temperature outside that.
        """
        if not COLDEST_K <= temperature_K <= HOTTEST_K:
            raise InputError(f"{temperature_K:g} K is no temperature to predict at: {COLDEST_K:g} to {HOTTEST_K:g} K")
        row = arrhenius_rows(np.array([temperature_K]))[0]
        nodes = self.posterior
        line = nodes.log10_D0 * row[0] + nodes.Ea_eV * row[1]
        widths = np.hypot(nodes.scatter, log10_stderr)
        low_68, high_68, low_95, high_95 = nodes.quantiles(line, widths, (*TAILS_68, *TAILS_95))
        of_line = nodes.quantiles(line, np.full_like(line, LINE_WIDTH), TAILS_95)
        low, high = self.temperatures_K
        return ArrheniusPrediction(
            temperature_K=temperature_K,
            log10_D=nodes.mean(line),
            log10_stderr=float(np.sqrt(nodes.deviation(line) ** 2 + nodes.mean(widths**2))),
            interval_68=(low_68, high_68),
            interval_95=(low_95, high_95),
            line_95=(of_line[0], of_line[1]),
            extrapolated=not low <= temperature_K <= high,
        )

    def predict_conductivity(self, temperature_K: float, *, squared_charges_per_A3: float) -> ConductivityPrediction:
        """Nernst-Einstein conductivity, e^2 n z^2 D / (k T), of independent ions.

        Args:
            temperature_K: positive.
            squared_charges_per_A3: sum of z_i^2 over the volume; the number density for ions of charge one.

        Raises:
            InputError: a density or temperature that is not positive.
        """
        if not squared_charges_per_A3 > 0:
            raise InputError("a conductivity needs ions that carry charge: state their charge and number density")
        found = self.predict(temperature_K)
        factor = conductivity_per_diffusivity(
            squared_charges=squared_charges_per_A3, volume_A3=1.0, temperature_K=temperature_K
        )

        def both(interval: tuple[float, float]) -> tuple[float, float]:
            return factor * 10 ** interval[0], factor * 10 ** interval[1]

        return ConductivityPrediction(
            temperature_K=temperature_K,
            value_S_per_cm=factor * 10**found.log10_D,
            interval_68=both(found.interval_68),
            interval_95=both(found.interval_95),
            extrapolated=found.extrapolated,
        )


def fit_arrhenius(points: Sequence[ArrheniusPoint]) -> ArrheniusFit:
    """Fit D0 and Ea with each label's error, upper bounds and a scatter beyond the errors (`posterior`).

    Args:
        points: labels of one material, potential, protocol and convention, at two measured temperatures or more.

    Raises:
        InputError: fewer than two temperatures measured, impossible numbers, errors that are none, or a
            diffusivity that falls with temperature beyond any doubt.
    """
    measured = [point for point in points if not point.censored]
    bounds = [point for point in points if point.censored]
    if not all(abs(point.log10_D) < LARGEST_LOG10_D for point in points):
        raise InputError("every label needs a decimal logarithm of D in cm2/s: one of them can be none")
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
        curvature=_curvature(evidence),
        temperatures_K=(float(temperatures.min()), float(temperatures.max())),
        measured=len(measured),
        censored=len(bounds),
        posterior=nodes,
    )


def _check_rising(evidence: Evidence) -> None:
    """Refuse labels whose straight line falls with temperature by more than errors and usual scatter can make it.

    A prior that knows Ea >= 0 would call all of that scatter, and state a line that no label is near.
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
            f"these labels fall as the temperature rises (Ea {line[1]:.2f} +- {error:.2f} eV): no activation energy is "
            "that of a diffusivity, look at temperatures and values"
        )


def _curvature(evidence: Evidence) -> Curvature | None:
    """Bend of a parabola in 1 / T through the measured labels.

    With u = -1 .. 1 over the range of 1 / T, log10 D = a + b u + h (1 - u^2), h being the bend. Given the scatter this
    is linear with Gaussian errors; the scatter is integrated over as in `posterior`.
    """
    column = evidence.design[:, 1]
    if len(set(column.tolist())) < FEWEST_FOR_CURVATURE:
        return None
    u = 2 * (column - column.min()) / (column.max() - column.min()) - 1
    design = np.column_stack([np.ones_like(u), u, 1 - u**2])
    prior = np.diag([0.0, 0.0, PRIOR_BEND_DECADES**-2])
    logs, means, variances = [], [], []
    for scatter in SCATTER_NODES:
        weight = 1 / (evidence.errors**2 + scatter**2)
        precision = (design.T * weight) @ design + prior
        found = np.linalg.solve(precision, design.T @ (weight * evidence.values))
        residual = (weight * evidence.values) @ (evidence.values - design @ found)
        _, volume = np.linalg.slogdet(precision)
        logs.append(0.5 * float(np.log(weight).sum()) - 0.5 * residual - 0.5 * volume)
        means.append(found[2])
        variances.append(np.linalg.inv(precision)[2, 2])
    density = np.exp(np.array(logs) - max(logs)) * SCATTER_NODES * np.exp(-SCATTER_NODES / PRIOR_SCATTER_DECADES)
    share = density / density.sum()
    centres, widths = np.array(means), np.sqrt(variances)
    mean = float(share @ centres)
    above = float(share @ stats.norm.sf(0.0, loc=centres, scale=widths))
    return Curvature(
        bend_decades=mean,
        stderr_decades=float(np.sqrt(share @ (widths**2 + (centres - mean) ** 2))),
        p=2 * min(above, 1 - above),
    )
