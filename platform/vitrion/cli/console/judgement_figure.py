"""Picture of `vitrion potentials judge`: forces, stiffness and melt volume of each composition, by potential."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

from vitrion.cli.console.figures import BLUE, GREY, INK, ORANGE, RED, new_figure
from vitrion.report.numbers import formula

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from vitrion.answers.judgement import JudgedComposition

    Figures: TypeAlias = Callable[[JudgedComposition], float | None]

STYLES = ((BLUE, "o"), (ORANGE, "s"), (RED, "^"), (INK, "D"), (GREY, "v"))
WIDTH_OF_A_COMPOSITION_IN = 0.19
LEAST_WIDTH_IN = 6.0
LEAST_R2 = -0.5


def judgement_figure(judgements: "Sequence[JudgedComposition]") -> "Figure":
    """Return the picture: one column a composition, in the order of chemistry, one marker a potential."""
    columns = sorted({(each.chemistry, each.formula) for each in judgements})
    place = {name: index for index, (_, name) in enumerate(columns)}
    width = max(LEAST_WIDTH_IN, 1.5 + WIDTH_OF_A_COMPOSITION_IN * len(columns))
    figure = new_figure(width_in=width, height_in=8.0)
    panels = figure.subplots(4, 1, sharex=True)
    potentials = list(dict.fromkeys((each.potential, each.reference) for each in judgements))
    for panel, (title, value, ideal) in zip(panels, _PANELS, strict=True):
        for index, (potential, reference) in enumerate(potentials):
            colour, marker = STYLES[index % len(STYLES)]
            members = [each for each in judgements if (each.potential, each.reference) == (potential, reference)]
            points = [(place[each.formula], value(each)) for each in members]
            shown = [(x, y) for x, y in points if y is not None]
            panel.plot(
                *zip(*shown, strict=True) if shown else ([], []),
                marker,
                color=colour,
                markersize=4,
                label=f"{potential} against {reference}",
            )
        panel.axhline(ideal, color=GREY, linewidth=0.8)
        panel.set_ylabel(title, fontsize="small")
        for boundary in _boundaries([chemistry for chemistry, _ in columns]):
            panel.axvline(boundary, color=GREY, linewidth=0.5, linestyle=":")
    panels[0].legend(fontsize="small", frameon=False, ncols=len(potentials), loc="lower left", bbox_to_anchor=(0, 1.0))
    labels = [f"{formula(name)} ({chemistry})" for chemistry, name in columns]
    panels[-1].set_xticks(range(len(columns)), labels, rotation=90, fontsize="x-small")
    return figure


def _own_r2(each: "JudgedComposition") -> float | None:
    own = each.judgement.own_frames
    return None if own is None else max(own.agreement.r2, LEAST_R2)


def _reference_r2(each: "JudgedComposition") -> float | None:
    frames = each.judgement.reference_frames
    return None if frames is None else max(frames.agreement.r2, LEAST_R2)


def _reference_inverse_slope(each: "JudgedComposition") -> float | None:
    frames = each.judgement.reference_frames
    return None if frames is None else frames.agreement.inverse_slope


def _volume_ratio(each: "JudgedComposition") -> float | None:
    return each.melt_volume_over(each.aimd_volume_A3_per_atom)


def _boundaries(chemistries: Sequence[str]) -> list[float]:
    return [index + 0.5 for index, (left, right) in enumerate(pairwise(chemistries)) if left != right]


_PANELS: "tuple[tuple[str, Figures, float], ...]" = (
    (f"R² of forces,\nown melt (≥ {LEAST_R2:g})", _own_r2, 1.0),
    (f"R² of forces,\nrun of reference (≥ {LEAST_R2:g})", _reference_r2, 1.0),
    ("inverse slope,\nrun of reference", _reference_inverse_slope, 1.0),
    ("melt volume\nover AIMD", _volume_ratio, 1.0),
)
