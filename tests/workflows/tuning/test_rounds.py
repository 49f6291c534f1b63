"""Tuning from beginning to end, of a small potential to another of the same form."""

import json
import os
from dataclasses import replace

import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator
from small_nep import scattered_cell, small_nep

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_workflows import potentials
from vitrion_workflows.dynamics.stage import Callbacks
from vitrion_workflows.potentials.weights.package import sha256_of
from vitrion_workflows.potentials.weights.tuned import TunedWeights, tuned_folder
from vitrion_workflows.schemas.geometry import atoms_from_system
from vitrion_workflows.tuning import rounds, sampling
from vitrion_workflows.tuning.agreement import TuningRefused
from vitrion_workflows.tuning.nep_file import write_nep
from vitrion_workflows.tuning.rounds import TuningRequest, tune
from vitrion_workflows.tuning.settings import FitSettings
from vitrion_workflows.tuning.to_frames import FramesRequest, tune_to_frames

pytest.importorskip("nep_adapters", reason="nep-adapters is not installed")

REQUEST = TuningRequest(
    parent="tuned:parent",
    reference="tuned:target",
    compositions=("Li3P",),
    frames=16,
    settings=FitSettings(steps=150),
)


def plant(name, model):
    weights = TunedWeights(name)
    weights.folder.mkdir(parents=True)
    write_nep(model, weights.path)
    (weights.folder / "card.json").write_text(json.dumps({"sha256": sha256_of(weights.path)}))


@pytest.fixture(autouse=True)
def _weights(tmp_path, monkeypatch):
    """Two soft potentials, on which melts of 16 atoms are run for few steps."""
    monkeypatch.setenv("VITRION_POTENTIALS", str(tmp_path / "potentials"))
    monkeypatch.setattr(sampling, "ATOMS", 16)
    monkeypatch.setattr(sampling, "SETTLING_STEPS", 20)
    monkeypatch.setattr(sampling, "SAMPLING_STEPS", 20)
    parent = small_nep()
    plant("parent", parent)
    plant(
        "target", replace(parent, output_weights=1.3 * parent.output_weights, hidden_biases=parent.hidden_biases + 0.1)
    )


def test_the_result_agrees_with_its_reference_on_frames_of_its_own_dynamics():
    stages, parts = set(), []
    callbacks = Callbacks(on_progress=lambda stage, _done, _total: stages.add(stage), on_part=parts.append)
    card = tune(REQUEST, name="result", callbacks=callbacks)
    (before,), (after,) = card.before, card.after
    assert after.r2 >= 0.9
    assert after.r2 > before.r2
    assert len(parts) == len(card.rounds)
    assert f"R2 {after.r2:.3f}" in parts[-1]
    assert {"round 1, fit", "round 1, frames by tuned:target"} <= stages
    origin, figures = card.lines()
    assert card.parent.sha256 in origin
    assert f"R2 {before.r2:.3f}" in figures
    assert abs(after.pressure_bias_GPa) < 0.5
    loaded = potentials.load("tuned:result")
    assert loaded.weights_sha256 == card.sha256 == sha256_of(TunedWeights("result").path)
    assert loaded.elements == {"Li", "P"}
    stored = json.loads((TunedWeights("result").folder / "card.json").read_text())
    assert stored["parent"] == {"name": "tuned:parent", "sha256": potentials.load("tuned:parent").weights_sha256}
    assert stored["target"]["sha256"] == potentials.load("tuned:target").weights_sha256
    assert "licence" in stored
    assert sorted(path.name for path in tuned_folder().iterdir()) == ["parent", "result", "target"]
    assert all(report.passed for report in potentials.check("tuned:result"))
    with pytest.raises(InputError, match="exists"):
        tune(REQUEST, name="result")


def test_rounds_go_on_to_the_target_and_the_best_is_taken(monkeypatch):
    """After a poor round only the figures count; the potential written is that of its round, with all before."""
    agreements = iter([0.80, 0.93, 0.91])
    real = rounds.agreement_by_group

    def planned(force_field, frames):
        (entry,) = real(force_field, frames)
        return [entry.model_copy(update={"r2": next(agreements), "pressure_bias_GPa": 0.1})]

    published = []
    monkeypatch.setattr(rounds.WorkFolder, "publish", lambda _folder, path, _card: published.append(path.name))
    monkeypatch.setattr(rounds, "agreement_by_group", planned)
    tune(replace(REQUEST, most_rounds=3, settings=FitSettings(steps=5)), name="result")
    assert published == ["nep-2.txt"]
    agreements = iter([0.80, 0.96, 0.99])
    tune(replace(REQUEST, most_rounds=3, settings=FitSettings(steps=4)), name="result")
    assert published == ["nep-2.txt", "nep-2.txt"]
    assert next(agreements) == 0.99  # no third round


@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_killed_tuning_goes_on_where_it_was_and_ends_in_the_same_potential(monkeypatch, calls):
    undisturbed = tune(REQUEST, name="undisturbed")
    real, seen = rounds.label, []

    def killed(systems, reference, **options):
        seen.append(len(list(systems)))
        if len(seen) == calls:
            raise KeyboardInterrupt
        return real(systems, reference, **options)

    monkeypatch.setattr(rounds, "label", killed)
    if calls <= len(undisturbed.rounds) + 1:
        with pytest.raises(KeyboardInterrupt):
            tune(REQUEST, name="result")
        assert not TunedWeights("result").folder.exists()
    card = tune(REQUEST, name="result")
    assert card.sha256 == undisturbed.sha256
    assert card.rounds == undisturbed.rounds


def test_what_does_not_agree_is_refused_with_its_figures_and_leaves_no_potential(monkeypatch):
    monkeypatch.setattr("vitrion_workflows.tuning.agreement.LEAST_R2", 1.1)
    with pytest.raises(TuningRefused, match=r"Li3P: R2 0\.\d+"):
        tune(replace(REQUEST, most_rounds=1), name="result")
    with pytest.raises(MissingDependencyError, match="result"):
        potentials.load("tuned:result")


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"parent": "lennard-jones"}, "lennard-jones"),
        ({"reference": "tuned:parent"}, "itself"),
        ({"compositions": ("LiCl",)}, "Cl"),
        ({"compositions": ()}, "compositions"),
    ],
)
def test_what_cannot_be_tuned_is_refused_before_any_work(change, named):
    with pytest.raises(InputError, match=named):
        tune(replace(REQUEST, **change), name="result")
    assert sorted(path.name for path in tuned_folder().iterdir()) == ["parent", "target"]


@pytest.mark.parametrize("name", ["", "../up", "a/b", ".hidden", "a b"])
def test_a_name_that_is_no_folder_is_refused(name):
    with pytest.raises(InputError, match="cannot name"):
        tune(REQUEST, name=name)


def test_weights_that_changed_since_are_refused():
    path = TunedWeights("target").path
    os.truncate(path, path.stat().st_size - 3)
    assert not potentials.installed("tuned:target").ok
    assert potentials.installed("tuned:parent").ok


def test_frames_of_another_program_are_a_target_too(tmp_path):
    target, frames = potentials.load("tuned:target"), []
    for seed in range(30):
        cell = scattered_cell(numbers=(3, 3, 3, 15, 15, 3), edge_A=6.5, seed=seed)
        result = target.evaluate(cell, stress=True)
        atoms = atoms_from_system(cell)
        atoms.calc = SinglePointCalculator(
            atoms, energy=result.energy_eV - 100, forces=result.forces_eV_per_A, stress=result.stress_eV_per_A3
        )
        frames.append(atoms)
    ase.io.write(tmp_path / "frames.extxyz", frames)
    request = FramesRequest(parent="tuned:parent", path=tmp_path / "frames.extxyz", settings=REQUEST.settings)
    card = tune_to_frames(request, name="result")
    assert card.after[0].r2 > max(0.9, card.before[0].r2)
    assert card.after[0].frames == 6
    assert card.frames == 24
    assert sum(np.array(list(card.energy_shifts_eV.values())) * [4, 2]) == pytest.approx(-100, abs=5)
    assert potentials.load("tuned:result").weights_sha256 == card.sha256
