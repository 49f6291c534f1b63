import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from vitrion_models.errors import InputError
from vitrion_models.surrogates import (
    ArrheniusKernelConfig,
    MultiFidelityConfig,
    diffusivity_sample,
    dumps,
    loads,
    train,
)
from vitrion_models.system import AtomicSystem
from vitrion_models.training import checkpoint

CHECKPOINTS = Path(__file__).parent / "checkpoints"
CHEAP, DEAR = "nep89:a", "diep:b"
CONFIG = MultiFidelityConfig(members=3, fidelities=(CHEAP, DEAR))
SHIFT = 0.5
QUESTION = ("Li-S", 1300.0)


@pytest.fixture(scope="module")
def two_sources(labels):
    """Labels of a cheap potential, and half of the compounds again, half a decade faster, by a dear one."""
    repeated = {"Cl-Li", "F-Li", "Li-O", "Li-P"}
    cheap = [replace(label, source=CHEAP) for label in labels]
    dear = [
        diffusivity_sample(
            label.input,
            species="Li",
            temperature_K=label.temperature_K,
            log10_D=float(label.targets[next(iter(label.targets))].value) + SHIFT,
            stderr=0.05,
            group=label.group,
            key=f"dear-{label.key}",
            source=DEAR,
        )
        for label in labels
        if label.group in repeated
    ]
    return [*cheap, *dear]


@pytest.fixture(scope="module")
def fitted(two_sources):
    return train(two_sources, test_keys=(), config=CONFIG, seed=1)


def test_with_one_fidelity_it_is_the_kernel_surrogate_to_the_last_digit(labels, test_keys, make_cell):
    single = train(labels, test_keys=test_keys, config=ArrheniusKernelConfig(members=3), seed=1)
    multi = train(labels, test_keys=test_keys, config=MultiFidelityConfig(members=3), seed=1)
    cells = [make_cell(group, 7) for group in ("Li-S", "I-Li", "Li-N")]
    expected, actual = single.predict(cells, 900.0), multi.predict(cells, 900.0)
    for name in ("mean", "std", "noise_std", "lower_95", "upper_95", "log10_D0", "Ea_eV"):
        assert (getattr(actual, name) == getattr(expected, name)).all()
    assert multi.metrics == single.metrics
    drawn = [model.predict_members(cells, 900.0, samples=5, seed=3) for model in (single, multi)]
    assert (drawn[0] == drawn[1]).all()


def test_predicts_the_highest_fidelity_and_any_other_on_request(fitted, make_cell):
    unrepeated, kelvin = QUESTION
    cell = make_cell(unrepeated, 5)
    dear, cheap = (fitted.of_source(source).predict([cell], kelvin).mean[0] for source in (DEAR, CHEAP))
    assert fitted.source == DEAR
    assert fitted.predict([cell], kelvin).mean[0] == dear
    assert dear - cheap == pytest.approx(SHIFT, abs=0.1)


def test_labels_of_the_cheap_potential_narrow_the_prediction_of_the_dear_one(two_sources, fitted):
    unrepeated, kelvin = QUESTION
    cell = next(entry.input for entry in two_sources if entry.group == unrepeated)
    alone = train([entry for entry in two_sources if entry.source == DEAR], test_keys=(), config=CONFIG, seed=1)
    assert fitted.predict([cell], kelvin).std[0] < 0.5 * alone.predict([cell], kelvin).std[0]


def test_the_joint_posterior_agrees_with_the_predictions_of_each_fidelity(fitted, make_cell):
    cells = [make_cell(group, 3) for group in ("Li-S", "Li-O")]
    posterior = fitted.posterior_of_all(cells)
    x = np.full(4, 1000.0 / 1300.0 - 1000.0 / fitted.reference_K)
    mean, variance = posterior.moments(np.arange(4), x)
    for place, source in enumerate((CHEAP, DEAR)):
        predicted = fitted.of_source(source).predict(cells, 1300.0)
        assert mean[2 * place : 2 * place + 2] == pytest.approx(predicted.mean, abs=1e-9)
        assert np.sqrt(variance[2 * place : 2 * place + 2]) == pytest.approx(predicted.std, abs=1e-9)
    assert posterior.covariances(np.arange(4), x, np.full(4, 2), x)[2] == pytest.approx(variance[2], abs=1e-12)


def test_the_order_of_samples_does_not_matter(two_sources, fitted):
    order = np.random.default_rng(0).permutation(len(two_sources))
    again = train([two_sources[row] for row in order], test_keys=(), config=CONFIG, seed=1)
    assert again.artefact_sha256 == fitted.artefact_sha256


def test_rotation_order_of_atoms_and_supercell_do_not_matter(fitted, make_cell):
    rng = np.random.default_rng(2)
    cell = make_cell("Li-P", 4)
    turn = Rotation.random(rng=rng).as_matrix()
    order = rng.permutation(len(cell))
    turned = AtomicSystem(cell.numbers[order], (cell.positions_A @ turn)[order], cell.lattice_A @ turn)
    doubled = AtomicSystem(
        np.tile(cell.numbers, 2),
        np.concatenate([cell.positions_A, cell.positions_A + cell.lattice_A[0]]),
        np.diag([2, 1, 1]) @ cell.lattice_A,
    )
    predicted = fitted.predict([cell, turned, doubled], 1100.0).mean
    assert predicted == pytest.approx(np.full(3, predicted[0]), abs=1e-9)


def test_a_stated_systematic_error_counts_in_the_highest_fidelity_alone(two_sources, fitted):
    def with_error(source):
        changed = []
        for sample in two_sources:
            targets = {target: replace(entry, systematic_stderr=0.3) for target, entry in sample.targets.items()}
            changed.append(replace(sample, targets=targets) if sample.source == source else sample)
        return train(changed, test_keys=(), config=CONFIG, seed=1)

    cells = [sample.input for sample in two_sources[:4]]
    expected = fitted.predict(cells, 1000.0)
    assert (with_error(CHEAP).predict(cells, 1000.0).mean == expected.mean).all()
    assert (with_error(DEAR).predict(cells, 1000.0).std > expected.std).all()


def test_sources_that_are_no_fidelity_are_refused(two_sources, fitted):
    with pytest.raises(InputError, match="chgnet"):
        train(
            [*two_sources, replace(two_sources[0], source="chgnet:c", key="other")], test_keys=(), config=CONFIG, seed=1
        )
    with pytest.raises(InputError, match="chgnet"):
        fitted.of_source("chgnet:c")
    with pytest.raises(InputError, match="2 sources"):
        train(two_sources, test_keys=(), config=MultiFidelityConfig(members=3), seed=1)


def test_the_frozen_test_is_measured_on_the_highest_fidelity_that_has_test_labels(two_sources):
    keys = [entry.key for entry in two_sources if entry.group == "Cl-Li"]
    assert train(two_sources, test_keys=keys, config=CONFIG, seed=1).metrics["surrogate"].count == 2
    kept = [entry for entry in two_sources if entry.group != "Cl-Li" or entry.source == CHEAP]
    keys = [entry.key for entry in kept if entry.group == "Cl-Li"]
    assert train(kept, test_keys=keys, config=CONFIG, seed=1).metrics["surrogate"].count == 2


def test_a_checkpoint_keeps_every_prediction(fitted, make_cell):
    again = loads(dumps(fitted))
    cells = [make_cell(group, 3) for group in ("Li-S", "Li-O")]
    assert again.artefact_sha256 == fitted.artefact_sha256
    assert (again.predict(cells, 800.0).upper_95 == fitted.predict(cells, 800.0).upper_95).all()
    assert again.links == fitted.links


def test_the_stored_checkpoint_predicts_the_same(make_cell):
    content = (CHECKPOINTS / "multi_fidelity_v1.safetensors").read_bytes()
    expected = json.loads((CHECKPOINTS / "multi_fidelity_v1.json").read_text())
    model = loads(content)
    assert model.artefact_sha256 == checkpoint.sha256_of(content)
    group, kelvin = QUESTION
    for source, value in expected.items():
        assert model.of_source(source).predict([make_cell(group, 5)], kelvin).mean[0] == pytest.approx(value, abs=1e-6)
