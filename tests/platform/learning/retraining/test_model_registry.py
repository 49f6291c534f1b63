"""Which model is in force, and which was when a cycle began."""

import pytest

import vitrion


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


def in_force(db, campaign, kind, **restriction):
    row = db.models.promoted(campaign, kind, **restriction)
    return None if row is None else row.artefact_sha256


def test_the_last_promoted_version_is_in_force(db):
    assert in_force(db, "a", "surrogate") == "2" * 64
    assert in_force(db, "a", "generator") is None
    assert in_force(db, "b", "surrogate") is None


def test_a_retraining_that_is_repeated_after_a_kill_has_the_same_parent(db):
    # Cycle 2's child is stored and promoted already; its repetition must start from cycle 0's model, not from itself.
    assert in_force(db, "a", "surrogate", before_cycle=2) == "0" * 64
    assert in_force(db, "a", "surrogate", before_cycle=0) is None
