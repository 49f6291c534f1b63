"""Labels from elsewhere as the most trusted fidelity of a campaign, from documents alone."""

from types import SimpleNamespace

import numpy as np
import pytest
from plain_labels import WEIGHTS, plain_label
from tiny_campaign import TINY, write_tiny

import vitrion
from vitrion.answers.prediction import surrogate_of_database
from vitrion.database.records import ImportedLabel
from vitrion.learning import training_data
from vitrion.learning.acquisition import proposing
from vitrion.learning.configuration import CampaignConfiguration, load_configuration
from vitrion.learning.given_labels import given_labels
from vitrion.learning.plan import Plan, make_plan
from vitrion.learning.retraining.training import retrain_surrogate
from vitrion_models.errors import InputError
from vitrion_models.surrogates import DIFFUSIVITY
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import GateOutcome

TABLE = "c" * 64
FACTORY = SimpleNamespace(potential="wells", weights_sha256=WEIGHTS["wells"])
ANIONS = {"LiF": 9, "LiCl": 17, "LiBr": 35, "LiI": 53, "LiS": 16, "LiSe": 34}


def configuration(**given):
    return CampaignConfiguration.model_validate(
        {**TINY, "potential": "auto", "surrogate": {"architecture": "multi_fidelity", "members": 2}}
        | {"fidelities": [{"given": "aimd", **given}]}
    )


@pytest.fixture
def db(tmp_path):
    with vitrion.connect(home=tmp_path) as opened:
        yield opened


def add_given(db, composition="LiF", *, record=1, log10_D=-4.4, **changes):
    label = {
        "property": "tracer_diffusivity",
        "species": "Li",
        "temperature_K": 2500.0,
        "state": "published",
        "value": 10**log10_D,
        "unit": "cm2/s",
        "convention": "einstein_3d",
        "log10_stderr": 0.05,
        "potential": "pbe",
        "weights_sha256": TABLE,
        "dataset": "aimd",
        "record": record,
        "composition": composition,
    } | changes
    record = db.labels.record_of_import(ImportedLabel(**label))
    return db.labels.store(record).key


def add_production_labels(db):
    """A label of a cell of each anion, the heavier the faster."""
    for place, number in enumerate(ANIONS.values()):
        positions = np.random.default_rng(place).uniform(0, 8, (12, 3))
        system = AtomicSystem(np.repeat([3, number], 6), positions, np.eye(3) * 8)
        gates = (GateOutcome(name="density", passed=True),)
        cell = db.structures.add(system, kind="amorphous", campaign="tiny", gates=gates).fingerprint
        outcome = plain_label(
            cell,
            potential="wells",
            temperature_K=2500.0,
            value=10 ** (-3.8 + 0.1 * place),
            log10_stderr=0.05,
            wall_seconds=12.0,
        )
        db.labels.add(outcome, campaign="tiny", arm="initial")


def data_of(db, config, *, test_formulas=()):
    return training_data.gather(
        db,
        campaign="tiny",
        potential="wells",
        weights_sha256=WEIGHTS["wells"],
        species="Li",
        test_formulas=test_formulas,
        given=given_labels(db, config, test_formulas),
    )


def test_given_labels_are_predicted_and_never_proposed(db):
    config = configuration()
    add_production_labels(db)
    for place, name in enumerate(ANIONS):
        add_given(db, name, record=place, log10_D=-4.2 + 0.1 * place)
    db.cycles.create("tiny", 0, proposals=[])
    data = data_of(db, config)
    retrain_surrogate(db, config, data, cycle=0, on_progress=lambda _: None)
    surrogate = proposing.model_registry.promoted_surrogate(db, "tiny")[1]
    materials = [entry.input for entry in data.observations if entry.source == data.fidelities[0]]
    truth, cheap = (surrogate.of_source(source).predict(materials, 2500.0).mean for source in data.fidelities[::-1])
    assert surrogate.source == data.fidelities[-1]
    assert (truth - cheap).mean() == pytest.approx(-0.4, abs=0.1)
    plan = Plan("wells", WEIGHTS["wells"], "", dict.fromkeys(ANIONS), {}, ())
    proposals = proposing.propose(db, config, plan, FACTORY, index=1)
    assert len(proposals) == config.acquisition.batch
    assert {entry.potential for entry in proposals} == {None}
    assert any(entry.acquisition is not None for entry in proposals)
    in_use = surrogate_of_database(db)
    assert in_use.model_errors.potential == "pbe"
    assert in_use.model_errors.of_compound("LiF", ["Li", "F"], temperature_K=1000.0).stderr_decades == 0.0


def test_a_compound_that_is_no_candidate_tells_of_the_others_by_its_descriptors(db):
    add_production_labels(db)
    config = configuration()
    for place, name in enumerate(("LiAt", "LiO", "LiTe")):
        add_given(db, name, record=place, log10_D=-4.6)
    data = data_of(db, config)
    retrain_surrogate(db, config, data, cycle=0, on_progress=lambda _: None)
    surrogate = proposing.model_registry.promoted_surrogate(db, "tiny")[1]
    materials = [entry.input for entry in data.observations if entry.source == data.fidelities[0]]
    truth, cheap = (surrogate.of_source(source).predict(materials, 2500.0).mean for source in data.fidelities[::-1])
    assert (truth < cheap).all()


def test_each_label_has_its_own_error_or_the_stated_one(db):
    config = configuration(stderr_decades=0.2)
    add_given(db, record=1, log10_stderr=0.07)
    add_given(db, "LiCl", record=2, log10_stderr=None)
    assert {
        row.reduced_formula: (row.log10_stderr, sample[DIFFUSIVITY].stderr, sample[DIFFUSIVITY].systematic_stderr)
        for row, sample in zip(given_labels(db, config, ()), data_of(db, config).observations, strict=True)
    } == {"LiF": (0.07, 0.07, 0.0), "LiCl": (0.2, 0.2, 0.0)}
    with pytest.raises(InputError, match="LiCl at 2500 K"):
        given_labels(db, configuration(), ())


def test_the_frozen_test_is_kept_apart_by_chemical_system(db):
    kept = add_given(db, "LiF", record=1)
    tested = add_given(db, "Li2S", record=2)
    add_given(db, "LiS4", record=3)  # of the chemical system of the test
    data = data_of(db, configuration(), test_formulas=("Li2S",))
    assert ({entry.key for entry in data.training}, data.test_keys) == ({kept}, {tested})


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([], "aimd"),
        ([{"temperature_K": 3000.0}, {"temperature_K": 1000.0}], "between 1500 and 2500 K"),
        ([{"species": "F"}], "Li"),
        ([{"state": "rejected"}], "aimd"),
        ([{"composition": "Li2S"}, {"composition": "LiS4"}], "frozen test"),
        ([{}, {"composition": "LiCl", "potential": "scan"}], "potential"),
    ],
)
def test_labels_that_give_nothing_are_refused_before_the_campaign_begins(db, labels, words):
    for place, changes in enumerate(labels):
        add_given(db, **{"record": place, **changes})
    with pytest.raises(InputError, match=words):
        given_labels(db, configuration(), ("Li2S",))


def test_a_campaign_whose_labels_are_absent_leaves_no_trace(db, tmp_path):
    path = write_tiny(tmp_path / "c.yaml", surrogate={"architecture": "multi_fidelity"}, fidelities=[{"given": "aimd"}])
    with pytest.raises(InputError, match="aimd"):
        make_plan(db, load_configuration(path))
    assert not list(db.campaigns.list())
