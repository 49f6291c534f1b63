"""What a campaign may learn from."""

from types import SimpleNamespace

import numpy as np
import pytest
from plain_labels import WEIGHTS, plain_label

from vitrion.learning.acquisition.knowledge import gather
from vitrion.learning.retraining.stage import LearningStage
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas.label import LABEL_RULES


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
def test_a_value_without_its_error_is_never_taken_for_exact(db, changes, learned):
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    cell = db.structures.add(AtomicSystem(np.repeat([3, 16], 6), positions, np.eye(3) * 7), kind="amorphous")
    db.labels.add(outcome(cell.fingerprint, **changes), campaign="c")
    known = gather(db, campaign="c", potential="wells", weights_sha256=WEIGHTS["wells"], test_formulas=())
    assert len(known.observations) == learned


@pytest.mark.parametrize("rules", [None, LABEL_RULES - 1, LABEL_RULES + 1])
def test_a_mixed_store_teaches_its_labels_of_the_current_rules_alone(db, rules):
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    cell = db.structures.add(AtomicSystem(np.repeat([3, 16], 6), positions, np.eye(3) * 7), kind="amorphous")
    old, current, rejected = (
        db.labels.add(outcome(cell.fingerprint, seed=seed, **changes), campaign="c").key
        for seed, changes in ((1, {"value": 3e-5}), (2, {}), (3, {"state": "rejected"}))
    )
    change = {"$unset": {"rules": ""}} if rules is None else {"$set": {"rules": rules}}
    for key in (old, rejected):
        assert db.collection("labels").update_one({"key": key}, change)
    known = gather(db, campaign="c", potential="wells", weights_sha256=WEIGHTS["wells"], test_formulas=())
    assert [(entry.key, entry.log10_D) for entry in known.observations] == [(current, -5.0)]
    assert known.of_other_rules == {
        "unknown" if rules is None else str(rules): 1
    }  # the rejected one would not have been learned anyway
    assert known.given_errors()["of_other_rules"] == 1
    assert set(known.formulas) == {current}


def test_where_all_labels_are_of_other_rules_it_is_told_how_they_are_made_again(db):
    said = []
    stage = SimpleNamespace(
        db=db,
        configuration=SimpleNamespace(name="c"),
        factory=SimpleNamespace(potential="wells", weights_sha256=WEIGHTS["wells"]),
        plan=SimpleNamespace(test_formulas=()),
        ledger=SimpleNamespace(record={}, index=0),
        display=SimpleNamespace(say=said.append),
    )
    with pytest.raises(InputError, match=r"^campaign c has no label to learn from: none passed its gates$"):
        LearningStage(stage).retrain()
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    cell = db.structures.add(AtomicSystem(np.repeat([3, 16], 6), positions, np.eye(3) * 7), kind="amorphous")
    key = db.labels.add(outcome(cell.fingerprint), campaign="c").key
    assert db.collection("labels").update_one({"key": key}, {"$set": {"rules": LABEL_RULES - 1}})
    line = (
        f"left out: 1 label judged by other rules ({LABEL_RULES - 1}: 1) than this Vitrion's ({LABEL_RULES}): label "
        "them again by vitrion campaign retry FILE --other-rules, then vitrion campaign run FILE, or see them by "
        "vitrion labels list --campaign c --rules other"
    )
    with pytest.raises(InputError) as caught:
        LearningStage(stage).retrain()
    assert str(caught.value) == f"campaign c has no label to learn from; {line}"
    assert said == [f"cycle 1: {line}"]


def test_a_referees_label_of_older_rules_says_nothing_of_the_potential(db):
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    cell = db.structures.add(AtomicSystem(np.repeat([3, 16], 6), positions, np.eye(3) * 7), kind="amorphous")
    db.labels.add(outcome(cell.fingerprint), campaign="c")
    second = plain_label(cell.fingerprint, potential="chgnet", value=4e-6)
    key = db.labels.add(second, campaign="c", arm="reference").key
    compared = []
    for change in ({"$set": {"rules": LABEL_RULES}}, {"$unset": {"rules": ""}}):
        assert db.collection("labels").update_one({"key": key}, change)
        known = gather(db, campaign="c", potential="wells", weights_sha256=WEIGHTS["wells"], test_formulas=())
        compared.append(len(known.errors.pairs))
    assert compared == [1, 0]


def test_a_label_made_again_is_learned_with_its_new_value(db):
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    cell = db.structures.add(AtomicSystem(np.repeat([3, 16], 6), positions, np.eye(3) * 7), kind="amorphous")
    for value, state, learned in ((3e-5, "accepted", [-5.0]), (2e-5, "rejected", [])):
        key = db.labels.add(outcome(cell.fingerprint, value=value), campaign="c").key
        assert db.collection("labels").update_one({"key": key}, {"$unset": {"rules": ""}})
        assert db.labels.add(outcome(cell.fingerprint, state=state), campaign="c").replaced
        known = gather(db, campaign="c", potential="wells", weights_sha256=WEIGHTS["wells"], test_formulas=())
        assert ([entry.log10_D for entry in known.observations], known.of_other_rules) == (learned, {})
        assert db.collection("labels").update_one({"key": key}, {"$unset": {"rules": ""}})


def test_the_errors_given_to_the_surrogate_are_stored_each_apart(db):
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    cell = db.structures.add(AtomicSystem(np.repeat([3, 16], 6), positions, np.eye(3) * 7), kind="amorphous")
    added = db.labels.add(outcome(cell.fingerprint), campaign="c")
    known = gather(db, campaign="c", potential="wells", weights_sha256=WEIGHTS["wells"], test_formulas=())
    (entry,) = known.observations
    assert (entry.log10_stderr, entry.model_stderr) == (0.1, 0.1)
    assert known.label_noise == 0.1  # statistical alone
    given = known.given_errors()
    assert (given["of_other_rules"], known.of_other_rules) == (0, {})
    assert given["evidence"] == ["assumed: wells was never compared"]
    assert given["labels"][added.key] == pytest.approx(
        {"statistical": 0.1, "compound": 0.1, "offset": 0.0, "deviation": 0.27}, abs=0.01
    )
