"""`vitrion order`: ordered cells of a disordered crystal, stored with their parent, and written."""

import json
from pathlib import Path

import pytest
from pymatgen.core import Lattice, Structure
from refusals import open_desk

import vitrion
from vitrion.cli.app import run
from vitrion_workflows.formats.structures import read_structures

MIXED = Structure(Lattice.cubic(2.8), [{"Na": 0.5, "Cl": 0.5}], [[0, 0, 0]])


@pytest.fixture(name="desk")
def make_desk(tmp_path, monkeypatch, capsys):
    desk = open_desk(tmp_path / "desk", monkeypatch, capsys)
    MIXED.to("mixed.cif")
    return desk


def ordered(capsys, *words):
    capsys.readouterr()
    assert run(["order", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("desk")
def test_orderings_are_stored_with_their_parent_and_written(capsys):
    rows = ordered(capsys, "mixed.cif", "-n", "3", "--supercell", "2x2x2", "-o", "cells.extxyz")
    assert [row["formula"] for row in rows] == ["Na4 Cl4"] * 3
    assert len(read_structures(Path("cells.extxyz"))) == 3
    with vitrion.connect(readonly=True) as db:
        stored = db.structures.search(origin="ordered")
        assert [row.fingerprint for row in stored] == [row["fingerprint"] for row in rows]
        parent = db.structures.get(stored[0].parent)
    assert parent.disordered
    by_fingerprint = ordered(capsys, parent.fingerprint[:12], "-n", "3", "--supercell", "2x2x2")
    assert by_fingerprint == rows


def test_fewer_orderings_than_asked_for_are_told(desk, capsys):
    capsys.readouterr()
    assert run(["order", "mixed.cif", "-n", "9", "--supercell", "2x2x2"]) == 0
    assert "6 of 9" in capsys.readouterr().err
    assert desk.home.exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("good.cif",), "nothing to order"),
        (("mixed.cif", "--supercell", "2x2"), "2x2"),
        (("mixed.cif", "--supercell", "40x40x40"), "64000 sites"),
        (("mixed.cif", "--supercell", "2x2x2", "--atoms", "8"), "not both"),
        (("mixed.cif", "--atoms", "999999999"), "--atoms"),
        (("mixed.cif", "-n", "0"), "--count"),
        (("mixed.cif", "-o", "cells.docx"), "cells.docx"),
        (("absent.cif",), "absent.cif"),
    ],
)
def test_what_cannot_be_ordered_is_refused(desk, words, says):
    desk.refused("order", *words, says=says)
