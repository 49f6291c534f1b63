import json

import numpy as np
import pytest
from model_force_fields import nep89_or_skip, rock_salt
from small_models import promote, small_generator

import vitrion
from vitrion.cli.app import run
from vitrion_models import generators
from vitrion_workflows.schemas import GateOutcome

pytestmark = pytest.mark.usefixtures("home")


@pytest.fixture(scope="module", name="generator")
def make_generator():
    return small_generator()


@pytest.fixture(name="folder")
def make_folder(generator, tmp_path):
    return str(generators.save(generator, tmp_path / "model").parent)


def stored():
    with vitrion.connect() as db:
        return list(db.structures.search(origin="generated"))


def test_cells_are_drawn_judged_and_stored(folder, generator, capsys):
    words = ["generate", "LiCl", "-n", "3", "--atoms", "16", "--density", "1.9", "--model-folder", folder]
    assert run([*words, "--as-drawn", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert len({row["fingerprint"] for row in rows}) == 3
    assert all(row["density_g_cm3"] == pytest.approx(1.9, rel=1e-3) for row in rows)
    assert {row["model_version"] for row in rows} == {generator.artefact_sha256}
    assert "minimum_distance" in {gate["name"] for gate in rows[0]["gates"]}
    assert {row.fingerprint for row in stored()} == {row["fingerprint"] for row in rows}
    # The same seed again draws the same cells, which the database has already.
    assert run([*words, "--as-drawn", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == rows
    assert len(stored()) == 3


def test_lattice_and_contents_of_a_file_and_the_promoted_generator(generator, tmp_path, capsys):
    from ase.io import write

    from vitrion_workflows.schemas.geometry import atoms_from_system

    template = tmp_path / "template.xyz"
    write(template, atoms_from_system(rock_salt(noise_A=0.2)), format="extxyz")
    words = ["generate", "LiCl", "-n", "1", "--cell-from", str(template), "--as-drawn"]
    assert run(words) == 2
    assert "no promoted generator" in capsys.readouterr().err
    with vitrion.connect() as db:
        sha256 = promote(db, generators.dumps(generator), kind="generator")
    assert sha256 == generator.artefact_sha256
    for extra in ([], ["--model", sha256[:12]]):
        assert run([*words, *extra]) == 0
    (row,) = stored()
    assert row.n_atoms == 8
    assert row.volume_A3 == pytest.approx(5.2**3)
    assert row.model_version == sha256


def test_without_a_density_the_volume_of_an_accepted_glass_is_taken(folder, capsys):
    glass = rock_salt(edge_A=5.6, repeats=2, noise_A=0.3)
    with vitrion.connect() as db:
        db.structures.add(glass, kind="amorphous", gates=[GateOutcome(name="density", passed=True)])
    assert run(["generate", "LiCl", "-n", "1", "--atoms", "20", "--model-folder", folder, "--as-drawn", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    (cell,) = stored()
    assert row["n_atoms"] == 20
    assert cell.volume_A3 / 20 == pytest.approx(glass.volume_A3 / 64)


@pytest.mark.nep
@pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")
def test_relaxed_cells_carry_their_energy(folder, capsys):
    nep89_or_skip()
    words = ["generate", "LiCl", "-n", "1", "--atoms", "24", "--density", "1.8", "--model-folder", folder]
    assert run([*words, "--potential", "nep89", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["energy_eV_per_atom"] < -3
    gates = {gate["name"]: gate["value"] for gate in row["gates"]}
    assert gates["minimum_distance"] > 0.65
    assert np.isfinite(gates["pressure"])
