"""Leases of cycles: the living are respected, the dead are not waited for."""

import os
import subprocess
import sys

import pytest

from vitrion.database.errors import LeaseLostError
from vitrion.learning.lease import BusyError, lease, lease_owner

HOST, OWN_ID, STAMP = lease_owner().split(":")
NAMESPACE, START = STAMP.split(".", 1)
LATER_START = f"{NAMESPACE}.{START}0"


@pytest.fixture
def cycle(db):
    db.cycles.create("c", 0)
    return db


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_cycle_is_seen_as_it_is_under_the_lease_and_given_back(cycle):
    with lease(cycle, "c", 0, owner="host:1:a") as held:
        assert (held.lease_owner, held.state) == ("host:1:a", "proposed")
    assert cycle.cycles.get("c", 0).lease_owner is None


@pytest.mark.parametrize(
    "owner",
    [
        f"{HOST}:{dead_process()}:{STAMP}",
        f"{HOST}:{OWN_ID}:{LATER_START}",
        f"{HOST}:{os.getppid()}:{LATER_START}",  # a shell may have started in the same tick as its test run
    ],
    ids=["dead process", "own id, earlier process", "id of a living process, earlier process"],
)
def test_a_dead_owner_is_not_waited_for(cycle, owner, monkeypatch):
    monkeypatch.setattr(cycle, "embedded", False)  # where it would not even be asked
    cycle.cycles.acquire_lease("c", 0, owner, 300)
    with lease(cycle, "c", 0, owner=lease_owner()):
        with pytest.raises(LeaseLostError):
            cycle.cycles.update("c", 0, owner=owner, budget={})
        cycle.cycles.update("c", 0, owner=lease_owner(), budget={})


@pytest.mark.server
@pytest.mark.parametrize(
    "owner",
    [lease_owner(os.getppid()), f"elsewhere:{OWN_ID}:{STAMP}", f"{HOST}:{dead_process()}:0.{START}", "a name"],
    ids=["parent", "elsewhere", "another container of this host name", "name"],
)
def test_living_and_distant_owners_are_respected(mongo_uri, owner):
    import vitrion

    with vitrion.connect(mongo_uri) as db:
        db.cycles.create("c", 0)
        db.cycles.acquire_lease("c", 0, owner, 300)
        with pytest.raises(BusyError, match="worked on by"), lease(db, "c", 0, owner=lease_owner()):
            pass
        assert db.cycles.get("c", 0).lease_owner == owner
