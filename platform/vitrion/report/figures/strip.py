"""Intervals drawn inside table rows on one logarithmic scale."""

from collections.abc import Sequence

from markupsafe import Markup

from vitrion.report.charts import Axis, Colour
from vitrion.report.charts.svg import element, tooltip

WIDTH, HEIGHT = 230, 24
EDGE = 16


class Strip:
    """Drawing of the rows and of the scale above them."""

    def __init__(self, decades: Sequence[float]) -> None:
        """Make a scale that covers all values, given as log10 D."""
        self._axis = Axis.around("", [10**value for value in decades], log=True, least_span=1.0)

    def scale(self) -> Markup:
        """Draw the ticks, for the head of the table."""
        words = [
            element("text", words=text, class_="tick", x=self._x(value), y=15, text_anchor="middle")
            for value, text in self._axis.marks()
        ]
        return self._svg(*words)

    def row(self, log10_D: float, interval: tuple[float, float] | None, colour: Colour, *, hollow: bool) -> Markup:
        """Draw one value with its interval; without an interval, an upper bound with an arrow."""
        x, y = self._x(10**log10_D), HEIGHT / 2
        grid = "".join(f"M{self._x(value):.1f},0v{HEIGHT}" for value, _ in self._axis.marks())
        parts = [element("path", class_="grid", d=grid)]
        if interval is None:
            parts.append(
                element(
                    "path",
                    d=f"M{x:.1f},{y - 5}v10m0,-5h-16m5,-4l-5,4l5,4",
                    stroke=colour,
                    stroke_width=1.4,
                    fill="none",
                ),
            )
        else:
            left, right = (self._x(10**end) for end in interval)
            parts.append(element("path", d=f"M{left:.1f},{y}H{right:.1f}", stroke=colour, stroke_width=2))
            fill = "#fffdf9" if hollow else colour
            parts.append(
                element(
                    "circle",
                    tooltip(f"log10 D = {log10_D:.2f}"),
                    cx=x,
                    cy=y,
                    r=4,
                    fill=fill,
                    stroke=colour,
                    stroke_width=1.6,
                ),
            )
        return self._svg(*parts)

    def _x(self, value: float) -> float:
        return EDGE + min(max(self._axis.place(value), 0.0), 1.0) * (WIDTH - 2 * EDGE)

    @staticmethod
    def _svg(*parts: str) -> Markup:
        box = f"0 0 {WIDTH} {HEIGHT}"
        return Markup(element("svg", *parts, viewBox=box, class_="strip", role="presentation"))  # noqa: S704 - escaped
