"""Matplotlib figures that commands write as PNG, SVG or PDF; a file is written completely or not at all."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

from vitrion.exchange.result_files import write_result
from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FORMATS = ("png", "svg", "pdf")
DOTS_PER_INCH = 150


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
    content = io.BytesIO()
    figure.savefig(content, format=picture_format(path), dpi=DOTS_PER_INCH)
    write_result(path, content.getvalue())
