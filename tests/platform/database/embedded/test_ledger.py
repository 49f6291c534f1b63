"""Files of an embedded store that vanish, are emptied or go back in time are noticed; ordinary use never is."""

import json
import shutil
import sqlite3

import pytest
from one_line import error_in_one_line
from stored_records import random_cell

import vitrion
from vitrion.cli.app import run
from vitrion.database import DatabaseError, Structure

COLLECTIONS = ("structures", "geometries", "campaigns", "vitrion")


@pytest.fixture
def store(tmp_path):
    """A closed store with three structures and a campaign."""
    with vitrion.connect(home=tmp_path) as db:
        for seed in range(3):
            db.structures.add(random_cell(seed=seed), kind="amorphous")
        db.campaigns.create_or_get("c", {"x": 1}, "hash")
    return tmp_path


def remove(path):
    path.unlink()


def truncate(path):
    path.write_bytes(b"")


def empty(path):
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM documents")
    connection.close()


@pytest.mark.parametrize("damage", [remove, truncate, empty])
@pytest.mark.parametrize("name", COLLECTIONS)
@pytest.mark.parametrize("readonly", [False, True])
def test_a_lost_collection_is_named_and_not_made_anew(store, name, damage, readonly):
    damage(store / "database" / "vitrion" / name)
    count = 3 if name in {"structures", "geometries"} else 1
    for _ in range(2):
        with error_in_one_line(DatabaseError, match=f"{count} of {count} documents of {name}"):
            vitrion.connect(home=store, readonly=readonly)


def test_the_whole_folder_or_an_older_file_is_noticed(store):
    folder = store / "database" / "vitrion"
    older = shutil.copy(folder / "structures", store / "older")
    with vitrion.connect(home=store) as db:
        db.structures.add(random_cell(seed=9), kind="amorphous")
    newer = shutil.copy(folder / "structures", store / "newer")
    shutil.copy(older, folder / "structures")
    with error_in_one_line(DatabaseError, match="1 of 4 documents of structures"):
        vitrion.connect(home=store)
    shutil.copy(newer, folder / "structures")
    vitrion.connect(home=store).close()
    shutil.rmtree(folder)
    with error_in_one_line(DatabaseError, match="4 of 4 documents of structures"):
        vitrion.connect(home=store)


def test_the_doctor_says_it_and_removing_the_ledger_goes_on(store, monkeypatch, capsys):
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    monkeypatch.setenv("VITRION_HOME", str(store))
    (store / "database" / "vitrion" / "structures").unlink()
    assert run(["doctor", "--json"]) == 2
    (row,) = [row for row in json.loads(capsys.readouterr().out) if row["topic"] == "database"]
    assert row["state"] == "fault"
    assert "3 of 3 documents of structures" in row["detail"]
    (store / "database" / "vitrion.ledger").unlink()
    assert run(["init"]) == 0
    with vitrion.connect(home=store) as db:
        assert db.structures.count() == 0
        assert db.campaigns.get("c").name == "c"


def test_a_store_without_a_ledger_opens_and_gets_one(store):
    ledger = store / "database" / "vitrion.ledger"
    for path in ledger.parent.glob("vitrion.ledger*"):
        path.unlink()
    with vitrion.connect(home=store, readonly=True) as db:
        assert db.structures.count() == 3
    assert not ledger.exists()
    vitrion.connect(home=store).close()
    (store / "database" / "vitrion" / "structures").unlink()
    with error_in_one_line(DatabaseError, match="3 of 3"):
        vitrion.connect(home=store, readonly=True)


def test_a_damaged_ledger_is_named(store):
    for path in (store / "database").glob("vitrion.ledger*"):
        path.write_bytes(b"no ledger at all" * 100)
    with error_in_one_line(DatabaseError, match="vitrion.ledger is damaged"):
        vitrion.connect(home=store)


def test_every_way_of_adding_and_removing_documents_is_counted(store):
    with vitrion.connect(home=store) as db:
        raw = db.collection("outputs").raw
        raw.insert_many([{"_id": number, "x": number} for number in range(10)])
        raw.insert_one({"x": 10})
        raw.update_one({"x": 11}, {"$set": {"y": 1}}, upsert=True)
        raw.update_one({"x": 11}, {"$set": {"y": 2}}, upsert=True)
        raw.replace_one({"x": 12}, {"x": 12, "y": 1}, upsert=True)
        raw.find_one_and_update({"x": 13}, {"$set": {"y": 1}}, upsert=True)
        with pytest.raises(Exception, match="E11000"):
            raw.insert_many([{"_id": 100}, {"_id": 0}, {"_id": 101}])
        with pytest.raises(Exception, match="E11000"):
            raw.insert_many([{"_id": 102}, {"_id": 0}, {"_id": 103}], ordered=False)
        raw.delete_one({"x": 0})
        raw.delete_many({"x": {"$lt": 3}})
        raw.find_one_and_delete({"x": 3})
        raw.create_index("x")
        expected = raw.count_documents({})
        assert expected == 13
        Structure.objects.first().delete()
        db.collection("campaigns").raw.drop()
    for path, count in (("outputs", expected), ("structures", 2), ("campaigns", 0)):
        assert _ledger(store)[path] == count
    with vitrion.connect(home=store, readonly=True) as db:
        assert db.structures.count() == 2


def _ledger(store):
    connection = sqlite3.connect(store / "database" / "vitrion.ledger")
    counts = dict(connection.execute("SELECT collection, documents FROM counts"))
    connection.close()
    return counts


def test_what_is_undone_is_not_counted(store):
    with vitrion.connect(home=store) as db:
        inner = db.collection("outputs").raw._store

        def fail():
            with inner.transaction():
                inner.insert({"_id": 1})
                raise RuntimeError("killed")

        with pytest.raises(RuntimeError):
            fail()
        assert _ledger(store)["outputs"] == 0
        inner.insert({"_id": 1})
        assert _ledger(store)["outputs"] == 1
