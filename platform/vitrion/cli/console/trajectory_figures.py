"""Figures of `vitrion diffusivity`: MSD and other observables, with the state of D and 95 % intervals."""

import textwrap
from typing import TYPE_CHECKING

import numpy as np

from vitrion.cli.console.figures import BLUE, STATES, new_figure
from vitrion.report.numbers import diffusivity
from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS, Z_95
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.gate import failed_measurements

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vitrion_workflows.labelling.analysis import TrajectoryAnalysis
    from vitrion_workflows.transport.observables import Observables, SpeciesTransport

LINE_CHARACTERS = 78
SHOWN_DENSITY = 0.01  # the frequency axis ends where every density has fallen below this share of its maximum


def msd_figure(analysis: "TrajectoryAnalysis", *, source: str) -> "Figure":
    """Return a figure of the mean squared displacement with its 95 % bars, the fitted line and the state of D."""
    figure = new_figure(width_in=6.4, height_in=5.0)
    axes = figure.add_subplot()
    _draw_msd(axes, analysis)
    axes.legend(frameon=False, fontsize="small", loc="upper left")
    _add_title(figure, analysis, source=source, characters=LINE_CHARACTERS)
    return figure


def observables_figure(analysis: "TrajectoryAnalysis", observables: "Observables", *, source: str) -> "Figure":
    """Return a figure of four panels: MSD, van Hove function, density of states, non-Gaussian parameter."""
    figure = new_figure(width_in=10.0, height_in=8.0)
    panels = figure.subplots(2, 2)
    _draw_msd(panels[0, 0], analysis)
    panels[0, 0].set_title(f"mean squared displacement of {analysis.species}")
    _draw_van_hove(panels[0, 1], next(each for each in observables.species if each.species == analysis.species))
    _draw_vibrations(panels[1, 0], observables.species)
    _draw_non_gaussian(panels[1, 1], observables.species)
    for panel in panels.flat:
        if panel.get_legend_handles_labels()[0]:
            panel.legend(frameon=False, fontsize="small", loc="upper left" if panel is panels[0, 0] else "best")
    _add_title(figure, analysis, source=source, characters=2 * LINE_CHARACTERS)
    return figure


def describe_result(analysis: "TrajectoryAnalysis") -> str:
    """Return D in cm2/s with its 95 % interval, or as an upper bound where the data are censored."""
    value, interval = analysis.value_cm2_per_s, analysis.estimate.interval_95
    if analysis.checked_state is LabelState.CENSORED:
        return f"D < {diffusivity(value)} cm²/s (95 % upper bound)"
    if interval is None:
        return f"D = {diffusivity(value)} cm²/s, too uncertain for a 95 % interval"
    return f"D = {diffusivity(value, interval)} cm²/s, 95 %"


def describe_state(analysis: "TrajectoryAnalysis") -> str:
    """Return the state, with the measurements that failed and the number of checks that could not be made."""
    words = analysis.state.value
    if words != analysis.checked_state.value:
        words += f": {analysis.checked_state.value} as far as could be checked"
    if analysis.checked_state is LabelState.REJECTED:
        words += f" by {', '.join(failed_measurements(analysis.gates))}".replace("_", " ")
    absent = len(analysis.checks.not_checked)
    return f"{words}; {absent} check{'s' * (absent > 1)} not possible" if absent else words


def _add_title(figure: "Figure", analysis: "TrajectoryAnalysis", *, source: str, characters: int) -> None:
    lines = [f"{analysis.species} in {source}", describe_result(analysis), describe_state(analysis)]
    text = "\n".join(textwrap.fill(line, characters) for line in lines)
    figure.suptitle(text, fontsize="medium", color=STATES[analysis.state.value].colour)


def _draw_msd(axes: "Axes", analysis: "TrajectoryAnalysis") -> None:
    estimate, style = analysis.estimate, STATES[analysis.state.value]
    errors = [Z_95 * error for error in estimate.msd.stderr_A2]
    marker = style.options | {"fmt": "o" if style.marker == "_" else style.marker, "elinewidth": 0.8}
    axes.errorbar(estimate.msd.lag_ps, estimate.msd.msd_A2, yerr=errors, label="MSD, 95 %", **marker)
    # The line of an upper bound starts with the fitted one and is as steep as the data allow.
    window = np.array(estimate.fit_window_ps)
    slope = 2 * DIMENSIONS * analysis.value_cm2_per_s / A2_PER_PS_IN_CM2_PER_S
    fitted = estimate.fit.slope_A2 / estimate.frame_interval_ps
    start = estimate.intercept_A2 + fitted * window[0]
    line = "upper bound of 6 D t + c" if analysis.checked_state is LabelState.CENSORED else "fit, 6 D t + c"
    label = f"{line} ({analysis.state.value})"
    axes.plot(window, start + slope * (window - window[0]), style.line, color=BLUE, linewidth=2, zorder=3, label=label)
    if analysis.checked_state is LabelState.CENSORED:
        end = (window[1], start + slope * (window[1] - window[0]))
        axes.annotate("", xy=(window[1], start), xytext=end, arrowprops={"arrowstyle": "->", "color": BLUE})
    axes.set(xlabel="lag time (ps)", ylabel="MSD (Å²)")


def _draw_van_hove(axes: "Axes", transport: "SpeciesTransport") -> None:
    for lag, density in zip(transport.van_hove.lag_ps, transport.van_hove.density_per_A, strict=True):
        axes.plot(transport.van_hove.r_A, density, label=f"t = {lag:.3g} ps")
    title = f"van Hove function of {transport.species}, self part"
    axes.set(xlabel="r (Å)", ylabel="4πr² Gₛ(r, t) (1/Å)", title=title)


def _draw_vibrations(axes: "Axes", species: "Sequence[SpeciesTransport]") -> None:
    highest = 0.0
    for each in species:
        if (curve := each.vibrations) is None:
            continue
        axes.plot(
            curve.frequency_THz,
            curve.density_per_THz,
            label=each.species if curve.resolved else f"{each.species} (frames too far apart)",
        )
        shown = curve.density_per_THz > SHOWN_DENSITY * curve.density_per_THz.max()
        highest = max(highest, float(curve.frequency_THz[shown].max(initial=0.0)))
    axes.set(xlabel="frequency (THz)", ylabel="density of states (1/THz)", title="vibrations")
    axes.set_ylim(bottom=0)
    if highest > 0:
        axes.set_xlim(0, 1.1 * highest)


def _draw_non_gaussian(axes: "Axes", species: "Sequence[SpeciesTransport]") -> None:
    for each in species:
        curve = each.non_gaussian
        (drawn,) = axes.plot(curve.lag_ps, curve.alpha2, ".-", label=each.species)
        low, high = curve.alpha2 - Z_95 * curve.stderr, curve.alpha2 + Z_95 * curve.stderr
        axes.fill_between(curve.lag_ps, low, high, color=drawn.get_color(), alpha=0.15, linewidth=0)
    axes.axhline(0, color="grey", linewidth=0.5)
    axes.set(
        xlabel="lag time (ps)", ylabel="α₂ (dimensionless)", xscale="log", title="non-Gaussian parameter, 95 % bands"
    )
