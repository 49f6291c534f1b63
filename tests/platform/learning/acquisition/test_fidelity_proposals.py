"""A campaign with two potentials, from documents alone."""

from types import SimpleNamespace

import numpy as np
import pytest
from plain_labels import WEIGHTS, plain_label
from tiny_campaign import TINY

import vitrion
from vitrion.answers.prediction import surrogate_of_database
from vitrion.database.records import Arm
from vitrion.learning import training_data
from vitrion.learning.acquisition import proposing
from vitrion.learning.acquisition.label_costs import LabelCosts, label_costs
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.plan import Plan
from vitrion.learning.retraining.training import retrain_surrogate
from vitrion.learning.tasks import TaskFactory
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import GateOutcome

FACTORY = SimpleNamespace(potential="wells", weights_sha256=WEIGHTS["wells"])
SECONDS = {"wells": 12.0, "diep": 480.0}
CAMPAIGN = {
    **TINY,
    "potential": "auto",
    "surrogate": {"architecture": "multi_fidelity", "members": 2},
    "fidelities": [{"potential": "diep", "share": 0.1}],
    "acquisition": {"batch": 4, "random": 1},
}
ANIONS = (9, 17, 35, 53, 16, 34)


@pytest.fixture(autouse=True)
def weights(monkeypatch):
    """The weights of the labels below, without loading a network."""
    monkeypatch.setattr(training_data.potentials, "load", lambda name: SimpleNamespace(weights_sha256=WEIGHTS[name]))


@pytest.fixture
def db(tmp_path):
    with vitrion.connect(home=tmp_path) as opened:
        yield opened


def add_cells(db):
    """Six accepted cells of different anions, the heavier the faster."""
    cells = []
    for place, number in enumerate(ANIONS):
        positions = np.random.default_rng(place).uniform(0, 8, (12, 3))
        system = AtomicSystem(np.repeat([3, number], 6), positions, np.eye(3) * 8)
        gates = (GateOutcome(name="density", passed=True),)
        row = db.structures.add(system, kind="amorphous", campaign="tiny", gates=gates)
        cells.append(db.structures.get(row.fingerprint))
    return cells


def add_label(db, cell, potential, *, kelvin, log10_D, arm):
    outcome = plain_label(
        cell.fingerprint,
        potential=potential,
        temperature_K=kelvin,
        value=10**log10_D,
        log10_stderr=0.05,
        wall_seconds=SECONDS[potential],
    )
    return db.labels.add(outcome, campaign="tiny", arm=arm).key


def begin(db, *, dear_labels, labelled=6):
    """Cells with production labels at the higher temperature, some repeated by DIEP, and a trained surrogate."""
    configuration = CampaignConfiguration.model_validate(CAMPAIGN)
    cells = add_cells(db)
    for place, cell in enumerate(cells[:labelled]):
        add_label(db, cell, "wells", kelvin=2500.0, log10_D=-3.8 + 0.1 * place, arm="initial")
        if place < dear_labels:
            add_label(db, cell, "diep", kelvin=2500.0, log10_D=-4.1 + 0.1 * place, arm="reference")
    db.cycles.create("tiny", 0, proposals=[])
    data = training_data.gather(
        db,
        campaign="tiny",
        potential="wells",
        weights_sha256=WEIGHTS["wells"],
        species="Li",
        test_formulas=(),
        dearer=["diep"],
    )
    retrain_surrogate(db, configuration, data, cycle=0, on_progress=lambda _: None)
    formulas = {cell.reduced_formula: None for cell in cells}
    return configuration, Plan("wells", WEIGHTS["wells"], "", formulas, {}, ()), data


def by_acquisition(db, **given):
    configuration, plan, _ = begin(db, **given)
    proposals = proposing.propose(db, configuration, plan, FACTORY, index=1)
    assert proposing.propose(db, configuration, plan, FACTORY, index=1) == proposals  # nothing but the documents
    return [entry for entry in proposals if entry.acquisition is not None]


def test_labels_of_both_potentials_are_learned_from_and_the_dearer_one_is_predicted(db):
    _, _, data = begin(db, dear_labels=3)
    surrogate = proposing.model_registry.promoted_surrogate(db, "tiny")[1]
    assert len(data.observations) == 9
    assert surrogate.fidelities == data.fidelities
    assert surrogate.source == data.fidelities[-1]
    assert data.fidelities[-1].startswith("diep")
    materials = [entry.input for entry in data.observations if entry.source == data.fidelities[0]]
    dear, cheap = (surrogate.of_source(source).predict(materials, 2500.0).mean for source in data.fidelities[::-1])
    assert (dear - cheap).mean() == pytest.approx(-0.3, abs=0.1)


def test_before_a_label_has_shown_its_cost_the_dearer_potential_is_used_at_random_only(db):
    assert {entry.potential for entry in by_acquisition(db, dear_labels=0)} == {None}


@pytest.mark.parametrize("price", [12.0, 1e9])
def test_the_acquisition_chooses_material_temperature_and_potential(db, monkeypatch, price):
    monkeypatch.setitem(SECONDS, "diep", price)
    chosen = by_acquisition(db, dear_labels=3)
    assert len({(entry.formula, entry.temperature_K, entry.potential) for entry in chosen}) == 3
    dear = [entry for entry in chosen if entry.potential == "diep"]
    assert bool(dear) == (price == SECONDS["wells"])
    assert all(entry.arm is Arm.REFERENCE and entry.structure_fingerprint for entry in dear)


def test_a_label_is_run_by_the_potential_of_its_proposal(db):
    configuration, _, _ = begin(db, dear_labels=3)
    factory = TaskFactory(configuration, "wells", WEIGHTS["wells"])
    cell = next(iter(db.structures.search(kind="amorphous")))
    proposal = proposing.Proposal(
        formula="LiF", structure_fingerprint=cell.fingerprint, temperature_K=1500, arm=Arm.REFERENCE, potential="diep"
    )
    request = factory.label_request(proposal)
    assert (request.potential, request.protocol.production_ps) == ("diep", pytest.approx(5.0))
    with pytest.raises(InputError, match="chgnet"):
        factory.label_request(proposal.model_copy(update={"potential": "chgnet"}))


def test_costs_are_those_of_the_labels_of_each_potential(db):
    begin(db, dear_labels=2)
    costs = label_costs(db, "tiny", db.cycles.list("tiny"), ["wells", "diep", "chgnet"])
    assert costs.per_atom == {"wells": pytest.approx(1.0), "diep": pytest.approx(40.0)}


def test_the_load_of_the_machine_hardly_changes_a_cost():
    assert {LabelCosts({"p": rate}, 0.0).seconds("p", atoms=100, has_cell=True) for rate in (0.95, 1.0, 1.05)} == {128}
    assert LabelCosts({"p": 1.0}, 400.0).seconds("p", atoms=100, has_cell=False) == 512


def test_predictions_take_the_error_of_the_potential_that_they_are_of(db):
    begin(db, dear_labels=3)
    in_use = surrogate_of_database(db)
    assert in_use.model_errors.potential == "diep"
    assert in_use.surrogate.source.startswith("diep")
