"""Panel: one plot area with its axes, rendered as SVG."""

import hashlib
from collections.abc import Sequence
from enum import StrEnum

from markupsafe import Markup

from vitrion.report.charts.axis import Axis
from vitrion.report.charts.svg import element, tooltip

LEFT, RIGHT, TOP, BOTTOM = 68, 12, 14, 42  # LEFT: the label of the axis, and a tick such as 5×10⁻⁵
TOP_WITH_AXIS = 24
CAP = 2.5  # half width of an error bar's cap
POINT_RADIUS = 3.6
SQUARE_SIDE = 6.4
LINE_HEIGHT = 14
PAPER = "#fffdf9"


class Colour(StrEnum):
    """Colour-blind safe colours (after Okabe and Ito 2008), with the same meaning in all figures."""

    MEASURED = "#0b5a8a"
    GENERATED = "#c2500a"
    PREDICTED = "#00785a"
    RANDOM = "#857d70"
    FAULT = "#a8324a"
    INK = "#23211e"
    GREY = "#b9b3a8"


class Panel:
    """Plot area that collects marks in data coordinates."""

    def __init__(self, x: Axis, y: Axis, *, width: int = 360, height: int = 264, title: str = "") -> None:
        """Make an empty panel.

        Args:
            x: horizontal axis.
            y: vertical axis.
            width: width in SVG units, about pixels.
            height: height in SVG units.
            title: accessible name of the drawing.
        """
        self._x, self._y = x, y
        self._width, self._height = width, height
        self._title = title
        self._marks: list[str] = []
        self._upper: list[tuple[float, str]] = []
        self._upper_label = ""

    def upper_axis(self, marks: Sequence[tuple[float, str]], label: str) -> None:
        """Label the horizontal axis along the top too, for example T above 1/T."""
        self._upper, self._upper_label = list(marks), label

    def line(
        self,
        x: Sequence[float],
        y: Sequence[float],
        colour: str,
        *,
        width: float = 1.6,
        dash: str = "",
    ) -> None:
        """Draw a polyline; points that a log scale cannot show are left out."""
        self._marks.append(
            element(
                "polyline",
                points=self._path(x, y),
                fill="none",
                stroke=colour,
                stroke_width=width,
                stroke_dasharray=dash,
                stroke_linejoin="round",
            ),
        )

    def band(self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str) -> None:
        """Fill the area between two curves; on a log scale a lower end of zero reaches the axis."""
        floor = [max(value, self._y.low) for value in low] if self._y.log else low
        outline = f"{self._path(x, floor)} {self._path(x[::-1], high[::-1])}"
        self._marks.append(element("polygon", points=outline, fill=colour, fill_opacity=0.16))

    def span_x(self, low: float, high: float, *, colour: str = "#f0eadd", title: str = "") -> None:
        """Shade a range of the horizontal axis over the full height."""
        left, right = (self._px(min(max(value, self._x.low), self._x.high)) for value in (low, high))
        self._marks.append(
            element(
                "rect",
                tooltip(title),
                x=left,
                y=self._top,
                width=right - left,
                height=self._plot_height,
                fill=colour,
            ),
        )

    def level(self, y: float, *, colour: str = Colour.GREY, dash: str = "4 3") -> None:
        """Draw a horizontal line over the full width."""
        self.line([self._x.low, self._x.high], [y, y], colour, width=1, dash=dash)

    def point(
        self,
        x: float,
        y: float,
        colour: str,
        *,
        y_range: tuple[float, float] | None = None,
        x_range: tuple[float, float] | None = None,
        hollow: bool = False,
        square: bool = False,
        title: str = "",
    ) -> None:
        """Draw one point with error bars and tooltip."""
        px, py = self._px(x), self._py(y)
        bars = []
        if y_range:
            low, high = self._py(max(y_range[0], self._y.low)), self._py(y_range[1])
            caps = "".join(f"M{px - CAP:.1f},{end:.1f}h{2 * CAP}" for end in (low, high))
            bars.append(f"M{px:.1f},{low:.1f}V{high:.1f}{caps}")
        if x_range:
            low, high = self._px(max(x_range[0], self._x.low)), self._px(x_range[1])
            caps = "".join(f"M{end:.1f},{py - CAP:.1f}v{2 * CAP}" for end in (low, high))
            bars.append(f"M{low:.1f},{py:.1f}H{high:.1f}{caps}")
        self._marks += [element("path", d=bar, stroke=colour, stroke_width=1.1, fill="none") for bar in bars]
        fill = PAPER if hollow else colour
        if square:
            left, top, side = px - SQUARE_SIDE / 2, py - SQUARE_SIDE / 2, SQUARE_SIDE
            shape = element(
                "rect",
                tooltip(title),
                x=left,
                y=top,
                width=side,
                height=side,
                fill=fill,
                stroke=colour,
                stroke_width=1.4,
            )
        else:
            shape = element(
                "circle", tooltip(title), cx=px, cy=py, r=POINT_RADIUS, fill=fill, stroke=colour, stroke_width=1.4
            )
        self._marks.append(shape)

    def upper_bound(self, x: float, y: float, colour: str, *, title: str = "") -> None:
        """Draw a bar at the value with an arrow below it."""
        path = f"M{self._px(x) - 4:.1f},{self._py(y):.1f}h8m-4,0v12m-3,-4l3,4l3,-4"
        self._marks.append(element("path", tooltip(title), d=path, stroke=colour, stroke_width=1.3, fill="none"))

    def text(self, x: float, y: float, words: str, *, colour: str = Colour.INK, anchor: str = "start") -> None:
        """Write text at data coordinates."""
        self._marks.append(
            element("text", words=words, x=self._px(x), y=self._py(y), fill=colour, text_anchor=anchor),
        )

    def corner(self, words: str, *, line: int = 0, colour: str = Colour.INK, right: bool = False) -> None:
        """Write text in an upper corner of the plot area, one line below another."""
        x = self._width - RIGHT - 6 if right else LEFT + 8
        y = self._top + LINE_HEIGHT * (line + 1)
        self._marks.append(
            element("text", words=words, x=x, y=y, fill=colour, text_anchor="end" if right else "start"),
        )

    def svg(self) -> Markup:
        """Return the finished drawing."""
        marks = "".join(self._marks)
        clip = f"clip-{hashlib.sha256(marks.encode()).hexdigest()[:10]}"
        area = element(
            "rect",
            x=LEFT,
            y=self._top - 1,
            width=self._plot_width + 1,
            height=self._plot_height + 2,
        )
        frame = f"M{LEFT},{self._top}V{self._base}H{self._width - RIGHT}"
        return Markup(  # noqa: S704 - `element` escapes all text
            element(
                "svg",
                element("clipPath", area, id=clip),
                self._grid(),
                element("g", marks, clip_path=f"url(#{clip})"),
                element("path", class_="frame", d=frame),
                *self._axis_words(),
                viewBox=f"0 0 {self._width} {self._height}",
                role="img",
                aria_label=self._title or f"{self._y.label} against {self._x.label}",
            ),
        )

    @property
    def _top(self) -> int:
        return TOP_WITH_AXIS if self._upper else TOP

    @property
    def _base(self) -> int:
        return self._height - BOTTOM

    @property
    def _plot_width(self) -> int:
        return self._width - LEFT - RIGHT

    @property
    def _plot_height(self) -> int:
        return self._base - self._top

    def _px(self, value: float) -> float:
        return LEFT + self._x.place(value) * self._plot_width

    def _py(self, value: float) -> float:
        return self._top + (1 - self._y.place(value)) * self._plot_height

    def _path(self, x: Sequence[float], y: Sequence[float]) -> str:
        return " ".join(
            f"{self._px(a):.1f},{self._py(b):.1f}"
            for a, b in zip(x, y, strict=True)
            if not (self._x.log and a <= 0) and not (self._y.log and b <= 0)
        )

    def _grid(self) -> str:
        right = self._width - RIGHT
        lines = (f"M{LEFT},{self._py(value):.1f}H{right}" for value, _ in self._y.marks())
        return element("path", class_="grid", d="".join(lines))

    def _axis_words(self) -> list[str]:
        middle_x, middle_y = LEFT + self._plot_width / 2, self._top + self._plot_height / 2
        words: list[str] = []
        for marks, y, edge in ((self._x.marks(), self._base + 15, self._base), (self._upper, self._top - 6, self._top)):
            for value, text in marks:
                x = self._px(value)
                words.append(element("text", words=text, class_="tick", x=x, y=y, text_anchor="middle"))
                words.append(element("path", class_="frame", d=f"M{x:.1f},{edge}v4"))
        for value, text in self._y.marks():
            y_text = self._py(value) + 3.5
            words.append(element("text", words=text, class_="tick", x=LEFT - 7, y=y_text, text_anchor="end"))
        turned = f"translate(11,{middle_y:.1f}) rotate(-90)"
        words.append(_axis_label(self._x.label, x=middle_x, y=self._height - 6))
        words.append(_axis_label(self._y.label, transform=turned))
        if self._upper_label:
            place_y = self._top - 6
            words.append(
                element("text", words=self._upper_label, class_="axis", x=LEFT - 7, y=place_y, text_anchor="end")
            )
        return words


def _axis_label(
    label: str, *, x: float | str = "", y: float | str = "", transform: str = "", anchor: str = "middle"
) -> str:
    return element("text", words=label, class_="axis", text_anchor=anchor, x=x, y=y, transform=transform)
