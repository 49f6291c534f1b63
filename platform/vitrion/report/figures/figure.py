"""A drawing with its heading, its key and a caption that says what to see."""

from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup


class Mark(StrEnum):
    """How a key shows its colour."""

    DOT = "dot"
    RING = "ring"
    SQUARE = "square"
    LINE = "line"
    DASH = "dash"
    BAND = "band"


@dataclass(frozen=True)
class Key:
    """One entry of a figure's key."""

    words: str
    colour: str
    mark: Mark = Mark.DOT


@dataclass(frozen=True)
class Figure:
    """A drawing for the page.

    Attributes:
        svg: the drawing.
        heading: a few words above it.
        caption: what to see in it.
        keys: what its colours mean.
    """

    svg: Markup
    heading: str = ""
    caption: str = ""
    keys: tuple[Key, ...] = ()
