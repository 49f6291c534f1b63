"""Mean squared displacements with the fit of the diffusivity."""

import numpy as np

from vitrion.report.charts import Axis, Colour, Panel
from vitrion.report.data import Label, ReportData
from vitrion.report.figures.figure import Figure, Key, Mark
from vitrion.report.numbers import diffusivity, formula, plain
from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS, Z_95
from vitrion_workflows.schemas import LabelState, MsdTable

MOST_PANELS = 6
KEYS = (
    Key("MSD and D, 95 % intervals", Colour.MEASURED, Mark.LINE),
    Key("fit, 6 D t + c", Colour.GENERATED, Mark.DASH),
    Key("lag times of the fit", "#e2d9c4", Mark.BAND),
)


def figures(data: ReportData) -> list[Figure]:
    """Draw selected labels: the fastest, the slowest, labels not accepted, and others between."""
    return [_figure(label) for label in choose(data)]


def choose(data: ReportData) -> list[Label]:
    """Return at most six labels, each composition once where possible."""
    shown = [label for label in data.labels if label.msd is not None]
    accepted = sorted((label for label in shown if label.state is LabelState.ACCEPTED), key=_value, reverse=True)
    others = [label for label in shown if label.state is not LabelState.ACCEPTED]
    ranked = [*accepted[:1], *others[:2], *accepted[-1:], *accepted]
    chosen: list[Label] = []
    for allow_repeated in (False, True):
        for label in ranked:
            new = allow_repeated or label.formula not in {other.formula for other in chosen}
            if new and label not in chosen and len(chosen) < MOST_PANELS:
                chosen.append(label)
    return sorted(chosen, key=_value, reverse=True)


def _value(label: Label) -> float:
    return label.value_cm2_s or 0.0


def _figure(label: Label) -> Figure:
    table = label.msd or MsdTable(lag_ps=(), msd_A2=(), stderr_A2=())
    msd = np.asarray(table.msd_A2)
    error = Z_95 * np.asarray(table.stderr_A2)
    x = Axis.around("lag time (ps)", table.lag_ps, log=True)
    y = Axis.around("MSD (Å²)", [value for value in (*msd, *(msd + error)) if value > 0], log=True, headroom=0.3)
    panel = Panel(x, y, width=300, height=230)
    if label.fit_window_ps:
        panel.span_x(*label.fit_window_ps, title="lag times of the fit")
    panel.band(table.lag_ps, (msd - error).tolist(), (msd + error).tolist(), Colour.MEASURED)
    panel.line(table.lag_ps, table.msd_A2, Colour.MEASURED)
    _draw_fit(panel, label, table)
    for line, words in enumerate(_annotations(label)):
        panel.corner(words, line=line, colour=Colour.INK if label.state is LabelState.ACCEPTED else Colour.FAULT)
    return Figure(panel.svg(), heading=f"{formula(label.formula)}, {label.temperature_K:.0f} K")


def _draw_fit(panel: Panel, label: Label, table: MsdTable) -> None:
    if label.fit_window_ps is None or not label.value_cm2_s or label.state is not LabelState.ACCEPTED:
        return
    slope = 2 * DIMENSIONS * label.value_cm2_s / A2_PER_PS_IN_CM2_PER_S
    lag, msd, error = (np.asarray(column) for column in (table.lag_ps, table.msd_A2, table.stderr_A2))
    inside = (lag >= label.fit_window_ps[0]) & (lag <= label.fit_window_ps[1])
    if not inside.any():
        return
    # The label stores the slope; the intercept is the weighted mean of the remainder.
    weights = 1.0 / np.maximum(error[inside], 1e-9) ** 2
    intercept = float(np.average(msd[inside] - slope * lag[inside], weights=weights))
    panel.line(lag[inside].tolist(), (slope * lag[inside] + intercept).tolist(), Colour.GENERATED, width=2, dash="6 4")


def _annotations(label: Label) -> list[str]:
    if label.value_cm2_s is None:
        result = "no diffusivity"
    elif label.state is LabelState.CENSORED:
        result = f"D < {diffusivity(label.value_cm2_s)} cm²/s"
    else:
        result = f"D = {diffusivity(label.value_cm2_s, label.interval_95_cm2_s)} cm²/s"
    state = (
        "" if label.state is LabelState.ACCEPTED else f"{label.state.value}: {', '.join(_failed(label))}".rstrip(": ")
    )
    exponent = "" if label.exponent is None else f"slope {plain(label.exponent)}"
    effective = "" if label.n_eff is None else f"N_eff {label.n_eff:.0f}"
    return [line for line in (result, ", ".join(filter(None, (exponent, effective))), state) if line]


def _failed(label: Label) -> list[str]:
    return [gate.name.replace("_", " ") for gate in label.gates if not gate.passed]
