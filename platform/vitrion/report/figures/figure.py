"""Drawing with heading, key and caption."""

from dataclasses import dataclass
from enum import StrEnum

from markupsafe import Markup


class Mark(StrEnum):
    """Shape of a key's colour mark."""

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
    """A drawing for the page."""

    svg: Markup
    heading: str = ""
    caption: str = ""
    keys: tuple[Key, ...] = ()
