"""Arrhenius fit of the labels of one material: activation energy, diffusivity and conductivity at any temperature."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vitrion.answers.answer import Answer, Range
from vitrion.answers.corrected import CorrectedValue, corrected_value
from vitrion.database.queries.gate_versions import summarize_others
from vitrion.database.queries.quantity import COMPUTED, Quantity, list_choices, require_one
from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3, Z_95, BOLTZMANN_eV_PER_K
from vitrion_models.errors import InputError
from vitrion_workflows.arrhenius.fit import ArrheniusFit, ArrheniusPoint, fit_arrhenius
from vitrion_workflows.model_error.effects import case_of
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.isotopes import NAMED_MASSES_U, mass_of
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.formula import element_amounts

if TYPE_CHECKING:
    from vitrion.database import Database
    from vitrion.database.records import LabelRecord
    from vitrion.exchange.label_table import TableLabel
    from vitrion_workflows.model_error.compound_error import CompoundError

    Labels = Sequence[LabelRecord] | Sequence[TableLabel]

# Activation energy in eV of a slope of one decade for 1 in 1000/T.
EV_PER_SLOPE = 1000 * BOLTZMANN_eV_PER_K * math.log(10)
FITTED_STATES = (LabelState.ACCEPTED.value, LabelState.CENSORED.value, LabelState.PUBLISHED.value)


class ArrheniusPrediction(Answer):
    """Prediction for a further cell at a temperature: D in cm2/s, conductivities in S/cm (None without charge).

    `line_95` is the interval of the fitted line alone, without the scatter of labels about it. `corrected` is freed
    from the mean error of the potential and has its errors, that of the activation energy included; None where no
    potential made the labels.
    """

    temperature_K: float
    log10_D: float
    log10_stderr: float
    interval_68: Range
    interval_95: Range
    line_95: Range
    extrapolated: bool
    conductivity_S_per_cm: float | None = None
    conductivity_68_S_per_cm: Range | None = None
    conductivity_95_S_per_cm: Range | None = None
    corrected: CorrectedValue | None = None


class ArrheniusAnswer(Answer):
    """Arrhenius fit log10 D = log10 D0 - Ea / (kT ln 10), D in cm2/s, and what it predicts.

    `curvature_decades` is None with measured labels at fewer than three temperatures; `other_gate_versions` counts the
    labels left out, by gate version. The corrected activation energy is freed from the mean error of the potential.
    """

    material: str
    species: str
    potential: str
    gate_version: str
    log10_D0: float
    log10_D0_stderr: float
    Ea_eV: float
    Ea_stderr_eV: float
    Ea_95_eV: Range
    corrected_Ea_eV: float | None
    corrected_Ea_95_eV: Range | None
    scatter_decades: float
    curvature_decades: float | None
    curvature_stderr_decades: float | None
    curved: bool | None
    measured: int
    censored: int
    temperatures_K: Range
    other_gate_versions: dict[int, int]
    predictions: tuple[ArrheniusPrediction, ...]


def select_labels(db: "Database", **filters: Any) -> "tuple[Sequence[LabelRecord], dict[int, int]]":
    """Return the tracer diffusivities that pass all filters, and the number of labels left out by gate version.

    Raises:
        InputError: no label passes.
    """
    query: dict[str, Any] = {"property": "tracer_diffusivity", "state": FITTED_STATES, **filters}
    rows = db.labels.search(**query)
    others = {} if "gate_version" in filters else db.labels.count_other_versions(**query)
    if not rows:
        reason = summarize_others(others) or "see `vitrion labels list`"
        raise InputError(f"no label of a tracer diffusivity passes the filters: {reason}")
    return rows, others


def answer_arrhenius(
    labels: "Labels",
    *,
    temperatures_K: Sequence[float],
    across: Sequence[str] = (),
    stderr_decades: float | None = None,
    charge: float | None = None,
    ions_per_A3: float | None = None,
    other_gate_versions: Mapping[int, int] | None = None,
) -> ArrheniusAnswer:
    """Fit labels of one quantity, material and kind of cell, and predict.

    Args:
        labels: at two temperatures or more; censored ones are upper bounds.
        temperatures_K: where to predict.
        across: fields of `vitrion.database.queries.quantity.Quantity` in which the labels may differ.
        stderr_decades: standard error of log10 D of labels that state none.
        charge: formal charge of the ions; None for no conductivity.
        ions_per_A3: number density of the ions; from the densities of the labels when None.
        other_gate_versions: number of labels left out, by gate version.

    Raises:
        InputError: a mixture (with the choices), a label without standard error, a charge without density, or labels
            that no Arrhenius line describes (`fit_arrhenius`).
    """
    quantity = require_one(labels, across=across, purpose="fitted")
    _require_same(labels, ("reduced_formula", "kind"))
    left_out = dict(other_gate_versions or {})
    try:
        fit = fit_arrhenius(arrhenius_points(labels, stderr_decades=stderr_decades))
    except InputError as fault:
        raise InputError(f"{fault}; left out: {summarize_others(left_out)}" if left_out else str(fault)) from fault
    squared_charges = None if charge is None else charge**2 * (ions_per_A3 or _ions_per_A3(labels))
    curvature = fit.curvature
    errors = _model_errors(labels, temperatures_K)
    corrected_Ea_eV, corrected_Ea_95_eV = _corrected_energy(fit, errors)
    return ArrheniusAnswer(
        material=labels[0].reduced_formula,
        species=labels[0].species,
        potential=quantity.potential,
        gate_version=quantity.gate_version,
        log10_D0=fit.log10_D0,
        log10_D0_stderr=fit.log10_D0_stderr,
        Ea_eV=fit.Ea_eV,
        Ea_stderr_eV=fit.Ea_stderr_eV,
        Ea_95_eV=fit.Ea_95_eV,
        corrected_Ea_eV=corrected_Ea_eV,
        corrected_Ea_95_eV=corrected_Ea_95_eV,
        scatter_decades=fit.scatter_decades,
        curvature_decades=curvature.decades if curvature else None,
        curvature_stderr_decades=curvature.stderr_decades if curvature else None,
        curved=curvature.curved if curvature else None,
        measured=fit.measured,
        censored=fit.censored,
        temperatures_K=fit.temperatures_K,
        other_gate_versions=left_out,
        predictions=tuple(
            _predict(fit, kelvin, squared_charges, errors[place] if errors else None)
            for place, kelvin in enumerate(temperatures_K)
        ),
    )


def arrhenius_points(labels: "Labels", *, stderr_decades: float | None = None) -> list[ArrheniusPoint]:
    """Return labels as points of a fit.

    Raises:
        InputError: a label states no standard error and is not censored, and `stderr_decades` is None.
    """
    points = []
    for label in labels:
        censored = label.state == LabelState.CENSORED.value
        stderr = stderr_decades if label.log10_stderr is None else label.log10_stderr
        if stderr is None and not censored:
            raise InputError(f"the label at {label.temperature_K:g} K has no standard error: give one with --stderr")
        log10_D = math.log10(label.value or math.nan)
        points.append(ArrheniusPoint(label.temperature_K, log10_D, math.inf if stderr is None else stderr, censored))
    return points


def _require_same(labels: "Labels", fields: Sequence[str]) -> None:
    counted = {name: Counter(str(getattr(label, name)) for label in labels) for name in fields}
    mixed = {name: sorted(counts.items()) for name, counts in counted.items() if len(counts) > 1}
    if mixed:
        listed = "; ".join(f"{name} ({list_choices(choices)})" for name, choices in mixed.items())
        raise InputError(f"{len(labels)} labels to be fitted are of more than one {listed}: choose one")


def _ions_per_A3(labels: "Labels") -> float:
    """Return the number density of the mobile ions, from the mean density of the labels."""
    densities = [label.density_g_cm3 for label in labels if label.density_g_cm3]
    if len(densities) < len(labels):
        raise InputError("a conductivity needs the density of every label: add density_g_cm3, or give --ions-per-A3")
    amounts = element_amounts(labels[0].reduced_formula)
    if unnamed := sorted({symbol for label in labels for symbol in label.isotopes} - amounts.keys()):
        raise InputError(f"formulas do not say how much {', '.join(unnamed)} the cells hold: give --ions-per-A3")
    composition = parse_formula(labels[0].reduced_formula)
    isotopes_u = sum(amounts[name] * (mass - mass_of("H")) for name, mass in NAMED_MASSES_U.items() if name in amounts)
    units_per_A3 = sum(densities) / len(densities) / U_PER_A3_IN_G_PER_CM3 / (float(composition.weight) + isotopes_u)
    return float(composition[labels[0].species]) * units_per_A3


def _model_errors(labels: "Labels", temperatures_K: Sequence[float]) -> "list[CompoundError]":
    """Return the systematic error of the labels' potential at each temperature; empty where no potential made them."""
    first = labels[0]
    if Quantity.of(first).source != COMPUTED:
        return []
    compound = parse_formula(first.reduced_formula)
    symbols = [element.symbol for element in compound]
    cases = [case_of(compound.reduced_formula, symbols, kelvin) for kelvin in temperatures_K]
    return ModelErrors.of(first.potential, first.weights_sha256, species=first.species).of_cases(cases)


def _corrected_energy(fit: ArrheniusFit, errors: "list[CompoundError]") -> tuple[float | None, Range | None]:
    """Return the activation energy freed from the error of the potential's slope, eV, and its 95 % interval."""
    if not errors:
        return None, None
    mean = fit.Ea_eV + EV_PER_SLOPE * errors[0].slope_decades
    half = Z_95 * math.hypot(fit.Ea_stderr_eV, EV_PER_SLOPE * errors[0].slope_stderr_decades)
    return mean, (mean - half, mean + half)


def _predict(
    fit: ArrheniusFit, temperature_K: float, squared_charges_per_A3: float | None, error: "CompoundError | None"
) -> ArrheniusPrediction:
    prediction = dict(vars(fit.predict(temperature_K)))
    if error is not None:
        prediction["corrected"] = corrected_value(error, prediction["log10_D"], prediction["log10_stderr"])
    if squared_charges_per_A3 is not None:
        conductivity = fit.predict_conductivity(temperature_K, squared_charges_per_A3=squared_charges_per_A3)
        prediction |= {
            "conductivity_S_per_cm": conductivity.value_S_per_cm,
            "conductivity_68_S_per_cm": conductivity.interval_68,
            "conductivity_95_S_per_cm": conductivity.interval_95,
        }
    return ArrheniusPrediction(**prediction)
