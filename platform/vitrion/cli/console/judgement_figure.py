"""Picture of `vitrion potentials judge`: forces, stiffness and volumes of each composition, by potential."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from vitrion.cli.console.figures import BLUE, GREY, INK, ORANGE, RED, new_figure
from vitrion.report.numbers import formula

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from vitrion.answers.judgement import JudgedComposition

    Value: TypeAlias = Callable[[JudgedComposition], float | None]

STYLES = ((BLUE, "o"), (ORANGE, "s"), (RED, "^"), (INK, "D"), (GREY, "v"))
WIDTH_OF_A_COMPOSITION_IN = 0.19
LEAST_WIDTH_IN, MARGIN_IN = 6.0, 1.5
HEIGHT_OF_A_PANEL_IN, HEIGHT_OF_NAMES_IN = 1.6, 1.8
LEAST_R2 = -0.5  # shown; worse ones lie at the edge


def judgement_figure(judgements: "Sequence[JudgedComposition]") -> "Figure":
    """Return the picture: one column a composition, in the order of chemistry, one marker a potential.

    Compositions with a hole, or with bonds that the reference drives apart, have open markers in the panels of forces.
    Panels without any number are left out.
    """
    columns = sorted({(each.chemistry, each.formula) for each in judgements})
    panels = [panel for panel in _PANELS if any(panel[1](each) is not None for each in judgements)] or _PANELS[:1]
    figure = new_figure(
        width_in=max(LEAST_WIDTH_IN, MARGIN_IN + WIDTH_OF_A_COMPOSITION_IN * len(columns)),
        height_in=HEIGHT_OF_NAMES_IN + HEIGHT_OF_A_PANEL_IN * len(panels),
    )
    all_axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
    for axes, (title, value, faulty) in zip(all_axes, panels, strict=True):
        _draw(axes, judgements, [name for _, name in columns], value, faulty)
        axes.set_ylabel(title, fontsize="small")
        for index, (left, right) in enumerate(pairwise(columns)):
            if left[0] != right[0]:
                axes.axvline(index + 0.5, color=GREY, linewidth=0.5, linestyle=":")
    all_axes[0].legend(fontsize="small", frameon=False, ncols=3, loc="lower left", bbox_to_anchor=(0, 1.0))
    names = [f"{formula(name)} ({chemistry})" for chemistry, name in columns]
    all_axes[-1].set_xticks(range(len(columns)), names, rotation=90, fontsize="x-small")
    return figure


def _draw(
    axes: "Axes",
    judgements: "Sequence[JudgedComposition]",
    formulas: Sequence[str],
    value: "Value",
    faulty: "Callable[[JudgedComposition], bool]",
) -> None:
    pairs = dict.fromkeys((each.potential, each.reference) for each in judgements)
    for index, (potential, reference) in enumerate(pairs):
        colour, marker = STYLES[index % len(STYLES)]
        members = [each for each in judgements if (each.potential, each.reference) == (potential, reference)]
        for open_marker in (False, True):
            points = [(formulas.index(each.formula), value(each)) for each in members if faulty(each) == open_marker]
            shown = [(x, y) for x, y in points if y is not None]
            axes.plot(
                [x for x, _ in shown],
                [y for _, y in shown],
                marker,
                color=colour,
                markerfacecolor="white" if open_marker else colour,
                markersize=4,
                label=None if open_marker else f"{potential} against {reference}",
            )
    axes.axhline(1.0, color=GREY, linewidth=0.8)


def _own_r2(each: "JudgedComposition") -> float | None:
    own = each.judgement.own_frames
    return None if own is None else max(own.agreement.r2, LEAST_R2)


def _other_r2(each: "JudgedComposition") -> float | None:
    frames = each.judgement.reference_frames
    return None if frames is None else max(frames.agreement.r2, LEAST_R2)


def _inverse_slope(each: "JudgedComposition") -> float | None:
    frames = each.judgement.reference_frames or each.judgement.own_frames
    return None if frames is None else frames.agreement.inverse_slope


def _melt_ratio(each: "JudgedComposition") -> float | None:
    return each.melt_volume_over(each.aimd_volume_A3_per_atom)


def _crystal_ratio(each: "JudgedComposition") -> float | None:
    crystal = each.judgement.crystal
    if crystal is None or crystal.equation is None:
        return None
    return crystal.equation.volume_A3_per_atom / crystal.volume_A3_per_atom


def _fault_of_own(each: "JudgedComposition") -> bool:
    own = each.judgement.own_frames
    return own is not None and bool(own.hole or own.denied_bond)


def _fault_of_other(each: "JudgedComposition") -> bool:
    frames = each.judgement.reference_frames
    return frames is not None and bool(frames.hole or frames.denied_bond)


def _sound(_each: "JudgedComposition") -> bool:
    return False


_PANELS: "tuple[tuple[str, Value, Callable[[JudgedComposition], bool]], ...]" = (
    ("R² of forces,\nown melt", _own_r2, _fault_of_own),
    ("R² of forces,\nother frames", _other_r2, _fault_of_other),
    ("inverse slope,\nother or own", _inverse_slope, _sound),
    ("melt volume\nover AIMD", _melt_ratio, _sound),
    ("crystal volume\nover given", _crystal_ratio, _sound),
)
