"""Databases of ASE: the rows that ASE writes, and damaged or foreign SQLite files."""

import sqlite3
from contextlib import closing

import numpy as np
import pytest
from ase.build import bulk
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect

from vitrion_models.errors import InputError
from vitrion_workflows.formats.structures import read_entries, read_structures
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import structure_from_system, system_from_atoms


@pytest.fixture
def path(tmp_path):
    """A database of a crystal, and a tilted supercell with a heavy chlorine and an energy."""
    salt = bulk("NaCl", "rocksalt", 5.64)
    large = salt * (2, 1, 1)
    large.set_masses([22.99, 36.966, 22.99, 35.45])
    large.rattle(0.05, seed=1)
    large.calc = SinglePointCalculator(large, energy=-12.0)
    with connect(tmp_path / "cells.db") as database:
        database.write(salt, note="first")
        database.write(large, data={"object": [1, 2]})
    return tmp_path / "cells.db"


def execute(path, *statements):
    with closing(sqlite3.connect(path)) as database, database:
        for statement in statements:
            database.execute(*statement)


def test_rows_are_those_that_ase_reads(path):
    before = path.read_bytes()
    entries = list(read_entries(path))
    theirs = [structure_from_system(system_from_atoms(row.toatoms())) for row in connect(path).select()]
    assert [fingerprint(entry.structure) for entry in entries] == [fingerprint(structure) for structure in theirs]
    assert len({fingerprint(structure) for structure in theirs}) == 2
    assert path.read_bytes() == before
    assert [dict(entry.fields) for entry in entries] == [{}, {"energy_eV_per_atom": -3.0}]
    assert "-12 eV" in entries[1].remarks[0]


def test_a_file_that_cannot_be_written_is_read(path):
    path.chmod(0o444)
    path.parent.chmod(0o555)
    try:
        assert len(read_structures(path)) == 2
    finally:
        path.parent.chmod(0o755)


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("pbc", 3, "not periodic along c"),
        ("pbc", "all", "row 2"),
        ("numbers", b"", "row 2"),
        ("numbers", np.array([11, 17, 11], "<i4").tobytes(), "3 atoms"),
        ("numbers", np.array([11, 17, 11, 500], "<i4").tobytes(), "element"),
        ("numbers", None, "row 2"),
        ("positions", b"12345", "row 2"),
        ("positions", np.full(12, np.nan).tobytes(), "finite"),
        ("cell", np.zeros(9).tobytes(), "cell"),
        ("cell", np.zeros(6).tobytes(), "row 2"),
        ("masses", np.ones(3).tobytes(), "masses"),
        ("masses", np.full(4, np.nan).tobytes(), "mass"),
        ("energy", "low", "energy"),
        ("energy", float("inf"), "energy"),
    ],
)
def test_a_row_that_is_no_cell_is_refused(path, column, value, reason):
    execute(path, (f"UPDATE systems SET {column} = ? WHERE id = 2", (value,)))
    with pytest.raises(InputError, match=reason):
        read_structures(path)


@pytest.mark.parametrize(
    "statements",
    [
        [("DROP TABLE systems",)],
        [("ALTER TABLE systems RENAME TO others",), ("CREATE VIEW systems AS SELECT * FROM others",)],
        [("ALTER TABLE systems DROP COLUMN cell",)],
        [("DELETE FROM systems",)],
    ],
)
def test_another_sqlite_file_is_refused(path, statements):
    execute(path, *statements)
    with pytest.raises(InputError, match=r"cells\.db"):
        read_structures(path)


@pytest.mark.parametrize("damage", ["truncated", "text", "bytes"])
def test_a_damaged_database_is_refused(path, damage):
    good = path.read_bytes()
    noisy = bytearray(good)
    rng = np.random.default_rng(0)
    for place in rng.integers(100, len(good), 3000):
        noisy[place] = rng.integers(256)
    path.write_bytes({"truncated": good[: len(good) // 2], "text": b"[1, 2]\n" * 200, "bytes": bytes(noisy)}[damage])
    with pytest.raises(InputError, match=r"cells\.db"):
        read_structures(path)
