"""Radial distribution functions of generated and melt-quenched cells."""

import numpy as np

from vitrion.report.charts import Axis, Colour, Panel
from vitrion.report.data import RdfComparison, ReportData
from vitrion.report.figures.figure import Figure, Key, Mark
from vitrion.report.numbers import count, formula

MOST_PANELS = 6
KEYS = (
    Key("melt-quenched, mean and range over cells", Colour.MEASURED, Mark.LINE),
    Key("generated, mean and range over cells", Colour.GENERATED, Mark.DASH),
)


def figures(data: ReportData) -> list[Figure]:
    """Draw the formulas that have cells of both kinds; if none has, the quenched cells alone."""
    both = [comparison for comparison in data.rdfs if comparison.generated and comparison.quenched]
    return [_figure(comparison) for comparison in (both or data.rdfs)[:MOST_PANELS]]


def overlap(comparison: RdfComparison) -> float | None:
    """Return the overlap of the two mean curves: one minus half the area between them over the mean of their areas.

    It lies between zero (disjoint) and one (equal); None unless both kinds exist.
    """
    if not (comparison.generated and comparison.quenched):
        return None
    quenched, generated = (np.mean(group, axis=0) for group in (comparison.quenched, comparison.generated))
    area = float(np.sum(quenched + generated))
    return 1.0 - float(np.sum(np.abs(quenched - generated))) / area if area > 0 else None


def _figure(comparison: RdfComparison) -> Figure:
    x = Axis("r (Å)", 0.0, max(comparison.r_A))
    curves = [value for group in (comparison.quenched, comparison.generated) for curve in group for value in curve]
    y = Axis.around("g(r)", curves, include=(0.0,))
    panel = Panel(x, Axis(y.label, 0.0, y.high), width=320, height=224)
    panel.level(1.0)
    for group, colour, dash in (
        (comparison.quenched, Colour.MEASURED, ""),
        (comparison.generated, Colour.GENERATED, "6 3"),
    ):
        if not group:
            continue
        table = np.asarray(group)
        if len(table) > 1:
            panel.band(comparison.r_A, table.min(axis=0).tolist(), table.max(axis=0).tolist(), colour)
        panel.line(comparison.r_A, table.mean(axis=0).tolist(), colour, dash=dash)
    similarity = overlap(comparison)
    panel.corner(f"{count(len(comparison.quenched), 'quenched cell')}", right=True, colour=Colour.MEASURED)
    if comparison.generated:
        panel.corner(f"{len(comparison.generated)} generated", line=1, right=True, colour=Colour.GENERATED)
    if similarity is not None:
        panel.corner(f"overlap {100 * similarity:.0f} %", line=2, right=True)
    return Figure(panel.svg(), heading=f"{formula(comparison.formula)}, {comparison.pair}")
