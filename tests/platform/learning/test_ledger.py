"""The budget of a cycle: what a killed coordinator repeats is counted once."""

import pytest

from vitrion.database.errors import LeaseLostError
from vitrion.learning.lease import Ledger


@pytest.fixture
def ledger(db):
    db.cycles.create("c", 0)
    return held(db, "me")


def held(db, owner):
    assert db.cycles.acquire_lease("c", 0, owner, 300)
    return Ledger(db, "c", 0, owner, lease_seconds=300)


def test_a_task_is_counted_once_whoever_counts_it_again(db, ledger):
    ledger.spend("label", "one", 10.0)
    ledger.spend("label", "two", 5.0)
    # Killed before the proposal was written: the next coordinator is handed the same result, another one after it.
    db.cycles.release_lease("c", 0, "me")
    after = held(db, "you")
    for _ in range(2):
        after.spend("label", "two", 5.0)
    after.spend("cell", "two", 2.0)
    budget = db.cycles.get("c", 0).budget
    spent = {kind: (entry["tasks"], entry["seconds"]) for kind, entry in budget.items()}
    assert spent == {"label": (2, 15.0), "cell": (1, 2.0)}


def test_what_is_remembered_stays_beside_what_was(db, ledger):
    ledger.remember("surrogate", {"promoted": True})
    ledger.remember("drawn", {})
    ledger.remember("drawn", {"a": 1})
    assert db.cycles.get("c", 0).record == {"surrogate": {"promoted": True}, "drawn": {"a": 1}} == ledger.record


def test_a_lost_lease_writes_nothing(db, ledger):
    db.cycles.release_lease("c", 0, "me")
    with pytest.raises(LeaseLostError):
        ledger.spend("label", "one", 1.0)
    with pytest.raises(LeaseLostError):
        ledger.remember("drawn", {})
    assert not db.cycles.get("c", 0).budget
    assert not db.cycles.get("c", 0).record
