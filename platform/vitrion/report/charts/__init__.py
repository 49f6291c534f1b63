"""A small chart layer: axes and panels as crisp inline SVG, no script, no network."""

from vitrion.report.charts.axis import Axis
from vitrion.report.charts.panel import Colour, Panel

__all__ = ["Axis", "Colour", "Panel"]
