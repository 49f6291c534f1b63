"""`vitrion potentials judge`: its table, its file that goes on after an interruption, its refusals."""

import json
from pathlib import Path

import pytest
from ase.build import bulk
from refusals import open_desk

import vitrion
from vitrion.answers import judging
from vitrion.answers.judgement import read_judgements
from vitrion.cli.app import run
from vitrion_workflows import potentials

REFERENCE = "ase:ase.calculators.emt:EMT@Cu,Ag,Au"  # a simple model of alloys, part of ASE
JUDGE = ("potentials", "judge", "lennard-jones")
SHORT = ("--reference", REFERENCE, "--atoms", "8", "--ps", "0.05")


@pytest.fixture(name="desk")
def make_desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


def judged(capsys, *words):
    capsys.readouterr()
    assert run([*JUDGE, *words, *SHORT, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.usefixtures("desk")
def test_each_composition_has_forces_a_melt_and_where_given_a_crystal(capsys):
    bulk("Au", cubic=True).write("gold.cif")
    copper, gold = judged(capsys, "--compositions", "Cu", "--structure", "gold.cif", "--plot", "picture.svg")
    assert [copper["formula"], gold["formula"]] == ["Cu", "Au"]
    assert copper["chemistry"] == "alloy"
    assert copper["weights_sha256"] == potentials.load("lennard-jones").weights_sha256
    assert copper["judgement"]["crystal"] is None
    crystal = gold["judgement"]["crystal"]
    assert crystal["volume_A3_per_atom"] == pytest.approx(4.08**3 / 4)
    # ASE's EMT was fitted to 4.06 A and 173 GPa: Jacobsen, Stoltze, Norskov, Surf. Sci. 366, 394 (1996).
    assert crystal["reference_equation"]["volume_A3_per_atom"] == pytest.approx(4.06**3 / 4, rel=0.01)
    assert crystal["reference_equation"]["bulk_modulus_GPa"] == pytest.approx(173, rel=0.1)
    assert "<svg" in Path("picture.svg").read_text()


@pytest.mark.usefixtures("desk")
def test_a_table_for_people_and_the_bound_on_the_time(capsys):
    assert run([*JUDGE, "--compositions", "CuAu", *SHORT]) == 0
    printed = capsys.readouterr()
    assert "CuAu" in printed.out
    assert "at most" in printed.err


@pytest.mark.usefixtures("desk")
def test_a_second_run_does_only_what_is_missing(capsys, monkeypatch):
    begun = []
    real = judging.judge

    def killed_at_the_second(formula, *rest, **options):
        begun.append(formula)
        if len(begun) == 2:
            raise KeyboardInterrupt
        return real(formula, *rest, **options)

    monkeypatch.setattr(judging, "judge", killed_at_the_second)
    assert run([*JUDGE, "--compositions", "Cu,Au", *SHORT, "--to", "kept.jsonl"]) == 130
    assert [each.formula for each in read_judgements(Path("kept.jsonl"))] == ["Cu"]
    rows = judged(capsys, "--compositions", "Cu,Au", "--to", "kept.jsonl")
    assert begun == ["Cu", "Au", "Au"]
    assert rows == judged(capsys, "--compositions", "Cu,Au")
    assert [each.formula for each in read_judgements(Path("kept.jsonl"))] == ["Cu", "Au"]
    judged(capsys, "--compositions", "Cu,Au", "--to", "kept.jsonl", "--seed", "1")
    assert len(read_judgements(Path("kept.jsonl"))) == 4


@pytest.mark.usefixtures("desk")
def test_compositions_and_crystals_of_the_database(capsys):
    with vitrion.connect() as db:
        fingerprint = db.structures.add(bulk("Au", cubic=True), kind="crystal").fingerprint
    (gold,) = judged(capsys, "--from-database", "--chemsys", "Au")
    assert gold["formula"] == "Au"
    assert gold["crystal_source"] == fingerprint


@pytest.mark.usefixtures("desk")
def test_melts_are_compared_with_aimd_and_with_measured_densities(capsys, monkeypatch):
    monkeypatch.setattr(judging, "aimd_volumes", lambda: {("Ag", 1300.0): 10.0})
    (silver,) = judged(capsys, "--compositions", "Ag", "--to", "kept.jsonl", "--temperature", "1300")
    assert silver["aimd_volume_A3_per_atom"] == 10.0
    # CRC Handbook of Chemistry and Physics: 9.320 g/cm3 at 1235 K, less 0.0009 g/cm3 a kelvin.
    assert silver["measured_volume_A3_per_atom"] == pytest.approx(107.868 * 1.66054 / 9.2615, rel=1e-4)
    (kept,) = read_judgements(Path("kept.jsonl"))
    assert kept.row()["melt_over_aimd"] == pytest.approx(kept.judgement.melt.volume_A3_per_atom / 10.0)


@pytest.mark.usefixtures("desk")
@pytest.mark.parametrize(
    ("words", "quantity"),
    [
        ((), "--compositions"),
        (("--compositions", ","), "--compositions"),
        (("--compositions", "Cu", "--from-database", "--chemsys", "Cu"), "--compositions"),
        (("--compositions", "Cu", "--chemsys", "Cu"), "--from-database"),
        (("--from-database",), "--from-database"),
        (("--from-database", "--chemsys", "Pd"), "no structure of the database passes the filters"),
        (("--compositions", "NoSuch"), "NoSuch"),
        (("--compositions", "LiCl"), "does not cover Cl, Li"),
        (("--compositions", "Og"), "does not cover Og"),
        (("--compositions", "Cu", "--reference", "nep90"), "'nep90'"),
        (("--compositions", "Cu", "--reference", "lennard-jones"), "not itself"),
        (("--compositions", "Cu", "--temperature", "hot"), "'hot'"),
        (("--compositions", "Cu", "--to", "kept.csv"), ".jsonl"),
        (("--compositions", "Cu", "--to", "other.jsonl"), "other.jsonl holds no judgements"),
        (("--compositions", "Cu", "--plot", "picture.bmp"), "picture.bmp"),
        (("--structure", "absent.cif"), "absent.cif"),
    ],
)
def test_what_cannot_be_judged_is_refused_in_one_line(capsys, words, quantity):
    Path("other.jsonl").write_text('{"formula": "Cu"}\n')
    with vitrion.connect() as db:
        db.structures.add(bulk("Cu", cubic=True), kind="crystal")
    capsys.readouterr()
    reference = () if "--reference" in words else ("--reference", REFERENCE)
    assert run([*JUDGE, *words, *reference]) == 2
    printed = capsys.readouterr()
    assert quantity in printed.err
    assert printed.err.count("\n") == 1
    assert not printed.out


@pytest.mark.usefixtures("desk")
def test_a_model_of_no_material_needs_a_named_reference(capsys):
    assert run([*JUDGE, "--compositions", "LiCl"]) == 2
    assert "--reference" in capsys.readouterr().err
