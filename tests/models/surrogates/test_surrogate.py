import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vitrion_models.constants import BOLTZMANN_eV_PER_K
from vitrion_models.errors import CheckpointError, InputError
from vitrion_models.surrogates import (
    DIFFUSIVITY,
    ArrheniusGNNConfig,
    ArrheniusKernelConfig,
    SurrogateConfig,
    dumps,
    load,
    loads,
    save,
    train,
)
from vitrion_models.training import checkpoint

CHECKPOINTS = Path(__file__).parent / "checkpoints"


def weights(model):
    arrays, _ = checkpoint.unpack(dumps(model), source="model")
    return arrays


def same_weights(one, other):
    first, second = weights(one), weights(other)
    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def altered(label, **changes):
    return replace(label, targets={DIFFUSIVITY: replace(label[DIFFUSIVITY], **changes)})


def test_same_seed_same_model_whatever_the_order(labels, config, test_keys, model):
    shuffled = [labels[row] for row in np.random.default_rng(3).permutation(len(labels))]
    again = train(shuffled, test_keys=test_keys[::-1], config=config, seed=1)
    assert again.artefact_sha256 == model.artefact_sha256


def test_another_seed_is_another_model(labels, config, test_keys, model):
    assert not same_weights(train(labels, test_keys=test_keys, config=config, seed=2), model)


def test_the_frozen_test_leaves_no_trace_in_the_model(labels, config, test_keys, model):
    negated = [altered(label, value=-label[DIFFUSIVITY].value) if label.key in test_keys else label for label in labels]
    leaky = train(negated, test_keys=test_keys, config=config, seed=1)
    assert same_weights(leaky, model)
    assert leaky.quantile == model.quantile
    assert leaky.graph_share == model.graph_share
    assert leaky.metrics["surrogate"].rmse > model.metrics["surrogate"].rmse + 1
    assert not set(model.training_keys) & set(model.test_keys)


def test_metrics_stand_beside_the_baselines(model, labels, test_keys):
    held = [label for label in labels if label.key in test_keys]
    prediction = model.predict([label.input for label in held], [label.temperature_K for label in held])
    errors = prediction.mean - np.array([label[DIFFUSIVITY].value for label in held])
    assert model.metrics["surrogate"].rmse == pytest.approx(np.sqrt(np.mean(errors**2)))
    assert set(model.metrics) == {"surrogate", "temperature_only", "random_forest"}
    assert model.metrics["surrogate"].coverage_95 is not None


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 1000), group=st.sampled_from(["Cl-Li", "Li-O", "Li-N"]))
def test_diffusivity_rises_with_temperature_along_its_arrhenius_law(graph_model, make_cell, seed, group):
    temperatures = np.linspace(200, 3000, 30)
    prediction = graph_model.predict([make_cell(group, seed)] * 30, temperatures)
    law = prediction.log10_D0 - prediction.Ea_eV / (BOLTZMANN_eV_PER_K * temperatures * np.log(10))
    assert (np.diff(prediction.mean) >= 0).all()
    assert prediction.mean == pytest.approx(law, abs=1e-9)
    assert (prediction.Ea_eV >= 0).all()
    draws = graph_model.predict_members([make_cell(group, seed)] * 30, temperatures, samples=4, seed=seed)
    assert (np.diff(draws, axis=1) >= 0).all()


def test_temperatures_and_elements_beyond_the_labels_are_flagged(model, make_cell):
    cell = make_cell("F-Li", 0)
    strange = replace(cell, numbers=np.where(cell.numbers == 9, 82, cell.numbers))
    prediction = model.predict([cell, cell, cell, strange], [1300.0, 300.0, 2500.0, 1300.0])
    assert prediction.extrapolating.tolist() == [False, True, True, True]
    assert "1000 to 1600 K" in prediction.reasons[1]
    assert "Pb" in prediction.reasons[3]
    assert prediction.upper_95[1] - prediction.lower_95[1] > prediction.upper_95[0] - prediction.lower_95[0]


def test_draws_have_the_stated_mean_and_deviation(graph_model, make_cell):
    cells = [make_cell("Cl-Li", 0), make_cell("Li-N", 1)]
    prediction = graph_model.predict(cells, 1100.0)
    draws = graph_model.predict_members(cells, 1100.0, samples=3000, seed=0)
    # Deviation of a mean of 3000 draws: 1.8 % of the spread.
    assert draws.mean(axis=0) == pytest.approx(prediction.mean, abs=0.1 * prediction.std.max())
    assert draws.std(axis=0) == pytest.approx(prediction.std, rel=0.1)
    assert np.array_equal(draws, graph_model.predict_members(cells, 1100.0, samples=3000, seed=0))


def test_a_handful_of_labels_gives_a_wide_and_sane_answer(labels, config, make_cell):
    widths = []
    for count in (1, 4, 16):
        small = train(labels[:count], test_keys=(), config=config, seed=0)
        prediction = small.predict([make_cell("Li-S", 9)], 1200.0)
        widths.append(prediction.upper_95[0] - prediction.lower_95[0])
        assert -9 < prediction.mean[0] < -2
        assert small.quantile.method == "student"
        assert small.metrics == {}
    assert widths[0] > widths[1] > widths[2]
    assert widths[0] > 1.5


def test_upper_bounds_pull_predictions_down(labels, config):
    bounds = [
        replace(altered(label, value=label[DIFFUSIVITY].value - 1.5, censored=True), key=f"bound-{label.key}")
        for label in labels
        if label.group == "Li-O"
    ]
    rest = [label for label in labels if label.group != "Li-O"]
    cell = next(label.input for label in labels if label.group == "Li-O")
    free = train(rest, test_keys=(), config=config, seed=0).predict([cell], 1300.0).mean[0]
    bound = train([*rest, *bounds], test_keys=(), config=config, seed=0).predict([cell], 1300.0).mean[0]
    assert bound < free - 0.3


def test_saved_and_loaded_it_answers_the_same(model, graph_model, make_cell, tmp_path):
    cells = [make_cell("Cl-Li", 4), make_cell("Li-P", 2)]
    for trained in (model, graph_model):
        save(trained, tmp_path / "model")
        again = load(tmp_path / "model")
        assert again.artefact_sha256 == checkpoint.sha256_of(dumps(trained)) == checkpoint.sha256_of(dumps(again))
        assert again.metrics == trained.metrics
        before, after = trained.predict(cells, 900.0), again.predict(cells, 900.0)
        for name in ("mean", "std", "lower_95", "upper_95", "log10_D0", "Ea_eV"):
            assert np.array_equal(getattr(before, name), getattr(after, name))


def test_warm_start_takes_only_networks_that_never_saw_the_held_out(labels, config, test_keys, model):
    child = train(labels, test_keys=test_keys, config=config, seed=1, parent=model)
    cold = train(labels, test_keys=test_keys, config=config, seed=1)
    assert child.parent_sha256 == model.artefact_sha256
    assert not same_weights(child, cold)
    other_folds = train(labels, test_keys=test_keys, config=config, seed=7, parent=model)
    assert other_folds.training_keys == model.training_keys


def test_compositions_without_cells(labels):
    bare = [
        replace(label, input={3: 2, 8: 1} if label.group == "Li-O" else {3: 1, 17: 1})
        for label in labels
        if label.group in ("Li-O", "Cl-Li")
    ]
    model = train(bare, test_keys=(), config=ArrheniusKernelConfig(), seed=0)
    prediction = model.predict([{3: 2, 8: 1}, {3: 20, 8: 10}, {3: 1, 17: 1}], 1300.0)
    assert prediction.mean[0] == pytest.approx(prediction.mean[1], abs=1e-9)
    assert prediction.mean[0] != pytest.approx(prediction.mean[2], abs=1e-3)
    assert not model.networks


def test_progress_rises_to_one(labels, config):
    progress = []
    train(labels[:8], test_keys=(), config=config, seed=0, on_progress=lambda done, text: progress.append((done, text)))
    assert [done for done, _ in progress] == sorted(done for done, _ in progress)
    assert progress[-1][0] == 1.0


def test_refuses_leaks_and_muddles(labels, config, test_keys):
    first = labels[0]
    cases = [
        (labels, [first.key], "group"),
        (labels, ["no-such-key"], "no-such-key"),
        (labels, [label.key for label in labels], "at least one label"),
        ([*labels, first], test_keys, "twice"),
        ([*labels, labels[-1]], test_keys, "twice"),
        ([*labels, replace(first, species="Na", key="na", group="x")], (), "mobile species Li, Na"),
        ([replace(first, input={11: 1, 17: 1})], (), "mobile species"),
    ]
    for observations, keys, message in cases:
        with pytest.raises(InputError, match=message):
            train(observations, test_keys=keys, config=config, seed=0)


def test_refuses_impossible_inputs(model, make_cell):
    cell = make_cell("Cl-Li", 0)
    for systems, temperatures, message in (
        ([cell], -5.0, "impossible"),
        ([cell, cell], [300.0], "one for each"),
        ([{11: 1, 17: 1}], 300.0, "mobile species"),
    ):
        with pytest.raises(InputError, match=message):
            model.predict(systems, temperatures)


def test_refuses_foreign_and_incomplete_artefacts(model):
    arrays, manifest = checkpoint.unpack(dumps(model), source="model")
    broken = [
        ({**manifest, "schema_version": 99}, arrays, "newer"),
        ({**manifest, "kind": "generator"}, arrays, "not a surrogate"),
        ({**manifest, "config": {"architecture": "oracle"}}, arrays, "oracle"),
        ({name: value for name, value in manifest.items() if name != "domain"}, arrays, "incomplete"),
        (manifest, {name: value for name, value in arrays.items() if not name.startswith("network")}, "incomplete"),
        (manifest, {**arrays, "element_table": arrays["element_table"] + 1}, "table of elements"),
    ]
    for new_manifest, new_arrays, message in broken:
        with pytest.raises(CheckpointError, match=message):
            loads(checkpoint.pack(new_arrays, new_manifest), source="some file")


def test_configuration_refuses_nonsense():
    for wrong in ({"members": 1}, {"steps": 0}, {"architecture": "oracle"}):
        with pytest.raises(ValidationError, match=next(iter(wrong))):
            ArrheniusGNNConfig(**wrong)


def test_a_configuration_names_its_architecture():
    union = TypeAdapter(SurrogateConfig)
    assert union.validate_python({"architecture": "arrhenius_kernel"}) == ArrheniusKernelConfig()
    assert union.validate_python({"architecture": "arrhenius_gnn", "steps": 7}).steps == 7
    with pytest.raises(ValidationError, match="oracle"):
        union.validate_python({"architecture": "oracle"})


def test_the_errors_of_a_potential_are_kept_with_the_model_and_apart(labels, config, test_keys):
    uncertain = [altered(label, systematic_stderr=0.15 if label.group == "F-Li" else 0.0) for label in labels]
    trained = train(uncertain, test_keys=test_keys, config=config, seed=1)
    again = loads(dumps(trained))
    assert again.compound_errors == {"3:0.50000 9:0.50000": 0.15}
    assert again.domain.label_stderr == 0.05  # statistical alone
    cells = [label.input for label in labels]
    assert np.array_equal(again.predict(cells, 1200.0).mean, trained.predict(cells, 1200.0).mean)
    assert trained.artefact_sha256 != train(labels, test_keys=test_keys, config=config, seed=1).artefact_sha256


def test_labels_of_two_sources_are_refused(labels, config):
    sources = ["nep89 " + "a" * 64, "nep89 " + "a" * 64, "b" * 64]
    mixed = [replace(label, source=source) for label, source in zip(labels, sources, strict=False)]
    with pytest.raises(InputError, match=r"2 sources \(bbbbbbbbbbbb: 1, nep89 aaaaaaaaaaaa: 2\)"):
        train(mixed, test_keys=(), config=config, seed=0)


@pytest.mark.parametrize("name", ["arrhenius_gnn", "arrhenius_kernel"])
def test_a_checkpoint_of_version_1_predicts_the_same(make_cell, name):
    """Artefacts and predictions of the code before backbones and heads were divided."""
    content = (CHECKPOINTS / f"{name}_v1.safetensors").read_bytes()
    expected = json.loads((CHECKPOINTS / f"{name}_v1.json").read_text())
    model = loads(content)
    assert model.architecture == name
    assert model.artefact_sha256 == checkpoint.sha256_of(content)
    assert model.compound_errors == {"3:0.50000 9:0.50000": 0.15}
    cells = [make_cell(group, 50 + place) for place, group in enumerate(["Cl-Li", "Li-P", "F-Li"])]
    materials = [*cells, {3: 2, 8: 1}]
    for again in (model, loads(dumps(model))):
        predicted = again.predict(materials, [900.0, 1300.0, 1800.0, 1100.0])
        for quantity, values in expected.items():
            # The Boltzmann constant of version 1 had ten digits.
            assert getattr(predicted, quantity) == pytest.approx(np.array(values), abs=1e-9)
