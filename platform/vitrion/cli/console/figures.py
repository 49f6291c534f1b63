"""Figures that commands draw: the Arrhenius plot, and MSD and other observables of a trajectory."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from vitrion.exchange.result_files import write_result
from vitrion_models.constants import Z_95
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vitrion.answers.arrhenius import ArrheniusAnswer
    from vitrion_workflows.arrhenius.fit import ArrheniusPoint
    from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
    from vitrion_workflows.transport.observables import Observables, SpeciesTransport

FORMATS = ("png", "svg", "pdf")
DOTS_PER_INCH = 150


def picture_format(path: Path) -> str:
    """Return the format that the ending of a file name stands for; call it before long work.

    Raises:
        InputError: the ending is not one of `FORMATS`.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise InputError(f"{path}: unknown picture format {path.suffix!r}; use .png, .svg or .pdf")
    return ending


def new_figure(*, width_in: float, height_in: float) -> "Figure":
    """Return an empty figure, which needs no display."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    return Figure(figsize=(width_in, height_in), layout="constrained")


def save(figure: "Figure", path: Path) -> None:
    """Write a figure to a file.

    Raises:
        InputError: the format is unknown, or the file cannot be written.
    """
    content = io.BytesIO()
    figure.savefig(content, format=picture_format(path), dpi=DOTS_PER_INCH)
    write_result(path, content.getvalue())


def arrhenius_figure(answer: "ArrheniusAnswer", points: Sequence["ArrheniusPoint"], *, title: str) -> "Figure":
    """Return the Arrhenius plot: labels, and the line, dashed outside the data; both with 95 % intervals."""
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


def msd_figure(estimate: "DiffusivityEstimate", *, species: str, title: str) -> "Figure":
    """Return a figure of the mean squared displacement with its 95 % bars and the fitted line."""
    figure = new_figure(width_in=6.4, height_in=4.8)
    axes = figure.add_subplot()
    _draw_msd(axes, estimate, species)
    axes.legend(frameon=False, fontsize="small", loc="upper left")
    figure.suptitle(title)
    return figure


def observables_figure(observables: "Observables", *, mobile: str, title: str) -> "Figure":
    """Return a figure of four panels: MSD, van Hove function, density of states, non-Gaussian parameter."""
    figure = new_figure(width_in=10.0, height_in=7.5)
    panels = figure.subplots(2, 2)
    transport = next(each for each in observables.species if each.species == mobile)
    _draw_msd(panels[0, 0], transport.estimate, mobile)
    _draw_van_hove(panels[0, 1], transport)
    for each in observables.species:
        if each.vibrations is not None:
            label = each.species if each.vibrations.resolved else f"{each.species} (frames too far apart)"
            panels[1, 0].plot(each.vibrations.frequency_THz, each.vibrations.density_per_THz, label=label)
        panels[1, 1].plot(each.non_gaussian.lag_ps, each.non_gaussian.alpha2, ".-", label=each.species)
    panels[1, 0].set(xlabel="frequency (THz)", ylabel="density of states (1/THz)", title="vibrations")
    panels[1, 0].set_ylim(bottom=0)
    panels[1, 1].axhline(0, color="grey", linewidth=0.5)
    panels[1, 1].set(xlabel="lag time (ps)", ylabel="alpha2", xscale="log", title="non-Gaussian parameter")
    for panel in panels.flat:
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False, fontsize="small", loc="upper left" if panel is panels[0, 0] else "best")
    figure.suptitle(title)
    return figure


def _draw_msd(axes: "Axes", estimate: "DiffusivityEstimate", species: str) -> None:
    first, last = estimate.fit_window_ps
    slope = estimate.fit.slope_A2 / estimate.frame_interval_ps
    errors = [Z_95 * error for error in estimate.msd.stderr_A2]
    axes.errorbar(
        estimate.msd.lag_ps, estimate.msd.msd_A2, yerr=errors, fmt=".", color="tab:blue", alpha=0.5, label="MSD, 95 %"
    )
    label = f"6 D t + c, D = {estimate.value_cm2_per_s:.3g} cm²/s"
    axes.plot([first, last], [estimate.intercept_A2 + slope * lag for lag in (first, last)], "k-", label=label)
    axes.set(xlabel="lag time (ps)", ylabel="MSD (Å²)", title=f"mean squared displacement of {species}")


def _draw_van_hove(axes: "Axes", transport: "SpeciesTransport") -> None:
    for lag, density in zip(transport.van_hove.lag_ps, transport.van_hove.density_per_A, strict=True):
        axes.plot(transport.van_hove.r_A, density, label=f"{lag:.3g} ps")
    title = f"van Hove function of {transport.species}, self part"
    axes.set(xlabel="r (Å)", ylabel="4πr² Gs(r, t) (1/Å)", title=title)
