"""One numbering of cycles where people read: from 1, in filters, tables and errors."""

import json

import pytest
from plain_labels import plain_label
from stored_records import random_cell

import vitrion
from vitrion.cli.app import run
from vitrion.database import LeaseLostError, NotFoundError
from vitrion.learning.lease import BusyError, lease
from vitrion_models.errors import InputError


@pytest.fixture
def campaign(home):
    with vitrion.connect(home=home) as db:
        cell = db.structures.add(random_cell(), kind="amorphous", campaign="c", cycle=0).fingerprint
        db.labels.add(plain_label(cell), campaign="c", cycle=0)
        db.campaigns.create_or_get("c", {"x": 1}, "hash")
        db.cycles.create("c", 0)
        db.models.add("1" * 64, kind="surrogate", architecture="gnn", promoted=True, promotion_reason="x", cycle=0)
    return home


@pytest.mark.usefixtures("campaign")
@pytest.mark.parametrize("noun", ["structures", "labels"])
def test_the_first_cycle_is_asked_for_by_one(noun, capsys):
    for number, rows in (("1", 1), ("2", 0)):
        assert run([noun, "list", "--cycle", number, "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert len(found) == rows
    assert run([noun, "list", "--cycle", "0"]) == 2


@pytest.mark.usefixtures("campaign")
def test_the_table_of_models_shows_it(capsys):
    assert run(["models", "list"]) == 0
    header, row = capsys.readouterr().out.splitlines()
    assert row[header.index("cycle") :].split()[0] == "1"


def test_errors_name_it(db):
    db.campaigns.create_or_get("c", {"x": 1}, "hash")
    db.cycles.create("c", 0)
    with pytest.raises(NotFoundError, match="no cycle 2"):
        db.cycles.get("c", 1)
    with pytest.raises(InputError, match="cycle 1 does not go"):
        db.cycles.transition("c", 0, expected="proposed", new="closed", owner="me")
    with pytest.raises(LeaseLostError, match="cycle 1 of campaign"):
        db.cycles.update("c", 0, owner="me", label_keys=())
    if not db.embedded:
        assert db.cycles.acquire_lease("c", 0, "somebody", 60)
        with pytest.raises(BusyError, match="cycle 1 is being"), lease(db, "c", 0, owner="me"):
            pass
