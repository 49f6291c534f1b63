"""Arrhenius plots of all labelled compositions."""

import math
from collections import defaultdict
from collections.abc import Sequence

from vitrion.report.charts import Axis, Colour, Panel
from vitrion.report.data import Label, Prediction, ReportData
from vitrion.report.figures.figure import Figure, Key, Mark
from vitrion.report.numbers import diffusivity, formula, plain
from vitrion_models.constants import LN_10, BOLTZMANN_eV_PER_K
from vitrion_models.errors import InputError
from vitrion_workflows.arrhenius.fit import ArrheniusFit, ArrheniusPoint, fit_arrhenius
from vitrion_workflows.schemas import LabelState, Origin

MOST_PANELS = 12
ARROW_ROOM = 3.0  # the arrow of an upper bound hangs below it by about this factor
WIDTH, HEIGHT = 300, 220
KEYS = (
    Key("melt-quenched cell, 95 %", Colour.MEASURED),
    Key("generated cell, 95 %", Colour.GENERATED, Mark.SQUARE),
    Key("upper bound (↓)", Colour.FAULT, Mark.LINE),
    Key("fit to the labels, Ea with 95 % interval", Colour.MEASURED, Mark.LINE),
    Key("surrogate", Colour.PREDICTED, Mark.DASH),
)


def figures(data: ReportData) -> list[Figure]:
    """Draw one panel for each composition on common scales, those with most temperatures first."""
    rows = [label for label in data.labels if label.value_cm2_s and label.state is not LabelState.REJECTED]
    if not rows:
        return []
    groups: defaultdict[str, list[Label]] = defaultdict(list)
    for label in rows:
        groups[label.formula].append(label)
    temperatures = sorted({label.temperature_K for label in rows} | {data.target_temperature_K})
    x = Axis.around("1000 / T  (1/K)", [1000 / kelvin for kelvin in temperatures], least_span=0.1)
    ends = [end for label in rows for end in _ends(label)]
    y = Axis.around("D (cm²/s)", ends, log=True, headroom=0.22)
    order = sorted(groups, key=lambda name: (-len({label.temperature_K for label in groups[name]}), name))
    predictions = {prediction.formula: prediction for prediction in reversed(data.predictions)}
    target = data.target_temperature_K
    return [
        Figure(_panel(groups[name], predictions.get(name), target_K=target, axes=(x, y)).svg(), heading=formula(name))
        for name in order[:MOST_PANELS]
    ]


def _ends(label: Label) -> tuple[float, ...]:
    value = label.value_cm2_s or 1.0
    if label.state is LabelState.CENSORED:
        return value, value / ARROW_ROOM
    return label.interval_95_cm2_s or (value,)


def fit(labels: Sequence[Label]) -> ArrheniusFit | None:
    """Fit the labels of a composition, upper bounds included; None below two measured temperatures."""
    points = [
        ArrheniusPoint(
            temperature_K=label.temperature_K,
            log10_D=math.log10(label.value_cm2_s),
            log10_stderr=label.log10_stderr or 0.0,
            censored=label.state is LabelState.CENSORED,
        )
        for label in labels
        if label.state is not LabelState.REJECTED and label.value_cm2_s
    ]
    try:
        return fit_arrhenius(points)
    except InputError:
        return None


def _panel(labels: list[Label], prediction: Prediction | None, *, target_K: float, axes: tuple[Axis, Axis]) -> Panel:
    x, y = axes
    panel = Panel(x, y, width=WIDTH, height=HEIGHT)
    marks = sorted({label.temperature_K for label in labels} | {target_K})
    panel.upper_axis([(1000 / kelvin, f"{kelvin:.0f}") for kelvin in marks], "T (K)")
    inverse = [x.low, x.high]
    if prediction is not None and prediction.Ea_eV is not None:
        rise = prediction.Ea_eV / (BOLTZMANN_eV_PER_K * LN_10)
        offset = prediction.log10_D + rise / target_K
        panel.line(
            inverse, [10 ** (offset - rise * u / 1000) for u in inverse], Colour.PREDICTED, width=1.3, dash="5 4"
        )
    line = fit(labels)
    if line is not None:
        panel.line(inverse, [10 ** line.predict(1000 / u).log10_D for u in inverse], Colour.MEASURED, width=1.2)
        low, high = line.Ea_95_eV
        panel.corner(f"Ea = {plain(line.Ea_eV)} ({plain(low)} to {plain(high)}) eV", right=True)
    for label in labels:
        _draw(panel, label)
    return panel


def _draw(panel: Panel, label: Label) -> None:
    value = label.value_cm2_s or 0.0
    place = 1000 / label.temperature_K
    words = f"{label.formula} {label.temperature_K:.0f} K"
    if label.state is LabelState.CENSORED:
        panel.upper_bound(place, value, Colour.FAULT, title=f"{words}: D < {diffusivity(value)} cm²/s")
        return
    generated = label.origin is Origin.GENERATED
    panel.point(
        place,
        value,
        Colour.GENERATED if generated else Colour.MEASURED,
        y_range=label.interval_95_cm2_s,
        square=generated,
        title=f"{words}: D = {diffusivity(value, label.interval_95_cm2_s)} cm²/s",
    )
