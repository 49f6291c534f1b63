"""Campaigns and cycles: a state machine under leases, on both back ends."""

import multiprocessing

import pytest

import vitrion
from vitrion.database import DatabaseError, LeaseLostError, NotFoundError
from vitrion.database.records import Proposal
from vitrion_models.errors import InputError

PROPOSAL = {"formula": "LiCl", "temperature_K": 900.0, "arm": "random", "predicted_log10_D": -5.0, "predicted_std": 0.4}


@pytest.fixture
def cycle(db):
    db.campaigns.create_or_get("c", {"seed": 1}, "hash")
    return db.cycles.create("c", 0, proposals=[PROPOSAL, {**PROPOSAL, "arm": "acquisition"}])


def test_a_campaign_keeps_its_configuration(db):
    row = db.campaigns.create_or_get("c", {"seed": 1, "cells": {"atoms": 64}}, "hash")
    assert db.campaigns.create_or_get("c", {"seed": 1}, "hash").configuration == row.configuration
    with pytest.raises(DatabaseError, match="another configuration") as refused:
        db.campaigns.create_or_get("c", {"seed": 2}, "other")
    assert "\n" not in str(refused.value)
    db.campaigns.update("c", state="done", summary={"best": "LiCl"})
    assert db.campaigns.get("c").state == "done"
    with pytest.raises(NotFoundError):
        db.campaigns.get("d")


def test_a_cycle_goes_from_state_to_state_and_nowhere_else(db, cycle):
    assert cycle.state == "proposed"
    assert db.cycles.acquire_lease("c", 0, "me", 60)
    with pytest.raises(InputError, match="does not go"):
        db.cycles.transition("c", 0, expected="proposed", new="closed", owner="me")
    db.cycles.transition("c", 0, expected="proposed", new="labelling", owner="me")
    with pytest.raises(LeaseLostError, match="is labelling, not proposed"):
        db.cycles.transition("c", 0, expected="proposed", new="labelling", owner="me")
    db.cycles.transition("c", 0, expected="labelling", new="learning", owner="me", label_keys=["k"])
    row = db.cycles.transition("c", 0, expected="learning", new="closed", owner="me", budget={"seconds": 3.5})
    assert (row.state, row.label_keys, row.budget) == ("closed", ("k",), {"seconds": 3.5})
    assert row.closed_at is not None
    assert db.cycles.latest("c") == row
    assert db.cycles.latest("nobody") is None


@pytest.mark.usefixtures("cycle")
def test_creating_a_cycle_again_changes_nothing(db):
    db.cycles.acquire_lease("c", 0, "me", 60)
    db.cycles.transition("c", 0, expected="proposed", new="labelling", owner="me")
    again = db.cycles.create("c", 0, proposals=[])
    assert (again.state, len(again.proposals)) == ("labelling", 2)
    assert [row.index for row in db.cycles.list("c")] == [0]


@pytest.mark.usefixtures("cycle")
def test_only_one_owner_at_a_time_and_an_expired_lease_is_free(db):
    assert db.cycles.acquire_lease("c", 0, "me", 60)
    assert db.cycles.acquire_lease("c", 0, "me", 60)  # again is fine
    assert not db.cycles.acquire_lease("c", 0, "you", 60)
    with pytest.raises(LeaseLostError, match="held by me"):
        db.cycles.update("c", 0, owner="you", budget={"seconds": 1})
    db.cycles.renew_lease("c", 0, "me", -1)
    assert db.cycles.acquire_lease("c", 0, "you", 60)
    with pytest.raises(LeaseLostError, match="held by you"):
        db.cycles.renew_lease("c", 0, "me", 60)
    db.cycles.release_lease("c", 0, "me")  # not mine: nothing happens
    assert db.cycles.get("c", 0).lease_owner == "you"
    db.cycles.release_lease("c", 0, "you")
    with pytest.raises(LeaseLostError, match="held by nobody"):
        db.cycles.update("c", 0, owner="you", budget={})


@pytest.mark.usefixtures("cycle")
def test_proposals_that_no_document_takes_change_nothing(db):
    db.cycles.acquire_lease("c", 0, "me", 60)
    with pytest.raises(InputError, match="colour"):
        db.cycles.update("c", 0, owner="me", proposals=[{**PROPOSAL, "colour": "red"}])
    with pytest.raises(InputError, match="temperature_K"):
        db.cycles.update("c", 0, owner="me", proposals=[{**PROPOSAL, "temperature_K": "hot"}])
    assert len(db.cycles.get("c", 0).proposals) == 2


def test_the_lead_proposals_fit_the_document(db):
    given = Proposal(formula="LiCl", source_fingerprint="f" * 64, temperature_K=900, arm="random")
    row = db.cycles.create("c", 3, proposals=[given])
    assert row.proposals == (given,)


def _claim(uri, owner, start, answers):
    with vitrion.connect(uri) as db:
        start.wait(60)
        answers.put([number for number in range(40) if db.cycles.acquire_lease("c", number, owner, 60)])


@pytest.mark.server
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_four_processes_share_leases_without_one_going_twice(mongo_uri):
    with vitrion.connect(mongo_uri) as db:
        for number in range(40):
            db.cycles.create("c", number)
    context = multiprocessing.get_context("fork")
    start, answers = context.Barrier(4), context.Queue()
    processes = [context.Process(target=_claim, args=(mongo_uri, f"p{n}", start, answers)) for n in range(4)]
    for process in processes:
        process.start()
    claims = [number for _ in processes for number in answers.get(timeout=60)]
    for process in processes:
        process.join(60)
    assert sorted(claims) == list(range(40))
