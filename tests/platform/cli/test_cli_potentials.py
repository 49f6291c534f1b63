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
    assert "default:" in captured.err


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
        (["install", "nep90"], "'nep90'"),
        (["check", "mace:/no/such.model"], "names no file"),
        (["check", "mace-mpa-0"], "vitrion potentials install mace-mpa-0 --file FILE"),
        (["install", "mace-mpa-0"], "vitrion potentials install mace-mpa-0 --file FILE"),
        (["install", "mace-mpa-0", "--file", "/no/such/file"], "/no/such/file is not a file"),
        (["check", "sevennet"], "pip install 'vitrion[sevennet]'"),
        (["check", "orb-v3-conservative-inf-omat"], "pip install 'vitrion[orb]'"),
        (["check", "mattersim-v1.0.0-5m"], "pip install 'vitrion[mattersim]'"),
        (["check", "pfp:R2SCAN@v8.0.0"], "install pfp-api-client from Matlantis"),
        (["check", "pfp:R2SCAN@latest"], "mode and version"),
        (["check", "remote:/no/such.yaml"], "/no/such.yaml: no such file"),
        (["check", "lennard-jones", "--elements", "Xx"], "Xx"),
        (["check", "lennard-jones", "--elements", "Og"], "does not cover Og"),
        (["serve", "lennard-jones"], "--address"),
        (["serve", "lennard-jones", "--address", "nowhere"], "'nowhere'"),
        (["serve", "lennard-jones", "--identity", "/no/such/folder/x.json"], "cannot write /no/such/folder/x.json"),
    ],
)
def test_faults_are_one_line_and_exit_code_2(capsys, words, said):
    assert run(["potentials", *words]) == 2
    captured = capsys.readouterr()
    assert said in captured.err
    assert captured.err.count("\n") == 1
    assert not captured.out


def test_a_changed_file_is_reported(capsys, monkeypatch, tmp_path):
    pytest.importorskip("mace", reason="mace-torch is not installed")
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path))
    given = tmp_path / "given"
    given.write_text("one")
    assert run(["potentials", "install", "mace-mpa-0", "--file", str(given)]) == 0
    (tmp_path / "mace-mpa-0.model").write_text("another")
    capsys.readouterr()
    assert run(["potentials", "check", "mace-mpa-0"]) == 2
    printed = capsys.readouterr().err
    assert "mace-mpa-0.model has sha256" in printed
    assert printed.count("\n") == 1
    rows_code = run(["potentials", "list", "--json"])
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows_code == 0
    assert not rows["mace-mpa-0"]["ready"]
    assert "installed was" in rows["mace-mpa-0"]["reason"]


def test_serve_writes_who_it_is(capsys, tmp_path):
    assert run(["potentials", "serve", "lennard-jones", "--identity", str(tmp_path / "lj.json")]) == 0
    assert "identity of lennard-jones" in capsys.readouterr().err
    assert json.loads((tmp_path / "lj.json").read_text())["weights_sha256"].startswith("1b7dd6a450ba")


def test_a_served_potential_is_checked_from_here(capsys, tmp_path):
    # The command that users type, in a second process.
    assert run(["potentials", "serve", "lennard-jones", "--identity", str(tmp_path / "lj.json")]) == 0
    serve = "from vitrion.cli.app import main; main()"
    (tmp_path / "lj.yaml").write_text(
        "identity_file: lj.json\n"
        f"command: ['{{python}}', '-c', '{serve}', potentials, serve, lennard-jones, --address, '{{address}}']\n"
    )
    capsys.readouterr()
    assert run(["potentials", "check", f"remote:{tmp_path / 'lj.yaml'}", "--json"]) == 0
    assert all(row["passed"] for row in json.loads(capsys.readouterr().out))


def test_doctor_tells_every_potential(capsys):
    run(["doctor", "--json"])
    printed = {row["name"] for row in json.loads(capsys.readouterr().out) if row["topic"] == "potential"}
    assert {entry.name for entry in potentials.entries()} <= printed
