"""Lines of a text file with their numbers, read one frame at a time."""

from collections.abc import Iterator
from pathlib import Path

from vitrion_workflows.formats.opening import lines


class NumberedLines:
    """Lines of a text file, taken in order.

    Attributes:
        number: of the last line taken, from 1 on; 0 before the first.
    """

    def __init__(self, path: Path) -> None:
        self.number = 0
        self._lines = lines(path)
        self._ahead: str | None = None

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines) if self._ahead is None else self._ahead
        self._ahead = None
        self.number += 1
        return line

    def peek(self) -> str | None:
        """Return the next line without taking it; None at the end."""
        if self._ahead is None:
            self._ahead = next(self._lines, None)
        return self._ahead
