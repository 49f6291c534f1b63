"""Arrhenius plot of `vitrion arrhenius`: labels by state, the fitted line, and predictions, with 95 % intervals."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vitrion.cli.console.figures import BLUE, GREY, RED, STATES, StateStyle, new_figure
from vitrion.database.queries.quantity import PUBLISHED
from vitrion.report.numbers import decades, formula
from vitrion_models.constants import Z_95

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vitrion.answers.arrhenius import ArrheniusAnswer, ArrheniusPrediction, Labels
    from vitrion_workflows.arrhenius.fit import ArrheniusPoint

PREDICTION = StateStyle("D", BLUE)
MOST_LISTED = 4  # predictions with an entry of their own in the legend
LEAST_TICK_DISTANCE = 0.07  # between temperatures on the upper axis, as a share of its length
ARROW_FACTOR = 0.5  # the arrow of an upper bound reaches down to this multiple of it


def arrhenius_figure(
    answer: "ArrheniusAnswer",
    line: "Sequence[ArrheniusPrediction]",
    labels: "Labels",
    points: "Sequence[ArrheniusPoint]",
) -> "Figure":
    """Return the Arrhenius plot, D in cm2/s on a logarithmic scale against 1000 / T, all intervals 95 %.

    Args:
        answer: the fit, with the predictions that were asked for.
        line: predictions along the line, in the order of temperature.
        labels: labels of the fit.
        points: the same labels as points, in the same order.
    """
    figure = new_figure(width_in=6.4, height_in=5.2)
    axes = figure.add_subplot()
    for label, point in zip(labels, points, strict=True):
        _draw_label(axes, str(label.state), point)
    _draw_line(axes, answer, line)
    _draw_predictions(axes, answer)
    axes.set(xlabel="1000 / T (1/K)", ylabel="D (cm²/s)", yscale="log")
    predicted = {prediction.temperature_K for prediction in answer.predictions}
    _add_temperatures(axes, predicted | {point.temperature_K for point in points})
    axes.set_title(_title(answer, labels), fontsize="medium", color=RED if answer.curved else "black")
    handles, names = axes.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    order = sorted(unique, key=lambda name: name.split(":")[0] not in STATES)  # labels first
    options: dict[str, Any] = {"frameon": False, "fontsize": "small", "title_fontsize": "small", "alignment": "left"}
    axes.legend([unique[name] for name in order], order, title="bars, bands and brackets: 95 % intervals", **options)
    return figure


def _title(answer: "ArrheniusAnswer", labels: "Labels") -> str:
    counts = Counter(str(label.state) for label in labels)
    version = "" if answer.gate_version == PUBLISHED else f", gate version {answer.gate_version}"
    lines = [
        f"{answer.species} in {formula(answer.material)}, {answer.potential}{version}",
        f"labels: {', '.join(f'{count} {state}' for state, count in sorted(counts.items()))}",
    ]
    if answer.curved:
        lines.append("the labels deviate from a straight line: do not extrapolate")
    return "\n".join(lines)


def _draw_line(axes: "Axes", answer: "ArrheniusAnswer", line: "Sequence[ArrheniusPrediction]") -> None:
    inverse, centre = _curve(line)
    for of, name, shade in (("a further cell", "interval_95", 0.12), ("the line", "line_95", 0.25)):
        lower, upper = (_powers(getattr(node, name)[end] for node in line) for end in (0, 1))
        axes.fill_between(inverse, lower, upper, color=BLUE, alpha=shade, linewidth=0, label=f"band for {of}")
    low, high = answer.Ea_95_eV
    words = f"fit, Eₐ = {answer.Ea_eV:.3f} ({low:.3f} to {high:.3f}) eV"
    axes.plot(*_curve([node for node in line if not node.extrapolated]), "-", color=BLUE, label=words)
    if any(node.extrapolated for node in line):
        axes.plot(inverse, centre, "--", color=BLUE, linewidth=1, label="extrapolated line")


def _draw_label(axes: "Axes", state: str, point: "ArrheniusPoint") -> None:
    inverse, value, style = 1000 / point.temperature_K, 10**point.log10_D, STATES[state]
    if point.censored:
        drop = value * (1 - ARROW_FACTOR)
        axes.errorbar(inverse, value, yerr=drop, uplims=True, **style.options)
        axes.plot([], [], marker=r"$\downarrow$", linestyle="", color=style.colour, label=f"{state}: upper bound")
        return
    reach = Z_95 * point.log10_stderr
    errors = [[value - 10 ** (point.log10_D - reach)], [10 ** (point.log10_D + reach) - value]]
    axes.errorbar(inverse, value, yerr=errors, label=state, **style.options)


def _draw_predictions(axes: "Axes", answer: "ArrheniusAnswer") -> None:
    for prediction in answer.predictions:
        value = 10**prediction.log10_D
        low, high = _powers(prediction.interval_95)
        words = "prediction"
        if len(answer.predictions) <= MOST_LISTED:
            number = decades(prediction.log10_D, prediction.interval_95)
            words = f"{prediction.temperature_K:g} K{', extrapolated' * prediction.extrapolated}: D = {number} cm²/s"
        place = (1000 / prediction.temperature_K, value)
        axes.errorbar(*place, yerr=[[value - low], [high - value]], label=words, **PREDICTION.options)


def _add_temperatures(axes: "Axes", temperatures_K: Iterable[float]) -> None:
    """Mark temperatures in K along the upper edge, leaving out those too close to the one before."""
    upper = axes.secondary_xaxis("top", functions=(lambda inverse: inverse, lambda inverse: inverse))
    left, right = axes.get_xlim()
    ticks: list[float] = []
    for kelvin in sorted(temperatures_K, reverse=True):
        if not ticks or 1000 / kelvin - 1000 / ticks[-1] > LEAST_TICK_DISTANCE * (right - left):
            ticks.append(kelvin)
    upper.set_xticks([1000 / kelvin for kelvin in ticks], [f"{kelvin:.0f}" for kelvin in ticks])
    upper.tick_params(colors=GREY, labelcolor="black")
    upper.set_xlabel("T (K)")


def _curve(line: "Sequence[ArrheniusPrediction]") -> tuple[list[float], list[float]]:
    return [1000 / node.temperature_K for node in line], _powers(node.log10_D for node in line)


def _powers(logarithms: Iterable[float]) -> list[float]:
    return [10**value for value in logarithms]
