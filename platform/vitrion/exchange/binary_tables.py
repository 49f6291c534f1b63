"""Tables in binary files: Parquet and Arrow by pyarrow, HDF5 by h5py; nested fields are JSON text."""

import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vitrion_models.bounds import LARGEST_TEXT_BYTES, check_columns, check_unpacked, check_values, parse_json
from vitrion_models.errors import InputError, first_line

HDF5_GROUP = "table"
ENCODING, JSON_CELLS = "encoding", "json"
ROWS_AT_ONCE = 64
COMPRESSED = re.compile(rb"\x28\xb5\x2f\xfd|\x04\x22\x4d\x18")  # beginning of a Zstandard or LZ4 frame
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
    those with the attribute ``encoding = "json"`` as JSON. Text has a fixed length: libhdf5 may read text of variable
    length for ever where a byte of it is damaged.
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
            cells = [text.encode() for text in texts]
            length = max(map(len, cells), default=0) or 1
            item = group.create_dataset(name, data=np.array(cells, dtype=f"S{length}"))
            if not plain:
                item.attrs[ENCODING] = np.bytes_(JSON_CELLS)
    return target.getvalue()


def read_arrow(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet or Arrow file by the names of its columns; empty cells are left out.

    Raises:
        InputError: pyarrow is not installed, the file cannot be read, or it holds more than is read of a table.
    """
    _require_pyarrow()
    import pyarrow as pa  # noqa: PLC0415 - an extra

    try:
        batches = _parquet_batches(path) if path.suffix.lower() == ".parquet" else _arrow_batches(path)
        return [{name: cell for name, cell in row.items() if cell is not None} for row in _bounded_rows(batches)]
    except InputError:
        raise
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise InputError(f"not a readable table: {first_line(error)}") from error


def _parquet_batches(path: Path) -> Iterator[Any]:
    """Yield the rows of a Parquet file, a few at a time, once what it declares is within bounds."""
    from pyarrow import parquet  # noqa: PLC0415

    with parquet.ParquetFile(path) as file:
        declared = file.metadata
        check_columns(declared.num_columns)
        chunks = [
            group.column(column)
            for group in map(declared.row_group, range(declared.num_row_groups))
            for column in range(declared.num_columns)
        ]
        check_values(max(declared.num_rows * declared.num_columns, sum(chunk.num_values for chunk in chunks)))
        check_unpacked(sum(chunk.total_uncompressed_size for chunk in chunks), stored_bytes=path.stat().st_size)
        yield from file.iter_batches(batch_size=ROWS_AT_ONCE)


def _arrow_batches(path: Path) -> Iterator[Any]:
    """Yield the rows of an Arrow file, a few at a time, once what it declares is within bounds."""
    import pyarrow as pa  # noqa: PLC0415

    with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
        check_columns(len(reader.schema))
        check_values(reader.count_rows() * len(reader.schema))
        check_unpacked(_unpacked_bytes(file.read_buffer()), stored_bytes=path.stat().st_size)
        for index in range(reader.num_record_batches):
            batch = reader.get_batch(index)
            batch.validate(full=True)  # offsets that point out of the file are followed otherwise
            yield from (batch.slice(start, ROWS_AT_ONCE) for start in range(0, batch.num_rows, ROWS_AT_ONCE))


def _unpacked_bytes(content: Any) -> int:
    """Return the bytes of all compressed buffers of an Arrow file; each is preceded by its size, in eight bytes."""
    starts = (match.start() for match in COMPRESSED.finditer(content))
    return sum(int.from_bytes(bytes(content[max(start - 8, 0) : start]), "little") for start in starts)


def _bounded_rows(batches: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yield rows while their cells and their texts, which many rows of a file may share, are within bounds."""
    cells = letters = 0
    for batch in batches:
        rows = batch.to_pylist()
        cells += batch.num_rows * batch.num_columns
        letters += sum(len(cell) for row in rows for cell in row.values() if isinstance(cell, str))
        check_values(cells)
        if letters > LARGEST_TEXT_BYTES:
            raise InputError(f"texts of more than {LARGEST_TEXT_BYTES >> 20} MiB, more than is read at once: split it")
        yield from rows


def read_hdf5(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a table that `hdf5_bytes` made; empty cells are left out.

    Raises:
        InputError: not an HDF5 file, no such group in it, columns of different lengths, more than is read of a table,
            or what `open_hdf5` refuses.
    """
    from vitrion_workflows.formats.hdf5 import open_hdf5  # noqa: PLC0415 - only where HDF5 is read

    try:
        with open_hdf5(path) as file:
            items = _datasets(file)
            check_columns(len(items))
            check_values(sum(item.size for item in items.values()))
            columns = {name: _column(item) for name, item in items.items()}
    except InputError:
        raise
    except (OSError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"not a readable table: {first_line(error)}") from error
    lengths = {len(values) for values in columns.values()}
    if len(lengths) > 1:
        raise InputError(f"its columns have {min(lengths)} to {max(lengths)} cells: write it again")
    rows = [dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True)]
    return [{name: cell for name, cell in row.items() if cell is not None} for row in rows]


def _datasets(file: Any) -> dict[str, Any]:
    if HDF5_GROUP not in file:
        raise InputError(f"no group {HDF5_GROUP!r}: give a table that `vitrion labels export` wrote")
    return dict(file[HDF5_GROUP].items())


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
        raise InputError(f"column {item.name} holds text of variable length: give a table that Vitrion exported")
    if item.dtype.kind == "S":
        texts = [cell.decode() for cell in item[:].tolist()]
        return [parse_json(text) for text in texts] if ENCODING in item.attrs else texts
    values: list[Any] = item[:].tolist()
    return [None if value != value else value for value in values]  # noqa: PLR0124 - NaN stands for a missing number


def _require_pyarrow() -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("pyarrow") is None:
        raise InputError("Parquet and Arrow files need pyarrow: install vitrion[tables], or write CSV or HDF5")
