"""`vitrion potentials tune`: its table, its JSON, its refusals in one line."""

import json
from dataclasses import replace

import ase.io
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from small_nep import scattered_cell, small_nep

from vitrion.cli.app import run
from vitrion_workflows import potentials
from vitrion_workflows.potentials.weights.package import sha256_of
from vitrion_workflows.potentials.weights.tuned import TunedWeights, tuned_names
from vitrion_workflows.schemas.geometry import atoms_from_system
from vitrion_workflows.tuning.nep_file import write_nep

pytest.importorskip("nep_adapters", reason="nep-adapters is not installed")


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    """A potential to tune, and frames of one that is a little stiffer."""
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "potentials"))
    monkeypatch.chdir(tmp_path)
    parent = small_nep()
    for name, model in (
        ("parent", parent),
        ("target", replace(parent, output_weights=1.05 * parent.output_weights)),
    ):
        weights = TunedWeights(name)
        weights.folder.mkdir(parents=True)
        write_nep(model, weights.path)
        (weights.folder / "card.json").write_text(json.dumps({"sha256": sha256_of(weights.path)}))
    target = potentials.load("tuned:target")
    frames = []
    for seed in range(10):
        cell = scattered_cell(seed=seed, edge_A=6.5)
        result = target.evaluate(cell, stress=True)
        atoms = atoms_from_system(cell)
        results = {"energy": result.energy_eV, "forces": result.forces_eV_per_A, "stress": result.stress_eV_per_A3}
        atoms.calc = SinglePointCalculator(atoms, **results)
        frames.append(atoms)
    ase.io.write("frames.extxyz", frames)


def test_the_result_is_a_potential_like_any_other(capsys):
    words = ["potentials", "tune", "tuned:parent", "--to-frames", "frames.extxyz", "--name", "mine"]
    assert run([*words, "--json"]) == 0
    card = json.loads(capsys.readouterr().out)
    assert card["sha256"] == potentials.load("tuned:mine").weights_sha256
    assert card["rounds"][0][0]["r2"] > 0.9
    assert run(["potentials", "list", "--json"]) == 0
    (row,) = (row for row in json.loads(capsys.readouterr().out) if row["name"] == "tuned:")
    assert row["ready"]
    assert "tuned:mine" in row["reason"]
    assert run(words) == 2
    assert "exists" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (["nep89", "--name", "mine"], "--to"),
        (["tuned:parent", "--name", "mine", "--to", "diep"], "--compositions"),
        (
            ["tuned:parent", "--name", "mine", "--to-frames", "frames.extxyz", "--compositions", "Li3P"],
            "--compositions",
        ),
        (["tuned:parent", "--name", "mine", "--to-frames", "absent.extxyz"], "absent.extxyz"),
        (["tuned:absent", "--name", "mine", "--to-frames", "frames.extxyz"], "absent"),
        (["lennard-jones", "--name", "mine", "--to-frames", "frames.extxyz"], "lennard-jones"),
        (["tuned:parent", "--name", "../mine", "--to-frames", "frames.extxyz"], "../mine"),
        (["tuned:parent", "--name", "mine", "--to", "tuned:target", "--compositions", "Qq"], "Qq"),
        (["tuned:parent", "--name", "mine", "--to", "nothing", "--compositions", "Li3P"], "nothing"),
        (["tuned:parent", "--name", "mine", "--to", "tuned:target", "--compositions", "LiCl"], "Cl"),
    ],
)
def test_refusals_name_what_is_wrong_and_leave_nothing(capsys, words, named):
    assert run(["potentials", "tune", *words]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    (line,) = printed.err.strip().splitlines()
    assert named in line
    assert tuned_names() == ["parent", "target"]
