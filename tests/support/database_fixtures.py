"""Databases for tests: the embedded store and a server, each test with a database of its own."""

import os
import uuid

import pymongo
import pytest
from mongo_process import CannotStartError, MongoProcess
from stored_records import random_cell

import vitrion

BACK_ENDS = ["embedded", pytest.param("server", marks=pytest.mark.server)]


def _unavailable(reason):
    if os.environ.get("VITRION_REQUIRE_SERVER") == "1":
        pytest.fail(f"VITRION_REQUIRE_SERVER is set, and {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def mongo_server_uri():
    """Address of a MongoDB server for the whole session, without a database's name."""
    given = os.environ.get("VITRION_TEST_MONGODB_URI")
    if given:
        yield given.rstrip("/")
        return
    try:
        server = MongoProcess()
    except CannotStartError as fault:
        _unavailable(str(fault))
    yield server.uri
    server.stop()


def own_database(mongo_server_uri):
    """Address of a new database on the server, dropped at the end."""
    name = f"vitrion_test_{uuid.uuid4().hex[:12]}"
    base, _, options = mongo_server_uri.partition("?")
    uri = f"{base.rstrip('/')}/{name}" + (f"?{options}" if options else "")
    yield uri
    with pymongo.MongoClient(uri) as client:
        client.drop_database(name)


mongo_uri = pytest.fixture(own_database)


@pytest.fixture
def mongo_process(tmp_path):
    """Starts servers on a file, so that a test can stop, kill and start them again."""
    started = []

    def start(file=tmp_path / "mongo.h2"):
        try:
            started.append(MongoProcess(file))
        except CannotStartError as fault:
            _unavailable(str(fault))
        return started[-1]

    yield start
    for server in started:
        server.stop()


@pytest.fixture(params=BACK_ENDS)
def database_arguments(request, tmp_path):
    """What to give `vitrion.connect`: once a folder, once a server."""
    if request.param == "embedded":
        return {"home": tmp_path / "home"}
    return {"uri": request.getfixturevalue("mongo_uri")}


@pytest.fixture
def db(database_arguments):
    """An open, empty database: each test that takes it runs on both back ends."""
    with vitrion.connect(**database_arguments) as database:
        yield database


@pytest.fixture
def embedded_db(tmp_path):
    """An open, empty embedded database."""
    with vitrion.connect(home=tmp_path / "home") as database:
        yield database


@pytest.fixture
def cell(db):
    """Fingerprint of an amorphous cell in the database."""
    return db.structures.add(random_cell(), kind="amorphous").fingerprint


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Folder of the embedded database that commands use; no other setting comes from the environment."""
    for name in ("VITRION_DATABASE_URI", "VITRION_SCRATCH", "VITRION_DATA_MIRROR", "MP_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    return tmp_path / "home"
