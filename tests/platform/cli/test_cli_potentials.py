import json

import pytest

from vitrion.cli.app import run
from vitrion_workflows import potentials


def test_list_is_an_array_of_objects(capsys):
    assert run(["potentials", "list", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == [entry.name for entry in potentials.entries()]
    assert sum(row["default"] for row in rows) == 1
    by_name = {row["name"]: row for row in rows}
    assert by_name["lennard-jones"]["ready"]
    assert by_name["nep89"]["weights_sha256"].startswith("75168ece")
    assert "Li" in by_name["chgnet"]["elements"]


def test_list_for_people_names_the_default(capsys):
    assert run(["potentials", "list"]) == 0
    captured = capsys.readouterr()
    assert "lennard-jones" in captured.out
    assert "used where none is named" in captured.err


def test_check_passes_and_says_what(capsys):
    assert run(["potentials", "check", "lennard-jones", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["passed"] for row in rows)
    assert {"name", "passed", "deviation", "limit", "unit"} <= set(rows[0])


def test_a_failed_check_is_exit_code_1(capsys, monkeypatch):
    report = potentials.CheckReport(name="forces", passed=False, deviation=1.0, limit=0.1, unit="eV/A")
    monkeypatch.setattr(potentials, "check", lambda *_, **__: (report,))
    assert run(["potentials", "check", "lennard-jones"]) == 1
    assert "forces" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["check", "nep90"], "no potential is called 'nep90'"),
        (["install", "nep90"], "no potential is called 'nep90'"),
        (["install", "nep89", "--file", "/no/such/file"], "/no/such/file is no file"),
        (["check", "mace:/no/such.model"], "names no file"),
    ],
)
def test_faults_are_one_line_and_exit_code_2(capsys, words, said):
    assert run(["potentials", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_weights_of_another_sha256_are_told(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path))
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("nep4_zbl 1 H")
    assert run(["potentials", "install", "nep89", "--file", str(wrong)]) == 2
    assert "sha256" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["wrong.txt"]
