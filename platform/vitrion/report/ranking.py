"""Ranking of the cells by their diffusivity at the target temperature, corrected for the error of the potential."""

import math
from dataclasses import dataclass, replace
from enum import StrEnum

from vitrion.report.data import Cell, Label, Prediction, ReportData
from vitrion_models.constants import Z_95
from vitrion_workflows.schemas import LabelState, Origin, describe_failures
from vitrion_workflows.schemas.error_budget import ErrorBudget


class Source(StrEnum):
    """Source of a candidate's diffusivity."""

    MEASURED = "measured"
    BOUND = "upper bound"
    PREDICTED = "predicted"


class Tie(StrEnum):
    """Reason why the order of a candidate and the first is not resolved."""

    NONE = ""
    CHANCE = "chance"  # their statistical errors, and those of one cell among many, are too large
    POTENTIAL = "potential"  # it would be resolved if the potential were exact


@dataclass(frozen=True)
class Ranked:
    """One cell in the ranking, in decades of cm2/s at the target temperature.

    Attributes:
        formula: reduced formula.
        fingerprint: the cell.
        origin: melt-quench or generated.
        source: measured by molecular dynamics, bounded by it, or predicted by the surrogate.
        log10_D: the value.
        interval: its 95 % interval, None for a bound.
        corrected: mean and standard deviation of log10 D corrected for the systematic error of the potential, None
            where that is unknown; for a bound the corrected bound and the deviation of that error.
        errors: of the corrected value, each contribution apart; None as above.
        tie: with the first of the ranking.
        Ea_eV: activation energy by the surrogate.
        extrapolating: True for a prediction outside the training domain.
        labels: labels of the cell at any temperature.
        force_r2: agreement of the label's forces with those of the reference potential, None without one.
        failed_gates: gates of the cell and of the label behind the value that did not pass.
    """

    formula: str
    fingerprint: str
    origin: Origin
    source: Source
    log10_D: float
    interval: tuple[float, float] | None
    corrected: tuple[float, float] | None
    Ea_eV: float | None
    extrapolating: bool
    labels: int
    force_r2: float | None
    failed_gates: tuple[str, ...]
    errors: ErrorBudget | None = None
    tie: Tie = Tie.NONE

    @property
    def best_estimate(self) -> float:
        """Corrected log10 D, or the potential's where its error is unknown."""
        return self.log10_D if self.corrected is None else self.corrected[0]


def rank(data: ReportData) -> list[Ranked]:
    """Return all cells with a label or prediction, the fastest by the corrected value first; bounds after values."""
    predictions = {row.fingerprint: row for row in data.predictions}
    cells = {cell.fingerprint: cell for cell in data.cells}
    fingerprints = dict.fromkeys([*(label.fingerprint for label in data.labels), *predictions])
    rows = [
        ranked
        for fingerprint in fingerprints
        if (ranked := _ranked(data, fingerprint, predictions.get(fingerprint), cells.get(fingerprint))) is not None
    ]
    ordered = sorted(rows, key=lambda row: (row.source is Source.BOUND, -row.best_estimate, row.formula))
    return [*ordered[:1], *(replace(row, tie=_tie(data, ordered[0], row)) for row in ordered[1:])]


def _ranked(data: ReportData, fingerprint: str, prediction: Prediction | None, cell: Cell | None) -> Ranked | None:
    labels = [label for label in data.labels if label.fingerprint == fingerprint]
    at_target = [
        label
        for label in labels
        if label.temperature_K == data.target_temperature_K
        and label.value_cm2_s
        and label.state is not LabelState.REJECTED
    ]
    failed = tuple(gate.name for gate in (cell.gates if cell else ()) if not gate.passed)
    label = min(at_target, key=lambda row: row.state is not LabelState.ACCEPTED, default=None)
    if label is None and prediction is None:
        return None
    source, value, interval = _value(label, prediction)
    described = label or prediction
    if described is None or math.isnan(value):
        return None
    by_label = data.label_errors.get(label.key) if label else None
    error, statistical = by_label or data.model_errors.get(described.formula), _statistical(value, interval)
    return Ranked(
        formula=described.formula,
        fingerprint=fingerprint,
        origin=described.origin,
        source=source,
        log10_D=value,
        interval=interval,
        corrected=error.corrected(value, statistical) if error else None,
        errors=error.budget.with_statistical(statistical) if error else None,
        Ea_eV=prediction.Ea_eV if prediction else None,
        extrapolating=bool(prediction and prediction.extrapolating and label is None),
        labels=len(labels),
        force_r2=label.force_r2 if label else None,
        failed_gates=failed + describe_failures(label.gates if label else ()),
    )


def _value(label: Label | None, prediction: Prediction | None) -> tuple[Source, float, tuple[float, float] | None]:
    if label is not None and label.value_cm2_s:
        value = math.log10(label.value_cm2_s)
        if label.state is LabelState.CENSORED or label.interval_95_cm2_s is None:
            return Source.BOUND, value, None
        low, high = label.interval_95_cm2_s
        return Source.MEASURED, value, (math.log10(low) if low > 0 else -math.inf, math.log10(high))
    if prediction is not None:
        return Source.PREDICTED, prediction.log10_D, (prediction.lower_95, prediction.upper_95)
    return Source.PREDICTED, math.nan, None


def _statistical(value: float, interval: tuple[float, float] | None) -> float:
    return 0.0 if interval is None else (interval[1] - value) / Z_95


def _tie(data: ReportData, first: Ranked, row: Ranked) -> Tie:
    """Return whether chance, or else the potential, may have put two candidates in this order."""
    if first.interval is None or row.interval is None:
        return Tie.NONE
    distance = first.best_estimate - row.best_estimate
    variance = 0.0
    for entry in (first, row):
        if entry.errors is None:
            variance += _statistical(entry.log10_D, entry.interval) ** 2
        else:
            variance += entry.errors.statistical**2 + entry.errors.protocol**2 + entry.errors.finite_size**2
    if distance < Z_95 * math.sqrt(variance):
        return Tie.CHANCE
    # What the errors of both share cancels from their ratio.
    covariance = data.model_covariances.get
    pairs = ((first.formula, first.formula, 1), (row.formula, row.formula, 1), (first.formula, row.formula, -2))
    variance += max(sum(weight * covariance((one, other), 0.0) for one, other, weight in pairs), 0.0)
    return Tie.POTENTIAL if distance < Z_95 * math.sqrt(variance) else Tie.NONE


def tied_with_first(rows: list[Ranked], *ties: Tie) -> int:
    """Return the number of candidates that are tied with the first for one of these reasons."""
    return sum(row.tie in ties for row in rows[1:])
