"""Figure of `vitrion arrhenius --plot`."""

from typing import TYPE_CHECKING

from vitrion.cli.console.figures import new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vitrion.answers.arrhenius import ArrheniusAnswer

Z_95 = 1.96


def arrhenius_figure(answer: "ArrheniusAnswer", *, title: str) -> "Figure":
    """Return the Arrhenius plot: labels with 95 % bars, the line and its predictive 95 % band, dashed outside the data.

    Args:
        answer: with its `line`.
        title: heading.
    """
    figure = new_figure(width_in=6.4, height_in=4.8)
    axes = figure.add_subplot()
    _draw_line(axes, answer)
    _draw_labels(axes, answer)
    axes.set(xlabel="1000 / T (1/K)", ylabel="log10 D (cm²/s)", title=title)
    axes.legend(frameon=False)
    return figure


def _draw_line(axes: "Axes", answer: "ArrheniusAnswer") -> None:
    inverse = [1000 / node.temperature_K for node in answer.line]
    low, high = zip(*(node.interval_95 for node in answer.line), strict=True)
    axes.fill_between(inverse, low, high, color="tab:blue", alpha=0.15, linewidth=0, label="95 % predictive")
    centre = [node.log10_D for node in answer.line]
    axes.plot(inverse, centre, "--", color="tab:blue", linewidth=1, label="extrapolated")
    measured = [(x, node.log10_D) for x, node in zip(inverse, answer.line, strict=True) if not node.extrapolated]
    label = f"Ea = {answer.Ea_eV:.3f} ± {answer.Ea_stderr_eV:.3f} eV"
    axes.plot(*zip(*measured, strict=True), color="tab:blue", label=label)


def _draw_labels(axes: "Axes", answer: "ArrheniusAnswer") -> None:
    measured = [label for label in answer.labels if not label.censored]
    bounds = [label for label in answer.labels if label.censored]
    axes.errorbar(
        [1000 / label.temperature_K for label in measured],
        [label.log10_D for label in measured],
        yerr=[Z_95 * (label.log10_stderr or 0.0) for label in measured],
        fmt="o",
        color="black",
        markersize=4,
        capsize=2,
        label="labels, 95 %",
    )
    if bounds:
        inverse = [1000 / label.temperature_K for label in bounds]
        axes.plot(inverse, [label.log10_D for label in bounds], "v", color="tab:red", label="upper bounds")
