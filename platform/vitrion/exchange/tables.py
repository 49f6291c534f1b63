"""Rows of tables, and the records in rows of exports."""

import csv
import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from vitrion.database.migrations import upgrade_document
from vitrion.database.records import SCHEMA_VERSION, LabelRecord
from vitrion.database.records.base import value_type
from vitrion.exchange.binary_tables import read_arrow, read_hdf5
from vitrion_models.bounds import check_columns, check_values, parse_json
from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.frames import is_plain
from vitrion_workflows.formats.opening import name_of, naming, read_text, require_file

SEPARATORS = (",", ";", "\t")


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table by the names of its columns.

    Args:
        path: ``.json`` (an object or a list of objects), ``.jsonl`` or ``.ndjson`` (an object a line), ``.csv`` or
            ``.tsv``, whose cells are text; compressed or not; or ``.parquet``, ``.arrow``, ``.feather``, ``.h5`` or
            ``.hdf5``. Empty cells are left out.

    Raises:
        InputError: the file cannot be read, has another ending, or holds no rows.
    """
    suffix = Path(name_of(path)).suffix
    if suffix not in ENDINGS:
        raise InputError(f"{path} is not a table: give a file that ends in {', '.join(ENDINGS)}")
    with naming(path):
        if suffix in _BINARY_READERS:
            require_file(path)
            rows = _BINARY_READERS[suffix](path)
        else:
            try:
                rows = _TEXT_READERS[suffix](read_text(path))
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
    header = text.split("\n", maxsplit=1)[0]
    separators = [mark for mark in SEPARATORS if mark in header] or [SEPARATORS[0]]
    if len(separators) > 1:
        raise InputError(f"its header holds {' and '.join(map(repr, separators))}: separate the cells by one of them")
    check_values(text.count(separators[0]) + text.count("\n"))
    lines = [[cell.strip() for cell in line] for line in csv.reader(io.StringIO(text), delimiter=separators[0])]
    names, *rows = [line for line in lines if any(line)] or [[]]
    check_columns(len(names))
    if duplicates := sorted({name for name in names if name and names.count(name) > 1}):
        raise InputError(f"two columns are called {duplicates[0]!r}")
    for number, row in enumerate(rows, start=1):
        if any(row[len(names) :]):
            raise InputError(f"row {number} has {len(row)} cells under {len(names)} names")
        if any(cell and not name for name, cell in zip(names, row, strict=False)):
            raise InputError(f"column {names.index('') + 1} has no name")
    return [{name: cell for name, cell in zip(names, row, strict=False) if cell} for row in rows]


_TEXT_READERS: dict[str, Callable[[str], list[Any]]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
    ".tsv": _csv,
}
_BINARY_READERS: dict[str, Callable[[Path], list[dict[str, Any]]]] = {
    ".parquet": read_arrow,
    ".arrow": read_arrow,
    ".feather": read_arrow,
    ".h5": read_hdf5,
    ".hdf5": read_hdf5,
}

ENDINGS = (*_TEXT_READERS, *_BINARY_READERS)


def label_from_row(row: Mapping[str, Any], *, source: str) -> LabelRecord:
    """Return the label of a row of `vitrion labels export` or `vitrion labels list --json`, of any layout version.

    Args:
        row: fields of `LabelRecord`; in all formats but JSON, nested fields are JSON text.
        source: file and row, for messages.

    Raises:
        InputError: a field is unknown, missing or invalid.
    """
    nested = LabelRecord.nested_fields()
    try:
        check_number_cells(row, LabelRecord)
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


def check_number_cells(row: Mapping[str, Any], record: type[BaseModel]) -> None:
    """Check that no cell of a number holds what only a converter takes for one: ``1_0``, other digits, true.

    Args:
        row: fields of the record.
        record: declares which of them are numbers.

    Raises:
        InputError: such a cell; the message names its column.
    """
    for name in row.keys() & record.model_fields.keys():
        cell = row[name]
        if value_type(record.model_fields[name].annotation) not in {float, int}:
            continue
        if isinstance(cell, bool) or (isinstance(cell, str) and not is_plain(cell)):
            raise InputError(f"{name} is {cell!r:.20}, not a number: correct it")


def _layout(version: Any) -> int:
    if not 1 <= int(version) <= SCHEMA_VERSION:
        raise InputError(f"schema_version {version} is not 1 to {SCHEMA_VERSION}: upgrade Vitrion")
    return int(version)
