"""Figure of `vitrion arrhenius --plot`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from vitrion.cli.console.figures import new_figure
from vitrion_models.constants import Z_95

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vitrion.answers.arrhenius import ArrheniusAnswer
    from vitrion_workflows.arrhenius.fit import ArrheniusPoint


def arrhenius_figure(answer: "ArrheniusAnswer", points: Sequence["ArrheniusPoint"], *, title: str) -> "Figure":
    """Return the Arrhenius plot: labels with 95 % bars, the line and its predictive 95 % band, dashed outside the data.

    Args:
        answer: with predictions along the line.
        points: the labels.
        title: heading.
    """
    figure = new_figure(width_in=6.4, height_in=4.8)
    axes = figure.add_subplot()
    line = sorted(answer.predictions, key=lambda prediction: prediction.temperature_K)
    inverse, centre = [1000 / node.temperature_K for node in line], [node.log10_D for node in line]
    low, high = zip(*(node.interval_95 for node in line), strict=True)
    axes.fill_between(inverse, low, high, color="tab:blue", alpha=0.15, linewidth=0, label="95 % predictive")
    axes.plot(inverse, centre, "--", color="tab:blue", linewidth=1, label="extrapolated")
    inside = [node for node in line if not node.extrapolated]
    label = f"Ea = {answer.Ea_eV:.3f} ± {answer.Ea_stderr_eV:.3f} eV"
    axes.plot([1000 / node.temperature_K for node in inside], [node.log10_D for node in inside], "b-", label=label)
    for point in points:
        place = (1000 / point.temperature_K, point.log10_D)
        if point.censored:
            axes.plot(*place, "v", color="tab:red", label="upper bound")
        else:
            error = Z_95 * point.log10_stderr
            axes.errorbar(*place, yerr=error, fmt="o", color="black", markersize=4, capsize=2, label="label, 95 %")
    axes.set(xlabel="1000 / T (1/K)", ylabel="log10 D (cm²/s)", title=title)
    handles, names = axes.get_legend_handles_labels()
    unique = dict(zip(names, handles, strict=True))
    axes.legend(list(unique.values()), list(unique), frameon=False)
    return figure
