"""Columns of XYZ files, as ``Properties`` of the extended format lays them out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vitrion_models.bounds import MOST_COLUMNS
from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import floats, whole_number

PLAIN = "species:S:1:pos:R:3"
FIELDS = 3  # name, kind and number of columns of a property
KINDS = frozenset("SRIL")


@dataclass(frozen=True)
class Columns:
    """Layout of the rows of a frame.

    Attributes:
        spans: number of the first column of each property, and of the one behind its last.
        count: of all columns.
        exact: rows have exactly these columns; those of plain files may have more.
    """

    spans: Mapping[str, tuple[int, int]]
    count: int
    exact: bool

    def values(self, rows: Sequence[Sequence[str]], *, place: str) -> "Values":
        """Return the words of a frame.

        Raises:
            InputError: a row with another number of columns.
        """
        for row in rows:
            if len(row) < self.count or (self.exact and len(row) > self.count):
                raise InputError(f"a row of {place} has {len(row)} columns, not {self.count}: correct it")
        return Values(self.spans, rows, place)


@dataclass(frozen=True)
class Values:
    """Words of the rows of a frame, by property."""

    spans: Mapping[str, tuple[int, int]]
    rows: Sequence[Sequence[str]]
    place: str

    def __contains__(self, name: str) -> bool:
        return name in self.spans

    def words(self, name: str) -> list[str]:
        """Return the words of a property, row by row."""
        first, last = self.spans[name]
        return [word for row in self.rows for word in row[first:last]]

    def numbers(self, name: str) -> FloatArray:
        """Return a property as numbers, shape (N,)."""
        return floats(self.words(name), place=f"column {name} of {self.place}")

    def vectors(self, name: str) -> FloatArray | None:
        """Return a property of three columns as vectors, shape (N, 3); None where it is absent or has others."""
        first, last = self.spans.get(name, (0, 0))
        return self.numbers(name).reshape(-1, DIMENSIONS) if last - first == DIMENSIONS else None


def parse_columns(info: Mapping[str, str], *, place: str) -> Columns:
    """Return the columns that ``Properties`` lays out; element and position where it is absent.

    Raises:
        InputError: an entry that is no name, kind and number of columns.
    """
    words = info.get("Properties", PLAIN).split(":")
    if len(words) % FIELDS:
        raise InputError(f"Properties of {place} is incomplete: give NAME:KIND:COLUMNS for each, such as {PLAIN}")
    spans: dict[str, tuple[int, int]] = {}
    count = 0
    for name, kind, width in zip(words[::FIELDS], words[1::FIELDS], words[2::FIELDS], strict=True):
        if kind not in KINDS or not width.isdecimal():
            raise InputError(f"Properties of {place} has an unknown entry {name}:{kind}:{width}: correct it")
        if name in spans:
            raise InputError(f"Properties of {place} names {name} twice: leave one out")
        first, count = (
            count,
            count + whole_number(width, place=f"the columns of {name} of {place}", largest=MOST_COLUMNS),
        )
        spans[name] = (first, count)
    return Columns(spans, count, exact="Properties" in info)
