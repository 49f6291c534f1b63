"""`vitrion label` of isotopes: as files state them, or by --mass; each an identity and a label of its own."""

import json
from pathlib import Path

import numpy as np
import pytest
from pymatgen.core import Lattice, Structure
from refusals import open_desk

import vitrion
from vitrion.cli.app import run
from vitrion_workflows.schemas.geometry import isotope_masses
from vitrion_workflows.trajectories import h5md

SHORT = ("-t", "900", "--ps", "1", "--json")
LJ = ("--potential", "lennard-jones")
D, LI6, LI, CL = 2.014102, 6.015, 6.94, 35.45


@pytest.fixture(name="desk")
def make_desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


def labelled(capsys, *words):
    capsys.readouterr()
    assert run(["label", *SHORT, *LJ, *words]) == 0
    return json.loads(capsys.readouterr().out)


def masses_of_run(row):
    with vitrion.connect(readonly=True) as db:
        trajectory = h5md.read(db.artefacts.place(row["trajectory_sha256"]))
    return dict(zip(trajectory.numbers.tolist(), trajectory.masses_u.tolist(), strict=True))


@pytest.mark.usefixtures("desk")
def test_masses_that_are_given_make_another_cell_and_another_label(capsys):
    (usual,) = labelled(capsys, "good.cif")
    (light,) = labelled(capsys, "good.cif", "--mass", "Li=6.0151")
    (stored,) = labelled(capsys, usual["structure_fingerprint"], "--mass", "Li=6.015")
    assert light["key"] == stored["key"] != usual["key"]
    assert masses_of_run(usual) == pytest.approx({3: LI, 17: CL})
    assert masses_of_run(light) == pytest.approx({3: LI6, 17: CL})
    with vitrion.connect(readonly=True) as db:
        rows = {row.isotopes: row for row in db.structures.search(chemsys="Cl-Li")}
        assert set(rows) == {(), ("Li@6.015",)}
        assert rows["Li@6.015",].fingerprint == light["structure_fingerprint"]
        assert rows[()].fingerprint == usual["structure_fingerprint"]


@pytest.mark.usefixtures("desk")
def test_a_variant_of_a_stored_cell_names_its_parent(capsys):
    (usual,) = labelled(capsys, "good.cif")
    (light,) = labelled(capsys, usual["structure_fingerprint"][:12], "--mass", "Li=7.016,Cl=36.966")
    with vitrion.connect(readonly=True) as db:
        row = db.structures.get(light["structure_fingerprint"])
        assert row.parent == usual["structure_fingerprint"]
        assert row.isotopes == ("Cl@36.966", "Li@7.016")
    assert masses_of_run(light) == pytest.approx({3: 7.016, 17: 36.966})


@pytest.mark.usefixtures("desk")
def test_the_standard_weight_is_the_same_cell(capsys):
    (usual,) = labelled(capsys, "good.cif")
    assert labelled(capsys, "good.cif", "--mass", "Li=6.941") == [usual]


@pytest.mark.usefixtures("desk")
def test_deuterium_of_a_file_runs_with_its_mass(capsys):
    crystal = Structure.from_spacegroup("Fm-3m", Lattice.cubic(3.48), ["Li", "H"], [[0, 0, 0], [0.5] * 3])
    text = crystal.to(fmt="poscar").replace("Li H", "Li D").replace(" H\n", " D\n")
    Path("POSCAR").write_text(text, encoding="utf-8")
    (row,) = labelled(capsys, "POSCAR")
    assert row["reduced_formula"] == "LiD"
    assert masses_of_run(row) == pytest.approx({3: LI, 1: D})
    assert "natural_masses" not in json.dumps(row)
    with vitrion.connect(readonly=True) as db:
        cell = db.structures.structure(row["structure_fingerprint"])
        assert isotope_masses(cell) == pytest.approx(np.where(np.array(cell.atomic_numbers) == 1, D, LI))


@pytest.mark.parametrize(
    ("mass", "says"),
    [
        ("Li", "--mass"),
        ("Li=six", "--mass"),
        ("Li=6,Li=7", "--mass"),
        ("Na=22", "Na"),
        ("Li=-6", "-6"),
        ("Li=6e3", "6000"),
    ],
)
def test_impossible_masses_are_refused(desk, mass, says):
    desk.refused("label", "good.cif", "--mass", mass, *SHORT, *LJ, says=says)
