"""Tables in binary files: Parquet and Arrow by pyarrow, HDF5 by h5py; nested fields are JSON text."""

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vitrion_models.errors import InputError, first_line

HDF5_GROUP = "table"
JSON_CELLS = "json"
DENSE = {float: np.float64, int: np.int64, bool: np.bool_}


def parquet_bytes(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return a Parquet file of columns of plain values.

    Raises:
        InputError: pyarrow is not installed.
    """
    _require_pyarrow()
    import pyarrow.parquet  # noqa: PLC0415 - an extra

    target = io.BytesIO()
    pyarrow.parquet.write_table(_arrow_table(columns), target)
    return target.getvalue()


def arrow_bytes(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return an Arrow file (Feather, version 2) of columns of plain values.

    Raises:
        InputError: pyarrow is not installed.
    """
    _require_pyarrow()
    import pyarrow.feather  # noqa: PLC0415 - an extra

    target = io.BytesIO()
    pyarrow.feather.write_feather(_arrow_table(columns), target)
    return target.getvalue()


def hdf5_bytes(columns: Mapping[str, Sequence[Any]]) -> bytes:
    """Return an HDF5 file with one dataset a column in the group ``table``.

    Numbers that no row misses are stored as numbers, and so are floats, a missing one as NaN. All others are text,
    those with the attribute ``encoding = "json"`` as JSON.
    """
    import h5py  # noqa: PLC0415 - only where HDF5 is written

    target = io.BytesIO()
    with h5py.File(target, "w") as file:
        group = file.create_group(HDF5_GROUP, track_order=True)
        for name, values in columns.items():
            dense = _dense(values)
            if dense is not None:
                group.create_dataset(name, data=dense)
                continue
            plain = all(isinstance(value, str) for value in values)
            texts = list(values) if plain else [json.dumps(value) for value in values]
            item = group.create_dataset(name, data=texts, dtype=h5py.string_dtype())
            if not plain:
                item.attrs["encoding"] = JSON_CELLS
    return target.getvalue()


def read_arrow(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet or Arrow file by the names of its columns; empty cells are left out.

    Raises:
        InputError: pyarrow is not installed, or the file cannot be read.
    """
    _require_pyarrow()
    import pyarrow as pa  # noqa: PLC0415 - an extra
    from pyarrow import feather, parquet  # noqa: PLC0415

    try:
        table = parquet.read_table(path) if path.suffix.lower() == ".parquet" else feather.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"not a readable table: {first_line(error)}") from error
    return [{name: cell for name, cell in row.items() if cell is not None} for row in table.to_pylist()]


def read_hdf5(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table that `hdf5_bytes` made; empty cells are left out.

    Raises:
        InputError: not an HDF5 file, no such group in it, or columns of different lengths.
    """
    import h5py  # noqa: PLC0415 - only where HDF5 is read

    try:
        with h5py.File(path, "r") as file:
            if HDF5_GROUP not in file:
                raise InputError(f"no group {HDF5_GROUP!r}: give a table that `vitrion labels export` wrote")
            columns = {name: _column(item) for name, item in file[HDF5_GROUP].items()}
    except (OSError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"not a readable table: {first_line(error)}") from error
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise InputError(f"its columns have {min(lengths)} to {max(lengths)} cells: write it again")
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return [{name: cell for name, cell in row.items() if cell is not None} for row in rows]


def _arrow_table(columns: Mapping[str, Sequence[Any]]) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - an extra

    return pa.table({name: pa.array(_flat(values)) for name, values in columns.items()})


def _flat(values: Sequence[Any]) -> list[Any]:
    """Return cells that one Arrow type holds: lists of numbers as they are, other nested content as JSON text."""
    nested = any(isinstance(value, dict) or (isinstance(value, list) and _holds_objects(value)) for value in values)
    return [json.dumps(value) if nested and value is not None else value for value in values]


def _holds_objects(values: list[Any]) -> bool:
    return not all(isinstance(value, str | int | float) for value in values)


def _dense(values: Sequence[Any]) -> Any:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds) != 1 or (kind := kinds.pop()) not in DENSE:
        return None
    if None not in values:
        return np.array(values, dtype=DENSE[kind])
    return np.array([np.nan if value is None else value for value in values]) if kind is float else None


def _column(item: Any) -> list[Any]:
    if item.dtype.kind == "O":
        texts = item.asstr()[:].tolist()
        return [json.loads(text) for text in texts] if item.attrs.get("encoding") == JSON_CELLS else texts
    values: list[Any] = item[:].tolist()
    return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN stands for a missing number


def _require_pyarrow() -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("pyarrow") is None:
        raise InputError("Parquet and Arrow files need pyarrow: install vitrion[tables], or write CSV or HDF5")
