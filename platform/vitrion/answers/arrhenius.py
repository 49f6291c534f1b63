"""Arrhenius fit of the labels of one material: activation energy, diffusivity and conductivity at any temperature."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from vitrion.answers.answer import Answer, Range
from vitrion.database.queries.gate_versions import summarize_others
from vitrion.database.queries.quantity import Quantity, require_one
from vitrion_models.errors import InputError
from vitrion_workflows.arrhenius.fit import ArrheniusFit, ArrheniusPoint, fit_arrhenius
from vitrion_workflows.schemas import LabelState

if TYPE_CHECKING:
    from vitrion.database import Database

FITTED_STATES = (LabelState.ACCEPTED.value, LabelState.CENSORED.value, LabelState.PUBLISHED.value)
LINE_NODES = 60
GRAMS_PER_U = 1.66053906660e-24
A3_PER_CM3 = 1e24


class Label(Protocol):
    """Fields of a label that a fit reads: a row of the database or of a file (see also `Quantity`)."""

    @property
    def species(self) -> str: ...  # noqa: D102
    @property
    def reduced_formula(self) -> str: ...  # noqa: D102
    @property
    def kind(self) -> str | None: ...  # noqa: D102
    @property
    def temperature_K(self) -> float: ...  # noqa: D102
    @property
    def value(self) -> float | None: ...  # noqa: D102
    @property
    def log10_stderr(self) -> float | None: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def density_g_cm3(self) -> float | None: ...  # noqa: D102


class ArrheniusPrediction(Answer):
    """Prediction for a further cell at a temperature: log10 of D in cm2/s, conductivities in S/cm (None without charge).

    `line_95` is the interval of the fitted line alone, without the scatter of labels about it.
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


class ArrheniusLabel(Answer):
    """Label that was fitted; log10_D is an upper bound where censored."""

    temperature_K: float
    log10_D: float
    log10_stderr: float | None
    censored: bool


class ArrheniusAnswer(Answer):
    """Arrhenius fit log10 D = log10 D0 - Ea / (kT ln 10), D in cm2/s, and what it predicts.

    `curvature_decades` is None with measured labels at fewer than three temperatures; `line` holds the fit at nodes
    between the extreme temperatures, for a figure; `other_gate_versions` counts the labels left out, by version.
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
    scatter_decades: float
    curvature_decades: float | None
    curvature_stderr_decades: float | None
    curved: bool | None
    measured: int
    censored: int
    temperatures_K: Range
    other_gate_versions: dict[int, int]
    predictions: tuple[ArrheniusPrediction, ...]
    labels: tuple[ArrheniusLabel, ...]
    line: tuple[ArrheniusPrediction, ...] = ()


def select_labels(db: "Database", **filters: Any) -> tuple[Sequence[Label], dict[int, int]]:
    """Return the tracer diffusivities that pass all filters, and the number of other gate versions left out.

    Args:
        db: where the labels are.
        filters: see `vitrion.database.queries.filters.LabelFilters`.

    Raises:
        InputError: no label passes.
    """
    query = {"property": "tracer_diffusivity", "state": FITTED_STATES, **filters}
    rows = list(db.labels.search(**query))
    others = {} if "gate_version" in filters else db.labels.count_other_versions(**query)
    if not rows:
        reason = summarize_others(others) or "see `vitrion labels list`"
        raise InputError(f"no label of a tracer diffusivity passes the filters: {reason}")
    return rows, others


def answer_arrhenius(
    labels: Sequence[Label],
    *,
    temperatures_K: Sequence[float],
    across: Sequence[str] = (),
    stderr_decades: float | None = None,
    charge: float | None = None,
    ions_per_A3: float | None = None,
    other_gate_versions: Mapping[int, int] | None = None,
    with_line: bool = False,
) -> ArrheniusAnswer:
    """Fit the labels of one quantity, material and kind of cell, and predict.

    Args:
        labels: two temperatures or more; censored ones are upper bounds.
        temperatures_K: where to predict.
        across: fields of `Quantity` in which the labels may differ.
        stderr_decades: standard error of log10 D of labels that state none.
        charge: formal charge of the ions; None for no conductivity.
        ions_per_A3: number density of the ions; from the densities of the labels when None.
        other_gate_versions: number of labels left out, by gate version.
        with_line: compute the fit between the extreme temperatures, for a figure.

    Raises:
        InputError: a mixture (with the choices), a label without standard error, a charge without density, or labels
            that no Arrhenius line describes (`fit_arrhenius`).
    """
    quantity = require_comparable(labels, across=across)
    points = [_point(label, stderr_decades) for label in labels]
    try:
        fit = fit_arrhenius(points)
    except InputError as fault:
        left_out = summarize_others(other_gate_versions or {})
        raise InputError(f"{fault}; left out: {left_out}" if left_out else str(fault)) from fault
    carriers = None if charge is None else charge**2 * _ion_density(labels, ions_per_A3)
    curvature = fit.curvature
    extremes = [*temperatures_K, *(label.temperature_K for label in labels)]
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
        scatter_decades=fit.scatter_decades,
        curvature_decades=curvature.bend_decades if curvature else None,
        curvature_stderr_decades=curvature.stderr_decades if curvature else None,
        curved=curvature.curved if curvature else None,
        measured=fit.measured,
        censored=fit.censored,
        temperatures_K=fit.temperatures_K,
        other_gate_versions=dict(other_gate_versions or {}),
        predictions=tuple(_predict(fit, kelvin, carriers) for kelvin in temperatures_K),
        labels=tuple(_fitted(point) for point in sorted(points, key=lambda point: point.temperature_K)),
        line=_line(fit, min(extremes), max(extremes)) if with_line else (),
    )


def require_comparable(labels: Sequence[Label], *, across: Sequence[str] = ()) -> Quantity:
    """Return the quantity of labels of one quantity, composition and kind of cell.

    Args:
        labels: rows.
        across: fields of `Quantity` in which they may differ.

    Raises:
        InputError: a mixture, with the choices.
    """
    quantity = require_one(labels, across=across, purpose="fitted")  # type: ignore[arg-type]  # reads fields by name
    for name in ("reduced_formula", "kind"):
        counts = Counter(str(getattr(label, name)) for label in labels)
        if len(counts) > 1:
            choices = ", ".join(f"{value}: {count}" for value, count in sorted(counts.items()))
            raise InputError(f"{len(labels)} labels to be fitted are of more than one {name} ({choices}): choose one")
    return quantity


def _point(label: Label, stderr_decades: float | None) -> ArrheniusPoint:
    censored = label.state == LabelState.CENSORED.value
    stderr = stderr_decades if label.log10_stderr is None else label.log10_stderr
    if stderr is None and not censored:
        raise InputError(
            f"the label at {label.temperature_K:g} K has no standard error of log10 D: give one with --stderr"
        )
    return ArrheniusPoint(
        temperature_K=label.temperature_K,
        log10_D=math.log10(label.value or math.nan),
        log10_stderr=math.inf if stderr is None else stderr,
        censored=censored,
    )


def _fitted(point: ArrheniusPoint) -> ArrheniusLabel:
    return ArrheniusLabel(
        temperature_K=point.temperature_K,
        log10_D=point.log10_D,
        log10_stderr=point.log10_stderr if math.isfinite(point.log10_stderr) else None,
        censored=point.censored,
    )


def _ion_density(labels: Sequence[Label], ions_per_A3: float | None) -> float:
    """Return the mobile ions in a cubic Angstrom: as stated, or from the mean density of the labels' cells."""
    if ions_per_A3 is not None:
        return ions_per_A3
    densities = [label.density_g_cm3 for label in labels if label.density_g_cm3]
    if len(densities) < len(labels):
        raise InputError("the labels state no density, which a conductivity needs: give --ions-per-A3")
    from pymatgen.core import Composition  # noqa: PLC0415 - slow to import

    composition = Composition(labels[0].reduced_formula)
    grams = float(composition.weight) * GRAMS_PER_U
    return float(composition[labels[0].species]) * float(np.mean(densities)) / grams / A3_PER_CM3


def _predict(fit: ArrheniusFit, temperature_K: float, squared_charges_per_A3: float | None) -> ArrheniusPrediction:
    prediction = ArrheniusPrediction.model_validate(vars(fit.predict(temperature_K)))
    if squared_charges_per_A3 is None:
        return prediction
    conductivity = fit.predict_conductivity(temperature_K, squared_charges_per_A3=squared_charges_per_A3)
    return prediction.model_copy(
        update={
            "conductivity_S_per_cm": conductivity.value_S_per_cm,
            "conductivity_68_S_per_cm": conductivity.interval_68,
            "conductivity_95_S_per_cm": conductivity.interval_95,
        }
    )


def _line(fit: ArrheniusFit, lowest_K: float, highest_K: float) -> tuple[ArrheniusPrediction, ...]:
    nodes = np.linspace(1 / highest_K, 1 / lowest_K, LINE_NODES)
    inverse = np.unique([*nodes, *(1 / kelvin for kelvin in fit.temperatures_K)])
    return tuple(_predict(fit, float(1 / node), None) for node in inverse)
