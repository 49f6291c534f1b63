"""Output of commands: a table for people, JSON for programs, progress on stderr."""

import dataclasses
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel

from vitrion.keys import cycle_number, short_key
from vitrion_models.bounds import LONGEST_MESSAGE
from vitrion_models.errors import printable

SIGNIFICANT_DIGITS = 4
CENSORED = "censored"  # LabelState, which is slow to import
LONGEST_CELL = 10_000  # characters of a value in a table
PIPED_WIDTH = 160  # columns of a table that goes to a file or another program


def plain(value: Any) -> Any:
    """Return a value in the types of JSON.

    Models and dataclasses become objects, dates ISO 8601, enumerations their values, arrays lists, and numbers that
    are not finite null.
    """
    if isinstance(value, BaseModel):
        return plain(value.model_dump())
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    return _plain_leaf(value)


def _plain_leaf(value: Any) -> Any:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    if hasattr(value, "tolist"):  # NumPy arrays and scalars, without importing NumPy
        return plain(value.tolist())
    if isinstance(value, list | tuple | set | frozenset) or hasattr(value, "__next__"):
        return [plain(item) for item in value]
    return str(value)


def emit(rows_or_object: Any, *, as_json: bool, columns: Sequence[str] | None = None) -> None:
    """Print a list of rows or one object on stdout.

    Args:
        rows_or_object: a sequence of mappings, models or dataclasses (a table), or a single one (its fields).
        as_json: one JSON array or object instead of a table.
        columns: which fields the table shows, in order; JSON always has all of them.
    """
    content = plain(rows_or_object)
    if as_json:
        json.dump(content, sys.stdout, indent=2, ensure_ascii=False, allow_nan=False)
        sys.stdout.write("\n")
        return
    content = [_numbered(row) for row in content] if isinstance(content, list) else _numbered(content)
    from rich.console import Console  # noqa: PLC0415 - only where a table is printed

    console = Console(width=None if sys.stdout.isatty() else PIPED_WIDTH)
    console.print(_table(content, columns) if isinstance(content, list) else _fields(content, columns))


def _numbered(row: Any) -> Any:
    has_cycle = isinstance(row, dict) and isinstance(row.get("cycle"), int)
    return {**row, "cycle": cycle_number(row["cycle"])} if has_cycle else row


def emit_written(path: Path, file_format: str, content: str, *, as_json: bool, **details: Any) -> None:
    """Print what an export wrote: one JSON object, or one line for people."""
    if as_json:
        emit({"path": str(path), "format": file_format, **details}, as_json=True)
    else:
        note(f"{content} written to {path}")


def label_row(label: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row of a label for a table: a short key, and ``< 7e-06`` for the value of a censored one."""
    row = {**label, "key": short_key(label["key"])}
    if label["state"] == CENSORED and label["value"] is not None:
        row["value"] = f"< {_cell(label['value'])}"
    return row


def note(line: str) -> None:
    """Print one line for people on stderr, so that stdout holds the result alone."""
    print(printable(line, longest=LONGEST_MESSAGE), file=sys.stderr)  # noqa: T201


def _table(rows: list[Any], columns: Sequence[str] | None) -> Any:
    from rich.table import Table  # noqa: PLC0415

    objects = [row if isinstance(row, dict) else {"value": row} for row in rows]
    names = list(columns or dict.fromkeys(key for row in objects for key in row))
    if not rows:
        return "no rows"
    table = Table(box=None, header_style="bold", pad_edge=False, collapse_padding=True)
    for name in names:
        numeric = all(isinstance(row.get(name), int | float | None) for row in objects)
        table.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in objects:
        table.add_row(*(_cell(row.get(name)) for name in names))
    return table


def _fields(content: Any, columns: Sequence[str] | None) -> Any:
    if not isinstance(content, dict):
        return _cell(content)
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=None, show_header=False, pad_edge=False)
    for name in columns or content:
        table.add_row(f"[bold]{name}[/]", _cell(content.get(name)))
    return table


def _cell(value: Any) -> str:
    from rich.markup import escape  # noqa: PLC0415

    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.{SIGNIFICANT_DIGITS}g}"
    if value in ([], {}):
        return "none"
    if isinstance(value, list) and not any(isinstance(item, list | dict) for item in value):
        return ", ".join(_cell(item) for item in value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return escape("\n".join(printable(line, longest=LONGEST_CELL) for line in text.split("\n")))


class Advance(Protocol):
    """Callback through which long work reports its progress."""

    def __call__(self, done: float, total: float | None = None, message: str | None = None) -> None:
        """Report that `done` of `total` is finished, and the present activity."""


@contextmanager
def progress(description: str, *, total: float | None = None, quiet: bool = False) -> Iterator[Advance]:
    """Show a progress bar on stderr while long work runs.

    Args:
        description: title.
        total: amount of work; None until the first report states it.
        quiet: show nothing (the callback still works).

    Yields:
        The callback for the work: ``advance(done, total, message)``.
    """
    from rich.console import Console  # noqa: PLC0415 - only where a bar is shown
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn  # noqa: PLC0415

    shown = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
        transient=True,
        disable=quiet or not sys.stderr.isatty(),
    )
    with shown:
        task = shown.add_task(description, total=total)

        def advance(done: float, total: float | None = None, message: str | None = None) -> None:
            text = description if message is None else f"{description}: {message}"
            shown.update(task, completed=done, total=total, description=text)

        yield advance
