"""A store on a medium where nothing can be written: readable by every reading command, refused by the others."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import stored_records
from refusals import open_desk
from stored_records import random_cell

import vitrion
from vitrion.cli.app import run
from vitrion.database import DatabaseError

READERS = {
    "structures list": ("structures", "list", "--json"),
    "structures export": ("structures", "export", "--to", "all.csv"),
    "labels list": ("labels", "list"),
    "models list": ("models", "list"),
    "candidates": ("candidates", "propose"),
}
WRITERS = {
    "init": ("init",),
    "ingest": ("ingest", "structures", "good.cif"),
    "label": ("label", "good.cif", "-t", "1000", "--potential", "lennard-jones"),
}


@pytest.fixture
def desk(tmp_path, monkeypatch, capsys):
    return open_desk(tmp_path / "desk", monkeypatch, capsys)


@pytest.fixture
def readonly_mount(desk, monkeypatch):
    """The desk's home seen through a read-only mount, which needs root."""
    where = desk.folder.parent / "readonly"
    where.mkdir()
    bind = ["mount", "-o", "bind,ro", str(desk.home), str(where)]
    mounted = subprocess.run(bind, capture_output=True, check=False)
    if mounted.returncode or os.access(where, os.W_OK):
        pytest.skip(f"no folder can be mounted read-only here: {mounted.stderr.decode().strip()}")
    monkeypatch.setenv("VITRION_HOME", str(where))
    yield where
    subprocess.run(["umount", "--lazy", str(where)], check=True)


def test_every_reading_command_reads_it_and_every_writing_command_says_so(desk, readonly_mount, capsys):
    for words in READERS.values():
        assert run(list(words)) == 0, words
    desk.home = readonly_mount
    (desk.folder / "all.csv").unlink()
    for words in (*WRITERS.values(), ("predict", "good.cif", "-t", "300")):
        line = desk.refused(*words)
        assert ("Read-only" in line) == (words[0] != "predict"), line
    assert run(["doctor", "--json"]) in {0, 2}
    assert "1 structures in the embedded store" in capsys.readouterr().out


def test_a_live_writer_and_a_killed_one_are_read_through_the_mount(desk, readonly_mount):
    script = (
        "import os, sys, vitrion\n"
        "from stored_records import random_cell\n"
        "with vitrion.connect(home=sys.argv[1]) as db:\n"
        "    db.structures.add(random_cell(), kind='amorphous')\n"
        "    print('stored', flush=True)\n"
        "    sys.stdin.readline()\n"
        "    os._exit(9)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(stored_records.__file__).parent)}
    writer = subprocess.Popen(
        [sys.executable, "-c", script, str(desk.home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    )
    assert writer.stdout.readline() == "stored\n"
    with vitrion.connect(home=readonly_mount, readonly=True) as db:
        assert db.structures.count() == 2
    writer.communicate("end\n")
    assert list((desk.home / "database").rglob("*-wal")), "the killed writer left its log"
    with vitrion.connect(home=readonly_mount, readonly=True) as db:
        assert db.structures.count() == 2


def test_a_log_that_cannot_be_used_is_one_line(desk, readonly_mount):
    for path in list((desk.home / "database" / "vitrion").iterdir()):
        path.with_name(f"{path.name}-wal").write_bytes(b"left behind")
    desk.home = readonly_mount
    desk.refused("structures", "list", says=(str(readonly_mount), "unable to open"))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        ("attempt to write a readonly database", "read-only"),
        ("unable to open database file", "permissions"),
        ("database table is locked", "locked"),
        ("an error of a later SQLite", "an error of a later SQLite"),
    ],
)
def test_any_error_of_sqlite_is_one_line(desk, monkeypatch, error, says):
    class Failing(sqlite3.Connection):
        def execute(self, statement, *arguments):
            if "documents WHERE" in statement:
                raise sqlite3.OperationalError(error)
            return super().execute(statement, *arguments)

    connect = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda *arguments, **options: connect(*arguments, **options, factory=Failing)
    )
    for words in (READERS["structures list"], READERS["labels list"], WRITERS["ingest"]):
        before = run([*words])
        line = desk.capsys.readouterr().err
        assert before == 2
        assert line.count("\n") == 1
        assert says in line


def test_a_damaged_document_is_one_line(embedded_db):
    embedded_db.structures.add(random_cell(), kind="amorphous")
    store = embedded_db.collection("structures").raw._store
    store._connection.execute("UPDATE documents SET doc = ?", (b"\x10\x00\x00\x00no bson",))
    with pytest.raises(DatabaseError, match="damaged"):
        embedded_db.structures.search()
