"""Connecting, and the one line for each way in which it can fail."""

import os
import subprocess
import sys

import pytest
from one_line import error_in_one_line
from pymongo.errors import OperationFailure

import vitrion
from vitrion.database import (
    SERVER_ADVISED_STRUCTURES,
    DatabaseError,
    DatabaseUnreachableError,
    DatabaseVersionError,
    DiskFullError,
    advice,
)
from vitrion.database.errors import translate_errors
from vitrion_models.errors import VitrionError


def test_the_settings_choose_the_back_end(tmp_path, monkeypatch):
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    monkeypatch.delenv("VITRION_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    with vitrion.connect() as db:
        assert (db.embedded, db.where) == (True, str(tmp_path / ".vitrion"))
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "elsewhere"))
    with vitrion.connect() as db:
        assert db.where == str(tmp_path / "elsewhere")
    monkeypatch.setenv("VITRION_DATABASE_URI", "mongodb://127.0.0.1:1/x?serverSelectionTimeoutMS=50")
    with pytest.raises(DatabaseUnreachableError):
        vitrion.connect()
    with vitrion.connect(home=tmp_path / "explicit") as db:
        assert db.embedded


@pytest.mark.server
def test_the_address_chooses_the_server_and_its_database(mongo_uri, monkeypatch):
    monkeypatch.setenv("VITRION_DATABASE_URI", mongo_uri)
    with vitrion.connect() as db:
        assert not db.embedded
        assert db.where.endswith(mongo_uri.rsplit("/", maxsplit=1)[1])
        assert "MongoDB server" in advice(db)


def test_a_database_of_a_newer_schema_is_refused(database_arguments):
    with vitrion.connect(**database_arguments) as db:
        db.collection("vitrion").update_one({"_id": "schema"}, {"$set": {"version": 99}})
    for readonly in (False, True):
        with pytest.raises(DatabaseVersionError, match="99") as refused:
            vitrion.connect(**database_arguments, readonly=readonly)
        assert "\n" not in str(refused.value)


def test_reading_only_works_on_both_back_ends(database_arguments):
    with vitrion.connect(**database_arguments) as db:
        db.campaigns.create_or_get("c", {"x": 1}, "hash")
    with vitrion.connect(**database_arguments, readonly=True) as db:
        assert db.campaigns.get("c").config_hash == "hash"
        with pytest.raises(DatabaseError, match="readonly"):
            db.campaigns.update("c", state="done")


def test_a_full_disk_is_told_and_changes_nothing(embedded_db):
    store = embedded_db.collection("campaigns").raw._store
    pages = store._connection.execute("PRAGMA page_count").fetchone()[0]
    store._connection.execute(f"PRAGMA max_page_count={pages}")  # SQLite's own way to be out of room

    def fill():
        for number in range(1000):
            embedded_db.campaigns.create_or_get(f"c{number}", {"text": "x" * 3000}, "hash")

    with pytest.raises(DiskFullError, match="disk is full") as refused:
        fill()
    assert "\n" not in str(refused.value)
    known = embedded_db.campaigns.list()
    assert all(row.config_hash == "hash" for row in known)
    store._connection.execute("PRAGMA max_page_count=1000000")
    embedded_db.campaigns.create_or_get("after", {"x": 1}, "hash")
    assert len(embedded_db.campaigns.list()) == len(known) + 1


def test_a_closed_database_neither_reads_nor_writes(db):
    db.close()
    db.close()
    with pytest.raises(DatabaseError, match="closed: connect again"):
        db.structures.count()
    with pytest.raises(DatabaseError, match="closed: connect again"):
        db.campaigns.create_or_get("after", {"x": 1}, "hash")


def test_a_damaged_store_is_told(tmp_path):
    vitrion.connect(home=tmp_path).close()
    (tmp_path / "database" / "vitrion" / "structures").write_bytes(b"this is no database" * 1000)
    with pytest.raises(VitrionError, match="damaged") as refused:
        vitrion.connect(home=tmp_path)
    assert "\n" not in str(refused.value)
    with pytest.raises(VitrionError, match="damaged"):
        vitrion.connect(home=tmp_path)  # and not: locked
    with vitrion.connect(home=tmp_path, readonly=True) as db, pytest.raises(VitrionError, match="damaged"):
        db.structures.count()


@pytest.mark.parametrize("code", [11, 13, 18, 8000, 14031, 20, 59, None])
def test_any_failure_that_a_server_reports_is_one_line(code):
    error = OperationFailure("no,\nnot now", code, {"errmsg": "no,\nnot now"})
    unauthorised = code in {11, 13, 18, 8000}
    says = "password" if unauthorised else "full" if code == 14031 else "not now"
    with error_in_one_line(DatabaseError, match=says), translate_errors("mongodb://db.example/x"):
        raise error


def test_advice_says_where_the_embedded_store_ends(embedded_db):
    assert str(SERVER_ADVISED_STRUCTURES) in advice(embedded_db)


def test_importing_vitrion_is_light():
    source = "import sys, vitrion; print(*{'pymatgen', 'mongoengine', 'pymongo', 'torch', 'numpy'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True, env=os.environ)
    assert done.stdout.split() == []


@pytest.mark.server
def test_a_server_that_comes_back_has_everything(mongo_process):
    server = mongo_process()
    with vitrion.connect(f"{server.uri}/v") as db:
        db.campaigns.create_or_get("c", {"x": 1}, "hash")
        name = db.artefacts.put(b"x" * 500_000, name="x")
    server.stop()
    server = mongo_process()
    with vitrion.connect(f"{server.uri}/v") as db:
        assert db.campaigns.get("c").config_hash == "hash"
        assert len(db.artefacts.get(name)) == 500_000
