"""Pictures that commands write: PNG or SVG, whole or not at all."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from vitrion.exchange.result_files import write_result
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg")
DOTS_PER_INCH = 150


def picture_format(path: Path) -> str:
    """Format of a picture from the end of its name, so that a wrong one is told before long work.

    Raises:
        InputError: neither .png nor .svg.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise InputError(f"{path}: pictures are written as .png or .svg, not {path.suffix or 'without an ending'}")
    return ending


def new_figure(*, width_in: float, height_in: float) -> "Figure":
    """An empty figure that needs no display."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - slow to import

    return Figure(figsize=(width_in, height_in), layout="constrained")


def save(figure: "Figure", path: Path) -> None:
    """Write a figure.

    Raises:
        InputError: the format is unknown, or the file cannot be written.
    """
    content = io.BytesIO()
    figure.savefig(content, format=picture_format(path), dpi=DOTS_PER_INCH)
    write_result(path, content.getvalue())
