"""Figures that commands draw with matplotlib: formats, files, and one marker for each state of a number."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrion.exchange.result_files import write_result
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DOTS_PER_INCH = 200
TRUE_TYPE = 42  # fonts in a PDF, as journals ask for
INK, BLUE, ORANGE, RED, GREY = "#23211e", "#0b5a8a", "#c2500a", "#a8324a", "#857d70"


@dataclass(frozen=True)
class StateStyle:
    """Appearance of numbers of one state.

    Attributes:
        marker: matplotlib's name; the bar of an upper bound carries an arrow.
        colour: of marker and text.
        filled: only what passed every check is a filled marker.
        line: dash pattern of a fitted line.
    """

    marker: str
    colour: str
    filled: bool = False
    line: str = "-"

    @property
    def options(self) -> dict[str, Any]:
        """Options of `Axes.errorbar`."""
        face = self.colour if self.filled else "white"
        return {"fmt": self.marker, "color": self.colour, "markerfacecolor": face, "markersize": 4.5, "capsize": 2}


STATES = {
    "accepted": StateStyle("o", INK, filled=True),
    "published": StateStyle("s", INK),
    "unverified": StateStyle("o", ORANGE, line="--"),
    "rejected": StateStyle("x", RED, line=":"),
    "censored": StateStyle("_", RED, line="-."),
}


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
    from matplotlib import rc_context  # noqa: PLC0415 - slow to import

    content = io.BytesIO()
    with rc_context({"pdf.fonttype": TRUE_TYPE}):
        figure.savefig(content, format=picture_format(path), dpi=DOTS_PER_INCH)
    write_result(path, content.getvalue())
