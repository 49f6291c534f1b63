"""Charts as inline SVG: axes and panels, without script or network."""

from vitrion.report.charts.axis import Axis
from vitrion.report.charts.panel import Colour, Panel

__all__ = ["Axis", "Colour", "Panel"]
