"""Rows of tables (CSV, JSON and JSON lines), and the records in rows of exports."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vitrion.database.migrations import upgrade_document
from vitrion.database.records import SCHEMA_VERSION, LabelRecord
from vitrion_models.bounds import MOST_COLUMNS, check_values, parse_json
from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.opening import naming, read_text

OTHER_SEPARATORS = (";", "\t")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table by the names of its columns.

    Args:
        path: ``.json`` (an object or a list of objects), ``.jsonl`` or ``.ndjson`` (an object a line), or ``.csv``,
            whose cells are text and whose empty cells are left out.

    Raises:
        InputError: the file cannot be read, has another ending, or holds no rows.
    """
    readers = {".json": _json, ".jsonl": _json_lines, ".ndjson": _json_lines, ".csv": _csv}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path} is not a table: give a file that ends in {', '.join(readers)}")
    with naming(path):
        try:
            rows = readers[path.suffix.lower()](read_text(path))
        except csv.Error as error:
            raise InputError(f"not a readable table: {first_line(error)}") from error
    if not rows or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} holds no rows: give a header and rows, or a list of objects")
    return rows


def _json(text: str) -> list[Any]:
    content = parse_json(text)
    return content if isinstance(content, list) else [content]


def _json_lines(text: str) -> list[Any]:
    return [parse_json(line) for line in text.splitlines() if line.strip()]


def _csv(text: str) -> list[dict[str, str]]:
    check_values(text.count(",") + text.count("\n"))
    lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text))]
    names, *rows = [line for line in lines if any(line)] or [[]]
    if len(names) > MOST_COLUMNS:
        raise InputError(f"{len(names)} columns, more than the {MOST_COLUMNS} of any table of labels: is it one?")
    if len(names) == 1 and (marks := [mark for mark in OTHER_SEPARATORS if mark in names[0]]):
        raise InputError(f"its cells are separated by {marks[0]!r}, not by commas")
    if duplicates := sorted({name for name in names if name and names.count(name) > 1}):
        raise InputError(f"two columns are called {duplicates[0]!r}")
    for number, row in enumerate(rows, start=1):
        if any(row[len(names) :]):
            raise InputError(f"row {number} has {len(row)} cells under {len(names)} names")
        if any(cell and not name for name, cell in zip(names, row, strict=False)):
            raise InputError(f"column {names.index('') + 1} has no name")
    return [{name: cell for name, cell in zip(names, row, strict=False) if cell} for row in rows]


def label_from_row(row: Mapping[str, Any], *, source: str) -> LabelRecord:
    """Return the label of a row of `vitrion labels export` or `vitrion labels list --json`, of any layout version.

    Args:
        row: fields of `LabelRecord`; in CSV, nested fields are JSON text.
        source: file and row, for messages.

    Raises:
        InputError: a field is unknown, missing or invalid.
    """
    nested = LabelRecord.nested_fields()
    try:
        content = {
            name: parse_json(value) if name in nested and isinstance(value, str) else value
            for name, value in row.items()
        }
        version = _layout(content.pop("schema_version"))
        return LabelRecord.of(**upgrade_document("labels", content | {"schema_version": version}))
    except KeyError as error:
        raise InputError(f"{source}: {error.args[0]} is missing") from error
    except (TypeError, ValueError, OverflowError, InputError) as error:
        raise InputError(f"{source}: {error}") from error


def _layout(version: Any) -> int:
    if not 1 <= int(version) <= SCHEMA_VERSION:
        raise InputError(f"schema_version {version} is not 1 to {SCHEMA_VERSION}: upgrade Vitrion")
    return int(version)
