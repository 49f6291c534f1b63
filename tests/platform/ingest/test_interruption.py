"""A disk that fills in the middle of an ingest: the error says how much is stored, and a second run adds the rest."""

import json
import re

from one_line import error_in_one_line
from plain_labels import plain_label
from refusals import ROCK_SALT_CIF
from stored_records import random_cell

from vitrion.database import Database, DatabaseError, DatabaseUnreachableError, DiskFullError
from vitrion.ingest import files
from vitrion.ingest.builder import build_from_job_store
from vitrion.ingest.files import ingest_files
from vitrion.ingest.interruption import count_stored
from vitrion.ingest.label_files import ingest_labels
from vitrion_workflows.schemas import StructureKind


def limit(db, name, *, pages):
    """Let a collection's file grow by so many pages only, as on a disk that is nearly full."""
    connection = db.collection(name).raw._store._connection
    used = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={used + pages}")


def stored(error, noun):
    match = re.search(rf"(\d+) {noun}", str(error.value))
    return int(match[1]) if match else 0


def test_structures_of_files(embedded_db, tmp_path, monkeypatch):
    monkeypatch.setattr(files, "STRUCTURES_AT_ONCE", 20)
    for index in range(100):
        (tmp_path / f"{index:03d}.cif").write_text(ROCK_SALT_CIF.replace("5.13", f"{5 + index / 100}"))
    limit(embedded_db, "structures", pages=10)
    with error_in_one_line(DiskFullError, match="disk is full") as refused:
        ingest_files(embedded_db, [tmp_path], kind=StructureKind.CRYSTAL)
    count = embedded_db.structures.count()
    assert 0 < count < 100
    assert stored(refused, "structures") == count
    with error_in_one_line(DiskFullError, match="nothing stored before"):
        ingest_files(embedded_db, [tmp_path], kind=StructureKind.CRYSTAL)
    limit(embedded_db, "structures", pages=100_000)
    assert ingest_files(embedded_db, [tmp_path], kind=StructureKind.CRYSTAL).created == 100 - count


def test_labels_of_a_file(embedded_db, tmp_path):
    cell = embedded_db.structures.add(random_cell(), kind="amorphous").fingerprint
    labels = [plain_label(cell, temperature_K=500.0 + index) for index in range(100)]
    path = tmp_path / "labels.jsonl"
    path.write_text("\n".join(json.dumps(json.loads(label.model_dump_json())) for label in labels))
    limit(embedded_db, "labels", pages=30)
    with error_in_one_line(DiskFullError, match="disk is full") as refused:
        ingest_labels(embedded_db, [path])
    count = embedded_db.labels.count()
    assert 0 < count < 100
    assert stored(refused, "labels") == count
    limit(embedded_db, "labels", pages=100_000)
    assert ingest_labels(embedded_db, [path]).created == 100 - count


def test_outcomes_of_jobs(embedded_db, tmp_path):
    cell = embedded_db.structures.add(random_cell(), kind="amorphous").fingerprint
    store = embedded_db.job_store()
    outputs = [json.loads(plain_label(cell, temperature_K=500.0 + index).model_dump_json()) for index in range(100)]
    jobs = [{"uuid": f"{index:03d}", "index": 1, "output": output} for index, output in enumerate(outputs)]
    store.docs_store._collection.insert_many(jobs)
    limit(embedded_db, "labels", pages=30)
    with error_in_one_line(DiskFullError, match="disk is full") as refused:
        build_from_job_store(embedded_db, store, scratch=tmp_path)
    assert stored(refused, "labels") == embedded_db.labels.count() > 0


def test_a_server_that_is_gone_is_named_without_a_count(embedded_db, monkeypatch):
    def gone(*_arguments):
        raise DatabaseUnreachableError("no server answers")

    with error_in_one_line(DatabaseError, match="^no server answers$"), count_stored(embedded_db):
        monkeypatch.setattr(Database, "collection", gone)
        raise DatabaseUnreachableError("no server answers")


def test_what_a_database_refuses_is_counted_on_both_back_ends(db):
    with error_in_one_line(DatabaseError, match="1 structures stored before"), count_stored(db):
        db.structures.add(random_cell(), kind="amorphous")
        raise DatabaseError("refused")
