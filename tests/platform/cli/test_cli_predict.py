import json

import numpy as np
import pytest
from plain_labels import plain_label
from pymatgen.core import Lattice, Structure
from small_models import promote, small_surrogate
from stored_records import random_cell, set_gate_version

import vitrion
from vitrion.cli.app import run
from vitrion_models.surrogates import ArrheniusKernelConfig, diffusivity_sample, dumps, save, train
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.potentials.adapters.nep import NEP89_SHA256


@pytest.fixture(scope="module", name="surrogate")
def make_surrogate():
    return small_surrogate()


@pytest.fixture(name="cif")
def make_cif(tmp_path):
    path = tmp_path / "LiCl.cif"
    Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]]).to(str(path))
    return path


def test_predicts_from_a_model_folder(surrogate, cif, tmp_path, capsys):
    save(surrogate, tmp_path / "model")
    words = ["predict", str(cif), "-t", "300:1500:400", "--model-folder", str(tmp_path / "model")]
    assert run([*words, "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["temperature_K"] for row in rows] == [300, 700, 1100, 1500]
    assert np.all(np.diff([row["log10_D"] for row in rows]) > 0)
    assert [row["extrapolating"] for row in rows] == [True, True, False, False]
    assert {row["model"] for row in rows} == {surrogate.artefact_sha256}
    assert all(row["lower_95"] < row["log10_D"] < row["upper_95"] for row in rows)
    assert {row["potential"] for row in rows} == {row["corrected_log10_D"] for row in rows} == {None}
    assert run(words) == 0
    printed = capsys.readouterr()
    assert "LiCl" in printed.out
    assert "6 labels, predicts a potential that is not stated" in printed.err


def test_a_model_folder_tells_the_potential_of_its_labels_and_what_that_is_off_by(cif, tmp_path, capsys):
    error = ModelErrors.of("nep89", NEP89_SHA256).of_compound("LiCl", {"Li", "Cl"}, temperature_K=1200)
    save(small_surrogate(f"nep89 {NEP89_SHA256}"), tmp_path / "model")
    words = ["predict", str(cif), "-t", "1200", "--model-folder", str(tmp_path / "model")]
    assert run([*words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["potential"] == "nep89"
    assert row["corrected_log10_D"] == pytest.approx(row["log10_D"] - row["model_offset_decades"])
    assert row["model_offset_decades"] == pytest.approx(error.offset_decades)
    assert row["model_error_by"] == error.evidence
    assert run(words) == 0
    assert "6 labels, predicts nep89" in capsys.readouterr().err


@pytest.mark.usefixtures("home")
def test_predicts_with_the_promoted_model_or_a_named_one(surrogate, cif, capsys):
    words = ["predict", str(cif), "-t", "1200", "--json"]
    with vitrion.connect() as db:
        db.artefacts.put(dumps(surrogate), name="surrogate")
    assert run(words) == 2
    assert "no promoted surrogate" in capsys.readouterr().err
    with vitrion.connect() as db:
        sha256 = promote(db, dumps(surrogate), kind="surrogate")
    assert sha256 == surrogate.artefact_sha256
    for extra in ([], ["--model", sha256[:12]]):
        assert run([*words, *extra]) == 0
        assert json.loads(capsys.readouterr().out)[0]["model"] == sha256


@pytest.mark.usefixtures("home")
def test_a_model_that_learned_other_gate_versions_says_so(cif, capsys):
    system = random_cell(anion=17)
    with vitrion.connect() as db:
        cell = db.structures.add(system, kind="amorphous").fingerprint
        made = [plain_label(cell, temperature_K=kelvin) for kelvin in (1000.0, 1500.0, 2000.0)]
        keys = [db.labels.add(label).key for label in made]
        learned = [
            diffusivity_sample(
                system,
                species="Li",
                temperature_K=label.temperature_K,
                log10_D=-5.0,
                stderr=0.1,
                group="Cl-Li",
                key=key,
                source="nep89 " + "a" * 64,
            )
            for key, label in zip(keys, made, strict=True)
        ]
        model = train(learned, test_keys=(), config=ArrheniusKernelConfig(), seed=0)
        promote(db, dumps(model), kind="surrogate")
    words = ["predict", str(cif), "-t", "1200"]

    def printed(*more):
        assert run([*words, *more]) == 0
        return capsys.readouterr()

    assert "3 labels, predicts nep89\n" in printed().err
    assert json.loads(printed("--json").out)[0]["outdated_training_labels"] == 0
    with vitrion.connect() as db:
        set_gate_version(db, *keys[:2])
    assert "3 labels (2 of other gate versions), predicts nep89\n" in printed().err
    assert json.loads(printed("--json").out)[0]["outdated_training_labels"] == 2
    with vitrion.connect() as db:
        assert db.labels.add(made[0]).replaced  # which the model has not learned yet
    assert json.loads(printed("--json").out)[0]["outdated_training_labels"] == 2
