"""What a campaign may learn from."""

import numpy as np
import pytest
from plain_labels import WEIGHTS, plain_label

from vitrion.learning.knowledge import gather
from vitrion_models.system import AtomicSystem

pytestmark = pytest.mark.usefixtures("unjudged")


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


def test_the_errors_given_to_the_surrogate_are_stored_each_apart(db):
    positions = np.random.default_rng(0).uniform(0, 7, (12, 3))
    cell = db.structures.add(AtomicSystem(np.repeat([3, 16], 6), positions, np.eye(3) * 7), kind="amorphous")
    added = db.labels.add(outcome(cell.fingerprint), campaign="c")
    known = gather(db, campaign="c", potential="wells", weights_sha256=WEIGHTS["wells"], test_formulas=())
    (entry,) = known.observations
    assert (entry.log10_stderr, entry.model_stderr) == (0.1, 0.1)
    assert known.label_noise == 0.1  # statistical alone
    given = known.given_errors()
    assert given["evidence"] == ["assumed: wells was never compared"]
    assert given["labels"][added.key] == pytest.approx(
        {"statistical": 0.1, "compound": 0.1, "offset": 0.0, "deviation": 0.27}, abs=0.01
    )
