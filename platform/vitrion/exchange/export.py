"""Exports: tables as text or binary files, structures in the formats of other programs; files are written whole."""

import csv
import io
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vitrion.database.queries.rows import Rows
from vitrion.database.records import StructureRecord
from vitrion.exchange.binary_tables import arrow_bytes, hdf5_bytes, parquet_bytes
from vitrion.exchange.crystal_files import cif_text, poscar_text
from vitrion.exchange.result_files import write_result
from vitrion.keys import short_key
from vitrion_models.errors import InputError
from vitrion_workflows.schemas.geometry import atoms_from_system, system_from_structure
from vitrion_workflows.schemas.isotopes import element_of, site_occupancies

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

TABLE_SUFFIXES = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".h5": "hdf5",
    ".hdf5": "hdf5",
}
STRUCTURE_SUFFIXES = {
    ".xyz": "xyz",
    ".extxyz": "xyz",
    ".cif": "cif",
    ".poscar": "poscar",
    ".vasp": "poscar",
    ".json": "json",
    ".db": "ase-db",
}


def format_of(path: Path, *, given: str | None = None, suffixes: Mapping[str, str] = TABLE_SUFFIXES) -> str:
    """Return the format of an export, as given or from the file's name.

    Args:
        path: the file.
        given: name of the format; from the ending when None.
        suffixes: ending -> format of those at choice: `TABLE_SUFFIXES`, `STRUCTURE_SUFFIXES` or both.

    Raises:
        InputError: neither is a known format; the message lists them.
    """
    name = given or suffixes.get(path.suffix.lower()) or ("poscar" if path.name.upper().startswith("POSCAR") else "")
    formats = list(dict.fromkeys(suffixes.values()))
    if name not in formats:
        fault = f"unknown format {given!r}" if given else "its ending names no format"
        raise InputError(f"{path}: {fault}: give --format, one of {', '.join(formats)}")
    return name


def export_table(rows: Rows[Any], path: Path, *, file_format: str) -> int:
    """Write rows with the documents' own field names.

    Args:
        rows: of any kind.
        path: the file.
        file_format: ``csv``, ``jsonl``, ``parquet``, ``arrow`` or ``hdf5``; nested fields are JSON text.

    Returns:
        How many were written.

    Raises:
        InputError: another format, or one whose library is not installed.
    """
    if file_format not in _TABLES:
        raise InputError(f"{path}: these rows can be written as {' or '.join(_TABLES)}, not as {file_format}")
    write_result(path, _TABLES[file_format](rows))
    return len(rows)


def export_structures(entries: Iterable[tuple[StructureRecord, "Structure"]], path: Path, *, file_format: str) -> int:
    """Write structures with their atoms, in one file.

    Args:
        entries: rows with their structures, as `Structures.iterate` gives them.
        path: the file.
        file_format: ``xyz`` (extended), ``cif`` (one data block each), ``poscar`` (one structure only), ``json`` (a
            list, of pymatgen) or ``ase-db``.

    Returns:
        How many were written.

    Raises:
        InputError: nothing to write, or a format that cannot hold it: partially occupied sites, or several in a POSCAR.
    """
    if file_format not in _STRUCTURES:
        raise InputError(f"{path}: structures can be written as {', '.join(_STRUCTURES)}, not as {file_format}")
    listed = list(entries)
    if not listed:
        raise InputError(f"{path}: no structure passes the filters")
    write_result(path, _STRUCTURES[file_format](listed, path))
    return len(listed)


def _csv(rows: Rows[Any]) -> str:
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(rows.fields)
    for row in rows.to_dicts():
        writer.writerow([_cell(value) for value in row.values()])
    return target.getvalue()


def _jsonl(rows: Rows[Any]) -> str:
    return "".join(json.dumps(row, default=_plain, allow_nan=False) + "\n" for row in rows.to_dicts())


def _columns(rows: Rows[Any]) -> dict[str, list[Any]]:
    """Return column -> cells as JSON holds them."""
    dicts = rows.to_dicts()
    return {name: [row[name] for row in dicts] for name in rows.fields}


def _cell(value: Any) -> Any:
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=_plain)
    return value.isoformat() if isinstance(value, datetime) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _extxyz(entries: Sequence[tuple[StructureRecord, "Structure"]], path: Path) -> str:
    from ase.io import write  # noqa: PLC0415 - only where structures are written

    frames = []
    for row, structure in entries:
        _check_ordered(row, path)
        atoms = atoms_from_system(system_from_structure(structure))
        atoms.info = {"fingerprint": row.fingerprint, "kind": row.kind, "formula": row.reduced_formula}
        frames.append(atoms)
    target = io.StringIO()
    write(target, frames, format="extxyz")
    return target.getvalue()


def _cif(entries: Sequence[tuple[StructureRecord, "Structure"]], path: Path) -> str:
    return "\n".join(
        cif_text(structure, path, name=f"{row.reduced_formula}_{short_key(row.fingerprint)}")
        for row, structure in entries
    )


def _poscar(entries: Sequence[tuple[StructureRecord, "Structure"]], path: Path) -> str:
    if len(entries) != 1:
        raise InputError(f"{path}: a POSCAR holds one structure and {len(entries)} were chosen: narrow the filters")
    row, structure = entries[0]
    _check_ordered(row, path)
    return poscar_text(structure, path, comment=f"{row.reduced_formula} {row.fingerprint}")


def _pymatgen_json(entries: Sequence[tuple[StructureRecord, "Structure"]], path: Path) -> str:
    for row, structure in entries:
        for symbols in map(site_occupancies, structure):
            if len(set(map(element_of, symbols))) < len(symbols):
                raise InputError(
                    f"{path}: {row.reduced_formula} {short_key(row.fingerprint)} has {' and '.join(symbols)} on one"
                    " site, which pymatgen's JSON writes as one element: write CIF"
                )
    return json.dumps([structure.as_dict() for _, structure in entries])


def _ase_database(entries: Sequence[tuple[StructureRecord, "Structure"]], path: Path) -> bytes:
    from ase.db import connect  # noqa: PLC0415

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "structures.db"
        with connect(file, append=False) as database:
            for row, structure in entries:
                _check_ordered(row, path)
                atoms = atoms_from_system(system_from_structure(structure))
                database.write(atoms, fingerprint=row.fingerprint, kind=row.kind)
        return file.read_bytes()


def _check_ordered(row: StructureRecord, path: Path) -> None:
    if row.disordered:
        raise InputError(
            f"{path}: {row.reduced_formula} {short_key(row.fingerprint)} has partially occupied sites,"
            " which this format cannot hold: write CIF, or filter by disordered",
        )


_TABLES: dict[str, Callable[[Rows[Any]], str | bytes]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": lambda rows: parquet_bytes(_columns(rows)),
    "arrow": lambda rows: arrow_bytes(_columns(rows)),
    "hdf5": lambda rows: hdf5_bytes(_columns(rows)),
}
_STRUCTURES: dict[str, Callable[[Sequence[tuple[StructureRecord, "Structure"]], Path], str | bytes]] = {
    "xyz": _extxyz,
    "cif": _cif,
    "poscar": _poscar,
    "json": _pymatgen_json,
    "ase-db": _ase_database,
}
