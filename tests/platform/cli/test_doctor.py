import json

import pytest

from vitrion.cli import app, doctor

pytestmark = pytest.mark.usefixtures("home")


def findings(capsys):
    return {(row["topic"], row["name"]): row for row in json.loads(capsys.readouterr().out)}


@pytest.fixture
def quick(monkeypatch):
    """Leave out the checks that import torch and the potentials."""
    kept = [check for check in doctor.CHECKS if check not in {doctor._accelerator, doctor._potentials}]
    monkeypatch.setattr(doctor, "CHECKS", tuple(kept))


def test_the_whole_report_names_potentials_database_and_gpu(capsys):
    code = app.run(["doctor", "--json"])
    found = findings(capsys)
    assert code == (2 if any(row["state"] == "fault" for row in found.values()) else 0)
    assert found["package", "torch"]["state"] == "ok"
    assert {name for topic, name in found if topic == "potential"} >= {"chgnet", "nep89", "diep"}
    assert found["database", "embedded"]["state"] == "absent"
    assert "vitrion init" in found["database", "embedded"]["detail"]
    assert any(topic == "gpu" for topic, _ in found)
    for row in found.values():
        assert "\n" not in row["detail"]
        assert row["detail"]


@pytest.mark.usefixtures("quick")
def test_after_init_the_database_is_there_and_init_repeats(capsys):
    assert app.run(["init", "--json"]) == 0
    first = json.loads(capsys.readouterr().out)
    assert (first["kind"], first["structures"], first["labels"]) == ("embedded", 0, 0)
    assert app.run(["init", "--json"]) == 0
    capsys.readouterr()
    assert app.run(["doctor", "--json"]) == 0
    assert findings(capsys)["database", "embedded"]["state"] == "ok"


@pytest.mark.usefixtures("quick")
def test_an_unreachable_server_is_a_fault_in_one_line(monkeypatch, capsys):
    uri = "mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200"
    monkeypatch.setenv("VITRION_DATABASE_URI", uri)
    assert app.run(["doctor", "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert "127.0.0.1" in captured.err
    assert app.run(["init"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_check_that_breaks_is_a_finding_and_stops_no_other(monkeypatch, capsys):
    def _broken():
        raise RuntimeError("the driver\nis gone")
        yield

    monkeypatch.setattr(doctor, "CHECKS", (_broken, doctor._python))
    assert app.run(["doctor", "--json"]) == 2
    found = findings(capsys)
    assert found["broken", "check"]["state"] == "fault"
    assert any(topic == "python" for topic, _ in found)


def test_without_any_real_potential_the_doctor_says_no(monkeypatch, capsys):
    from vitrion_workflows import potentials

    model_only = [entry for entry in potentials.entries() if entry.name == "lennard-jones"]
    monkeypatch.setattr(potentials, "entries", lambda: tuple(model_only))
    monkeypatch.setattr(potentials, "default_potential", lambda: ("lennard-jones", "nothing else can run"))
    monkeypatch.setattr(doctor, "CHECKS", (doctor._potentials,))
    assert app.run(["doctor"]) == 2
    assert "nothing else can run" in capsys.readouterr().err


def test_people_get_a_table(monkeypatch, capsys):
    monkeypatch.setattr(doctor, "CHECKS", (doctor._python,))
    assert app.run(["doctor"]) == 0
    assert "python" in capsys.readouterr().out
