"""The ranked candidates: each cell with the best that is known of it at the target temperature."""

import math
from dataclasses import dataclass
from enum import StrEnum

from vitrion.report.data import Cell, LabelRow, Prediction, ReportData
from vitrion_workflows.schemas import LabelState, Origin, describe_failures

TWO_SIDED_95 = 1.96


class Source(StrEnum):
    """How a candidate's diffusivity is known."""

    MEASURED = "measured"
    BOUND = "upper bound"
    PREDICTED = "predicted"


@dataclass(frozen=True)
class Ranked:
    """One cell in the ranking, in decades of cm2/s at the target temperature.

    Attributes:
        formula: reduced formula.
        fingerprint: the cell.
        origin: how it was made.
        source: measured by molecular dynamics, bounded by it, or predicted by the surrogate.
        log10_D: the value.
        interval: its 95 % interval, None for a bound.
        nature: mean and standard deviation of log10 D once the potential's own error is in it, None where that is not
            known; for a bound the bound and the deviation of that error.
        Ea_eV: activation energy by the surrogate.
        extrapolating: whether the surrogate says that it extrapolates.
        labels: labels of the cell at any temperature.
        failed_gates: gates of the cell and of the label behind the value that did not pass.
    """

    formula: str
    fingerprint: str
    origin: Origin
    source: Source
    log10_D: float
    interval: tuple[float, float] | None
    nature: tuple[float, float] | None
    Ea_eV: float | None
    extrapolating: bool
    labels: int
    failed_gates: tuple[str, ...]


def rank(data: ReportData) -> list[Ranked]:
    """All cells of which something is known, the fastest first; bounds after values."""
    predictions = {row.fingerprint: row for row in data.predictions}
    cells = {cell.fingerprint: cell for cell in data.cells}
    known = dict.fromkeys([*(label.fingerprint for label in data.labels), *predictions])
    rows = [
        ranked
        for fingerprint in known
        if (ranked := _one(data, fingerprint, predictions.get(fingerprint), cells.get(fingerprint))) is not None
    ]
    return sorted(rows, key=lambda row: (row.source is Source.BOUND, -row.log10_D, row.formula))


def _one(data: ReportData, fingerprint: str, belief: Prediction | None, cell: Cell | None) -> Ranked | None:
    labels = [label for label in data.labels if label.fingerprint == fingerprint]
    asked = [
        label
        for label in labels
        if label.temperature_K == data.target_temperature_K
        and label.value_cm2_s
        and label.state is not LabelState.REJECTED
    ]
    failed = tuple(gate.name for gate in (cell.gates if cell else ()) if not gate.passed)
    label = min(asked, key=lambda row: row.state is not LabelState.ACCEPTED, default=None)
    if label is None and belief is None:
        return None
    source, value, interval = _value(label, belief)
    described = label or belief
    if described is None or math.isnan(value):
        return None
    return Ranked(
        formula=described.formula,
        fingerprint=fingerprint,
        origin=described.origin,
        source=source,
        log10_D=value,
        interval=interval,
        nature=_nature(data, described.formula, value, interval),
        Ea_eV=belief.Ea_eV if belief else None,
        extrapolating=bool(belief and belief.extrapolating and label is None),
        labels=len(labels),
        failed_gates=failed + describe_failures(label.gates if label else ()),
    )


def _value(label: LabelRow | None, belief: Prediction | None) -> tuple[Source, float, tuple[float, float] | None]:
    if label is not None and label.value_cm2_s:
        value = math.log10(label.value_cm2_s)
        if label.state is LabelState.CENSORED or label.interval_95_cm2_s is None:
            return Source.BOUND, value, None
        low, high = label.interval_95_cm2_s
        return Source.MEASURED, value, (math.log10(low) if low > 0 else -math.inf, math.log10(high))
    if belief is not None:
        return Source.PREDICTED, belief.log10_D, (belief.lower_95, belief.upper_95)
    return Source.PREDICTED, math.nan, None


def _nature(
    data: ReportData, formula: str, value: float, interval: tuple[float, float] | None
) -> tuple[float, float] | None:
    error = data.model_errors.get(formula)
    if error is None:
        return None
    half = 0.0 if interval is None else interval[1] - value
    return error.corrected(value, half / TWO_SIDED_95)


def tied_with_first(rows: list[Ranked]) -> int:
    """How many candidates after the first have an interval that reaches into the first one's."""
    if not rows or rows[0].interval is None:
        return 0
    floor = rows[0].interval[0]
    return sum(row.interval is not None and row.interval[1] >= floor for row in rows[1:])
