"""Structures from databases of ASE in SQLite (.db), read without ASE, so that nothing in them is executed."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import numpy as np

from vitrion_models.bounds import LARGEST_TEXT_BYTES
from vitrion_models.errors import InputError, first_line
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.frames import Frame
from vitrion_workflows.formats.structures import structure_of_frame

TABLE = "SELECT type FROM sqlite_schema WHERE name = 'systems'"
ROWS = "SELECT numbers, positions, cell, pbc, masses, energy, calculator FROM systems ORDER BY id"
Row = tuple[bytes, bytes, bytes, int, bytes | None, float | None, str | None]


def read(path: Path) -> Iterator[StructureEntry]:
    """Read the rows of a database: atoms, cell, periodicity, masses and energy; in the order of their ids.

    Raises:
        InputError: no such database, or a row that is no periodic cell of atoms.
    """
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as database:
            database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, LARGEST_TEXT_BYTES)
            database.execute("PRAGMA trusted_schema = OFF")
            if database.execute(TABLE).fetchone() != ("table",):
                raise InputError("an SQLite file without a table of systems: give a database that ase.db wrote")
            for index, row in enumerate(database.execute(ROWS), start=1):
                yield _entry(row, index)
    except sqlite3.Error as error:
        raise InputError(f"cannot be read as an ASE database ({first_line(error)})") from error


def _entry(row: Row, index: int) -> StructureEntry:
    numbers, positions, cell, pbc, masses, energy, calculator = row
    try:
        frame = Frame(
            numbers=np.frombuffer(numbers, "<i4").astype(np.int64),
            coordinates=_floats(positions).reshape(-1, 3),
            lattice_A=_floats(cell).reshape(3, 3),
            pbc=(bool(pbc & 1), bool(pbc & 2), bool(pbc & 4)),
            masses_u=None if masses is None else _floats(masses),
        )
    except (TypeError, ValueError) as error:
        raise InputError(f"row {index}: its atoms cannot be read ({first_line(error)})") from error
    n_atoms = len(frame.numbers)
    if len(frame.coordinates) != n_atoms or (frame.masses_u is not None and len(frame.masses_u) != n_atoms):
        raise InputError(f"row {index}: {n_atoms} atoms with {len(frame.coordinates)} positions, or as many masses")
    structure = structure_of_frame(frame, index)
    if energy is None:
        return StructureEntry(structure=structure)
    if not isinstance(energy, float) or not np.isfinite(energy):
        raise InputError(f"row {index}: its energy is not a finite number")
    remark = f"energy {energy:g} eV by {str(calculator)[:20] if calculator else 'an unstated method'}"
    return StructureEntry(structure=structure, fields={"energy_eV_per_atom": energy / n_atoms}, remarks=(remark,))


def _floats(content: bytes) -> FloatArray:
    return np.frombuffer(content, "<f8").astype(np.float64)
