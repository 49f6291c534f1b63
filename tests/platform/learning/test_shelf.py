"""Which model is in force, and which was when a cycle began."""

import pytest

import vitrion
from vitrion.learning.shelf import _in_force


@pytest.fixture
def db(tmp_path):
    with vitrion.connect(home=tmp_path) as opened:
        for cycle, promoted in enumerate((True, False, True)):
            opened.models.add(
                f"{cycle}" * 64,
                kind="surrogate",
                architecture="arrhenius_gnn",
                promoted=promoted,
                promotion_reason="",
                campaign="a",
                cycle=cycle,
            )
        yield opened


def test_the_last_promoted_version_is_in_force(db):
    assert _in_force(db, "a", "surrogate", None) == "2" * 64
    assert _in_force(db, "a", "generator", None) is None
    assert _in_force(db, "b", "surrogate", None) is None


def test_a_retraining_that_is_repeated_after_a_kill_has_the_same_parent(db):
    # Cycle 2's child is stored and promoted already; its repetition must start from cycle 0's model, not from itself.
    assert _in_force(db, "a", "surrogate", 2) == "0" * 64
    assert _in_force(db, "a", "surrogate", 0) is None
