"""Structures come back from their exports by the commands: atoms, isotopes, partial occupancies."""

import json

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure

import vitrion
from vitrion.cli.app import run
from vitrion_workflows.schemas.geometry import with_masses

ALL_FORMATS = ("xyz", "cif", "poscar", "json", "ase-db")
ROCK_SALT = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
MASSES_U = {"Li": 6.94, "H": 2.014102}


def glass():
    """Return a cell without symmetry, tilted, its atoms in mixed order."""
    rng = np.random.default_rng(1)
    cell = Structure.from_sites(list(rng.permutation(np.array(list(ROCK_SALT.sites), dtype=object))))
    positions = cell.cart_coords + rng.normal(0, 0.1, (len(cell), 3))
    return Structure(Lattice.from_parameters(5.2, 5.3, 5.4, 80, 95, 100), cell.species, positions / 5.13)


def deuteride():
    plain = Structure.from_spacegroup("Fm-3m", Lattice.cubic(4.08), ["Li", "H"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return with_masses(plain, [MASSES_U[site.specie.symbol] for site in plain])


def light_lithium():
    return with_masses(ROCK_SALT, [6.015 if site.specie.symbol == "Li" else 35.45 for site in ROCK_SALT])


def vacancies():
    cell = ROCK_SALT.copy()
    cell.replace_species({"Li": {"Li": 0.8}})
    cell[4] = {"Cl": 0.75, "Br": 0.25}
    return cell


CELLS = {
    "crystal": ROCK_SALT,
    "glass": glass(),
    "deuteride": deuteride(),
    "light": light_lithium(),
    "part": vacancies(),
}
REFUSED = {
    **{("light", name): "Li@6.015" for name in ("cif", "poscar")},
    **{("part", name): "partially occupied" for name in ("xyz", "poscar", "ase-db")},
}


def use(monkeypatch, home):
    monkeypatch.setenv("VITRION_HOME", str(home))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)


def stored():
    with vitrion.connect(readonly=True) as db:
        rows = db.structures.search()
        return {row.fingerprint: (row.formula, row.density_g_cm3, row.disordered) for row in rows}


@pytest.mark.parametrize("file_format", ALL_FORMATS)
@pytest.mark.parametrize("cell", CELLS)
def test_a_structure_comes_back_from_an_export_or_is_refused(tmp_path, monkeypatch, capsys, cell, file_format):
    use(monkeypatch, tmp_path / "first")
    with vitrion.connect() as db:
        key = db.structures.add(CELLS[cell], kind="crystal").fingerprint
    ((formula, density, disordered),) = stored().values()
    path = tmp_path / "export"
    export = ["structures", "export", "--to", str(path), "--format", file_format]
    if reason := REFUSED.get((cell, file_format)):
        assert run(export) == 2
        assert reason in capsys.readouterr().err
        assert not path.exists()
        return
    assert run(export) == 0
    use(monkeypatch, tmp_path / "second")
    capsys.readouterr()
    assert run(["ingest", "structures", str(path), "--format", file_format, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["fingerprints"] == [key]
    assert stored() == {key: (formula, pytest.approx(density), disordered)}


@pytest.mark.parametrize("name", ["all.xyz", "all.cif", "all.json", "all.db"])
def test_several_structures_come_back_from_one_file_by_its_name(tmp_path, monkeypatch, capsys, name):
    use(monkeypatch, tmp_path / "first")
    with vitrion.connect() as db:
        keys = {
            db.structures.add(CELLS[cell], kind="crystal").fingerprint for cell in ("crystal", "glass", "deuteride")
        }
    assert run(["structures", "export", "--to", str(tmp_path / name)]) == 0
    use(monkeypatch, tmp_path / "second")
    capsys.readouterr()
    assert run(["ingest", "structures", str(tmp_path / name), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["fingerprints"]) == keys == stored().keys()


@pytest.mark.parametrize(
    ("words", "formats"),
    [
        (
            ["structures", "export", "--to", "cells.png"],
            "csv, jsonl, parquet, arrow, hdf5, xyz, cif, poscar, json, ase-db",
        ),
        (["structures", "export", "--to", "cells.xyz", "--format", "extxyz"], "xyz, cif, poscar"),
        (["labels", "export", "--to", "labels.cif"], "csv, jsonl, parquet, arrow, hdf5\n"),
        (["labels", "export", "--to", "labels", "--format", "excel"], "csv, jsonl, parquet, arrow, hdf5\n"),
        (["ingest", "structures", __file__, "--format", "pdb"], "cif, xdatcar"),
        (["diffusivity", __file__, "--species", "Li", "--format", "pdb"], "xdatcar"),
    ],
)
def test_a_wrong_format_is_answered_by_the_list(tmp_path, monkeypatch, capsys, words, formats):
    use(monkeypatch, tmp_path / "home")
    with vitrion.connect() as db:
        db.structures.add(ROCK_SALT, kind="crystal")
    assert run(words) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert formats in message
