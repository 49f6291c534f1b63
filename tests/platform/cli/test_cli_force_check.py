"""The force check through the commands people type: switched off, with a named reference, shown, searched."""

import json

import pytest
from flow_runs import LICL
from plain_labels import plain_label
from reference_forces import Scaled, checked_record, put_in_place
from refusals import ROCK_SALT_CIF, open_desk

import vitrion
from vitrion.cli.app import run

LJ = ("--potential", "lennard-jones")


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


def answer(capsys, *words):
    capsys.readouterr()
    run([*map(str, words), "--json"])
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--reference", "dipe"), "diep"),
        (("--reference", "lennard-jones"), "lennard-jones"),
        (("--reference", "diep", "--no-force-check"), "--reference"),
    ],
)
def test_a_reference_that_cannot_serve_is_refused_before_the_run(desk, options, named):
    path = desk.write("cell.cif", ROCK_SALT_CIF)
    desk.refused("label", path, "--temperature", "1000", *LJ, *options, says=(named,))
    desk.refused("amorphize", "LiCl", *LJ, *options, says=(named,))


@pytest.mark.usefixtures("desk")
def test_labels_are_listed_by_the_agreement_of_their_forces(capsys):
    with vitrion.connect() as db:
        cell = db.structures.add(LICL, kind="crystal").fingerprint
        for seed, r2 in enumerate((0.9, 0.4)):
            db.labels.add(plain_label(cell, seed=seed, force_check=checked_record(r2)))
    rows = answer(capsys, "labels", "list", "--min-force-r2", "0.8")
    assert [row["force_r2"] for row in rows] == [0.9]
    assert rows[0]["force_check"]["by_species"]["Li"]["slope"] == 0.9
    rows = answer(capsys, "labels", "list", "--sort", "force_r2")
    assert [row["force_r2"] for row in rows] == [0.4, 0.9]


@pytest.mark.usefixtures("desk")
def test_cells_are_listed_by_the_forces_of_the_reference(capsys):
    with vitrion.connect() as db:
        for place, force in enumerate((0.9, 9.5, 2.5)):
            glass = LICL.copy()
            glass.perturb(0.3, seed=place)
            db.structures.add(glass, kind="amorphous", reference_force_eV_per_A=force)
    rows = answer(capsys, "structures", "list", "--reference-force", ":3")
    assert [row["reference_force_eV_per_A"] for row in rows] == [0.9, 2.5]
    rows = answer(capsys, "structures", "list", "--reference-force", "0:", "--sort", "-reference_force_eV_per_A")
    assert [row["reference_force_eV_per_A"] for row in rows] == [9.5, 2.5, 0.9]


def test_a_hole_is_named_by_the_command_that_made_the_label(desk, monkeypatch, capsys):
    put_in_place(monkeypatch, Scaled(push_eV_per_A=80.0))
    path = desk.write("cell.cif", ROCK_SALT_CIF)
    (row,) = answer(capsys, "label", path, "--temperature", "900", "--ps", "1", *LJ)
    assert row["state"] == "rejected"
    (gate,) = (gate for gate in row["gates"] if gate["name"] == "force_check")
    assert not gate["passed"]
    assert "scaled" in gate["message"]
    (row,) = answer(capsys, "label", path, "--temperature", "901", "--ps", "1", *LJ, "--no-force-check")
    assert row["force_check"] is None
