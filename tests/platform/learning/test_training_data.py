"""What a campaign may learn from."""

from types import SimpleNamespace

import numpy as np
import pytest
from plain_labels import WEIGHTS, plain_label
from stored_records import set_gate_version

from vitrion.database.collection import Collection
from vitrion.database.queries.gate_versions import summarize_others
from vitrion.learning.acquisition.pool import build_pool
from vitrion.learning.retraining.learning_stage import LearningStage
from vitrion.learning.training_data import gather
from vitrion_models.errors import InputError
from vitrion_models.surrogates import DIFFUSIVITY
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import GateOutcome
from vitrion_workflows.schemas.label import GATE_VERSION


def learned_data(db):
    return gather(db, campaign="c", potential="wells", weights_sha256=WEIGHTS["wells"], species="Li", test_formulas=())


def outcome(cell, **changes):
    return plain_label(cell, potential="wells", **changes)


@pytest.mark.parametrize(
    ("changes", "learned"),
    [
        ({}, 1),
        ({"state": "rejected"}, 0),
        ({"log10_stderr": None}, 0),
        ({"state": "censored", "log10_stderr": None}, 1),
    ],
)
def test_a_value_without_its_error_is_never_taken_for_exact(db, cell, changes, learned):
    db.labels.add(outcome(cell, **changes), campaign="c")
    data = learned_data(db)
    assert len(data.observations) == learned


@pytest.mark.parametrize("version", [GATE_VERSION - 1, GATE_VERSION + 1])
def test_a_mixed_store_teaches_its_labels_of_the_current_gate_version_alone(db, cell, version):
    old, current, rejected = (
        db.labels.add(outcome(cell, seed=seed, **changes), campaign="c").key
        for seed, changes in ((1, {"value": 3e-5}), (2, {}), (3, {"state": "rejected"}))
    )
    set_gate_version(db, old, rejected, version=version)
    data = learned_data(db)
    assert [(entry.key, entry[DIFFUSIVITY].value) for entry in data.observations] == [(current, -5.0)]
    assert data.other_gate_versions == {version: 1}  # the rejected one would not have been learned anyway
    assert data.error_record()["other_gate_versions"] == 1
    assert set(data.formulas) == {current}


def test_where_all_labels_are_outdated_the_error_names_the_remedy(db, cell):
    said = []
    stage = SimpleNamespace(
        db=db,
        configuration=SimpleNamespace(name="c", species="Li", dearer=(), given=None),
        factory=SimpleNamespace(potential="wells", weights_sha256=WEIGHTS["wells"]),
        plan=SimpleNamespace(test_formulas=()),
        ledger=SimpleNamespace(record={}, index=0, cycle=SimpleNamespace(proposals=())),
        display=SimpleNamespace(say=said.append),
    )
    with pytest.raises(InputError, match="campaign c has no label"):
        LearningStage(stage).retrain()
    key = db.labels.add(outcome(cell), campaign="c").key
    set_gate_version(db, key)
    line = summarize_others({GATE_VERSION - 1: 1})
    with pytest.raises(InputError) as caught:
        LearningStage(stage).retrain()
    assert line in str(caught.value)
    assert [line in text for text in said] == [True]


def test_a_referees_label_of_an_older_gate_version_says_nothing_of_the_potential(db, cell):
    db.labels.add(outcome(cell), campaign="c")
    second = plain_label(cell, potential="chgnet", value=4e-6)
    key = db.labels.add(second, campaign="c", arm="reference").key
    compared = []
    for version in (GATE_VERSION, GATE_VERSION - 1):
        set_gate_version(db, key, version=version)
        data = learned_data(db)
        compared.append(len(data.errors.pairs))
    assert compared == [1, 0]


def test_a_label_made_again_is_learned_with_its_new_value(db, cell):
    for value, state, learned in ((3e-5, "accepted", [-5.0]), (2e-5, "rejected", [])):
        key = db.labels.add(outcome(cell, value=value), campaign="c").key
        set_gate_version(db, key)
        assert db.labels.add(outcome(cell, state=state), campaign="c").replaced
        data = learned_data(db)
        assert ([entry[DIFFUSIVITY].value for entry in data.observations], data.other_gate_versions) == (learned, {})
        set_gate_version(db, key)


def test_the_errors_given_to_the_surrogate_are_stored_each_apart(db, cell):
    added = db.labels.add(outcome(cell), campaign="c")
    data = learned_data(db)
    (entry,) = data.observations
    assert entry[DIFFUSIVITY].stderr == 0.1
    scatter = entry[DIFFUSIVITY].systematic_stderr
    assert data.label_noise == 0.1  # statistical alone
    record = data.error_record()
    assert (record["other_gate_versions"], data.other_gate_versions) == (0, {})
    assert record["evidence"] == ["assumed: wells was never compared for Li"]
    errors = record["labels"][added.key]
    assert errors == {"statistical": 0.1, "compound": scatter, "offset": 0.0, "deviation": errors["deviation"]}
    assert errors["deviation"] > scatter > 0  # the error of the potential is shared with other compounds in part


def cell_with_twin(db, seed):
    """A labelled amorphous cell of its own composition, made from a crystal; returns its reduced formula."""
    numbers, box = np.repeat([3, 16], [4 + seed, 8]), np.eye(3) * 8
    crystal, glass = (
        AtomicSystem(numbers, np.random.default_rng(place).uniform(0, 8, (len(numbers), 3)), box)
        for place in (seed, 100 + seed)
    )
    twin = db.structures.add(crystal, kind="crystal").fingerprint
    gates = (GateOutcome(name="density", passed=True),)
    cell = db.structures.add(glass, kind="amorphous", campaign="c", gates=gates, twin=twin).fingerprint
    db.labels.add(outcome(cell), campaign="c")
    return db.structures.get(cell).reduced_formula


def test_cells_and_their_twins_are_read_in_as_many_queries_whatever_their_number(db, monkeypatch):
    queries = []

    def counted(call):
        return lambda *args, **kwargs: queries.append(args) or call(*args, **kwargs)

    for name in ("find", "find_one"):
        monkeypatch.setattr(Collection, name, counted(getattr(Collection, name)))
    counts, formulas = [], {}
    for cells in (range(2), range(2, 6)):
        formulas |= {cell_with_twin(db, seed): None for seed in cells}
        queries.clear()
        data = learned_data(db)
        pool = build_pool(db, campaign="c", crystals=formulas, proposed_K={}, temperatures_K=(1000.0,))
        counts.append(len(queries))
        assert len(data.observations) == len(data.twins) == len(pool) == len(formulas)
    assert counts[0] == counts[1]
