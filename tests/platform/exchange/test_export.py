"""Exports, read back by other libraries; and the commands that list, show and export."""

import csv
import json
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
import pytest
import stored_records
from ase.db import connect as ase_database
from ase.io import read
from pymatgen.core import Lattice, Structure
from pymatgen.io.cif import CifParser
from pymatgen.io.vasp import Poscar

import vitrion
from vitrion.cli.app import run
from vitrion.database.records import ImportedLabel
from vitrion.exchange import export
from vitrion.exchange.tables import read_rows
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.formats.structures import read_structures
from vitrion_workflows.schemas import fingerprint
from vitrion_workflows.schemas.geometry import structure_from_system, system_from_atoms, with_masses


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    rng = np.random.default_rng(0)
    with vitrion.connect() as db:
        for number in range(3):
            cell = AtomicSystem(np.repeat([3, 17], 4), rng.uniform(0, 6, (8, 3)), np.eye(3) * 6)
            db.structures.add(cell, kind="amorphous", seed=number)
        disordered = Structure(Lattice.cubic(5), [{"Li": 0.5}, "S"], [[0, 0, 0], [0.5, 0.5, 0.5]])
        db.structures.add(disordered, kind="crystal", source='a, "quoted" file')
        db.models.add("a" * 64, kind="surrogate", architecture="x", promoted=True, promotion_reason="first")
    return tmp_path


def test_structures_come_back_from_each_format_as_themselves(home):
    with vitrion.connect(readonly=True) as db:
        wanted = {row.fingerprint for row in db.structures.search(kind="amorphous")}
        for name in ("all.xyz", "all.cif"):
            chosen = export.format_of(home / name, suffixes=export.STRUCTURE_SUFFIXES)
            assert (
                export.export_structures(db.structures.iterate(kind="amorphous"), home / name, file_format=chosen) == 3
            )
        frames = read(home / "all.xyz", index=":", format="extxyz")
        assert {fingerprint(structure_from_system(system_from_atoms(atoms))) for atoms in frames} == wanted
        assert {atoms.info["fingerprint"] for atoms in frames} == wanted
        blocks = CifParser(home / "all.cif").parse_structures(primitive=False)
        assert {fingerprint(structure) for structure in blocks} == wanted
        one = min(wanted)
        export.export_structures(db.structures.iterate(fingerprint=one), home / "POSCAR", file_format="poscar")
        assert fingerprint(Poscar.from_file(home / "POSCAR", check_for_potcar=False).structure) == one


def test_structures_come_back_from_pymatgens_json_and_from_an_ase_database(home):
    with vitrion.connect(readonly=True) as db:
        every = {row.fingerprint for row in db.structures.search()}
        export.export_structures(db.structures.iterate(), home / "all.json", file_format="json")
        back = [Structure.from_dict(content) for content in json.loads((home / "all.json").read_text())]
        assert {fingerprint(structure) for structure in back} == every  # partial occupancies, too
        ordered = {row.fingerprint for row in db.structures.search(kind="amorphous")}
        export.export_structures(db.structures.iterate(kind="amorphous"), home / "all.db", file_format="ase-db")
    rows = list(ase_database(home / "all.db").select())
    assert {row.fingerprint for row in rows} == ordered
    assert {fingerprint(structure_from_system(system_from_atoms(row.toatoms()))) for row in rows} == ordered


def test_partial_occupancy_goes_to_cif_and_nowhere_else(home):
    with vitrion.connect(readonly=True) as db:
        export.export_structures(db.structures.iterate(disordered=True), home / "d.cif", file_format="cif")
        (back,) = CifParser(home / "d.cif").parse_structures(primitive=False)
        assert fingerprint(back) == db.structures.search(disordered=True)[0].fingerprint
        for chosen in ("xyz", "poscar"):
            with pytest.raises(InputError, match="partially occupied"):
                export.export_structures(db.structures.iterate(disordered=True), home / "no", file_format=chosen)
        assert not (home / "no").exists()


def test_tables_come_back_from_csv_and_json_lines(home):
    with vitrion.connect(readonly=True) as db:
        rows = db.structures.search()
        export.export_table(rows, home / "all.csv", file_format="csv")
        export.export_table(rows, home / "all.jsonl", file_format="jsonl")
        export.export_table(db.labels.search(), home / "none.csv", file_format="csv")
    with (home / "all.csv").open(newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [row["fingerprint"] for row in table] == [row.fingerprint for row in rows]
    assert table[-1]["source"] == 'a, "quoted" file'
    assert json.loads(table[0]["elements"]) == ["Cl", "Li"]
    lines = [json.loads(line) for line in (home / "all.jsonl").read_text().splitlines()]
    assert [line["density_g_cm3"] for line in lines] == [row.density_g_cm3 for row in rows]
    assert "log10_value" in pd.read_csv(home / "none.csv").columns


def test_list_show_and_export_speak_json(home, capsys):
    def asked(*words):
        assert run([*words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    listed = asked("structures", "list", "--chemsys", "Cl-Li", "--density", "0.1:5", "--sort=-density_g_cm3")
    assert len(listed) == 3
    assert {"fingerprint", "density_g_cm3", "elements", "gates"} <= set(listed[0])
    assert len(asked("structures", "list", "--disordered")) == 1
    assert asked("structures", "list", "--elements-none", "Li") == []
    shown = asked("structures", "show", listed[0]["fingerprint"][:10])
    assert shown["fingerprint"] == listed[0]["fingerprint"]
    assert np.shape(shown["geometry"]["cartesian_site_positions"]) == (8, 3)
    wrote = asked("structures", "export", "--to", str(home / "x.xyz"), "--kind", "amorphous")
    assert wrote["count"] == 3
    assert asked("labels", "list", "--temperature", "900:1100", "--state", "accepted") == []
    assert asked("labels", "export", "--to", str(home / "l.csv"))["count"] == 0
    assert asked("models", "show", "aaaaaaaa")["promotion_reason"] == "first"
    assert asked("models", "list", "--kind", "generator") == []
    assert asked("models", "export", "--to", str(home / "m.jsonl"))["count"] == 1


@pytest.mark.usefixtures("home")
def test_tables_for_people(capsys):
    assert run(["structures", "list", "--limit", "2"]) == 0
    printed = capsys.readouterr()
    assert "reduced_formula" in printed.out
    assert "2 of 4" in printed.err
    assert run(["labels", "list"]) == 0
    assert run(["models", "list"]) == 0


D, LI6 = 2.014102, 6.015


def isotope_cells():
    """Return a deuteride, a cell of deuterium beside hydrogen, and a hydride of light lithium."""
    places = [[0, 0, 0], [0.5, 0.5, 0.5], [0.5, 0, 0.1], [0, 0.5, 0]]
    plain = Structure(Lattice.orthorhombic(4, 4.1, 4.2), ["Li", "Li", "H", "H"], places)
    return {
        "deuteride": with_masses(plain, [6.94, 6.94, D, D]),
        "mixed": with_masses(plain, [6.94, 6.94, 1.008, D]),
        "light": with_masses(plain, [LI6, LI6, 1.008, 1.008]),
    }


@pytest.mark.parametrize("name", ["deuteride", "mixed", "light"])
@pytest.mark.parametrize("file", ["cell.cif", "POSCAR", "cell.xyz", "cell.json", "cell.db"])
def test_isotopes_come_back_from_each_format_or_are_refused(tmp_path, monkeypatch, capsys, name, file):
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    cell, path = isotope_cells()[name], tmp_path / file
    with vitrion.connect() as db:
        db.structures.add(cell, kind="crystal")
    if name == "light" and file in {"cell.cif", "POSCAR"}:
        assert run(["structures", "export", "--to", str(path)]) == 2
        assert "Li@6.015" in capsys.readouterr().err
        assert not path.exists()
        return
    assert run(["structures", "export", "--to", str(path)]) == 0
    if file.endswith(".db"):
        back = structure_from_system(system_from_atoms(ase_database(path).get_atoms(1)))
    elif file.endswith(".json"):
        back = Structure.from_dict(json.loads(path.read_text())[0])
    elif file.endswith(".xyz"):
        back = structure_from_system(system_from_atoms(read(path, format="extxyz")))
    else:
        (back,) = read_structures(path)
    assert fingerprint(back) == fingerprint(cell)


def test_half_a_formula_unit_is_written_to_cif_with_a_whole_number_of_units(home):
    half = Structure(Lattice.cubic(3), ["Li", "O"], [[0, 0, 0], [0.5] * 3])  # of Li2O2
    with vitrion.connect() as db:
        key = db.structures.add(half, kind="crystal").fingerprint
        export.export_structures(db.structures.iterate(fingerprint=key), home / "half.cif", file_format="cif")
    assert "_cell_formula_units_Z   1\n" in (home / "half.cif").read_text()
    (back,) = read_structures(home / "half.cif")
    assert fingerprint(back) == key


def test_a_site_shared_by_isotopes_is_written_to_cif_alone(home):
    shared = Structure(Lattice.cubic(4.08), [{"D": 0.75, "H": 0.25}, "Li"], [[0, 0, 0], [0.5] * 3])
    with vitrion.connect() as db:
        key = db.structures.add(shared, kind="crystal").fingerprint
        export.export_structures(db.structures.iterate(fingerprint=key), home / "one.cif", file_format="cif")
        with pytest.raises(InputError, match="D and H on one site"):
            export.export_structures(db.structures.iterate(fingerprint=key), home / "one.json", file_format="json")
    (back,) = read_structures(home / "one.cif")
    assert fingerprint(back) == key == fingerprint(shared)
    assert "Li1 D0.75 H0.25" in (home / "one.cif").read_text()


@pytest.mark.parametrize("noun", ["structures", "labels", "models"])
@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "arrow", "h5"])
def test_dates_carry_their_zone(home, noun, ending):
    with vitrion.connect() as db:
        db.labels.add_imported(ImportedLabel(**stored_records.PUBLISHED | {"composition": "Li3PS4"}))
    path = home / f"table.{ending}"
    assert run([noun, "export", "--to", str(path)]) == 0
    rows = read_rows(path)
    assert rows
    for row in rows:
        assert datetime.fromisoformat(row["created_at"]).utcoffset() == timedelta(0)
