"""The builder on JobStores, and the commands that build: read incrementally, nothing skipped that is not stored."""

import json

import pytest
from job_outputs import cell, document, label
from jobflow import Flow, JobStore, job, run_locally
from maggma.stores import JSONStore, MemoryStore

import vitrion
from vitrion.cli.app import run
from vitrion.ingest.builder import build, build_from_job_store
from vitrion_workflows.schemas import (
    CellOutcome,
    outcome_key,
)


@job
def make_cell(number):
    return cell(number)


@job
def make_label(source, temperature_K):
    source = source if isinstance(source, CellOutcome) else CellOutcome(**source)
    return {"label": label(source, temperature_K)}


@pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")  # monty's, inside jobflow
def test_a_job_store_is_read_incrementally(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = JobStore(MemoryStore())
    store.connect()
    made = make_cell(1)
    run_locally(Flow([made, make_label(made.output, 1000.0)]), store=store, log=False, raise_immediately=True)
    report = build_from_job_store(database, store, campaign="c", scratch=tmp_path)
    assert (report.structures_created, report.labels_created) == (1, 1)
    (row,) = database.labels.search()
    assert row.campaign == "c"
    assert row.flow is not None
    other = make_cell(2)
    run_locally(Flow([other, make_label(other.output, 1500.0)]), store=store, log=False, raise_immediately=True)
    report = build_from_job_store(database, store, scratch=tmp_path)
    assert len(report.structures) == len(report.labels) == 1
    assert build_from_job_store(database, store, scratch=tmp_path).labels == ()
    assert database.labels.count() == 2


@pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")  # monty's, inside jobflow
def test_a_crash_between_the_outcomes_of_one_job_loses_none_of_them(database, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = JobStore(MemoryStore())
    store.connect()
    made = [cell(1), label(cell(1), 1000.0), label(cell(1), 1500.0)]
    store.update([document("job-1", [outcome.model_dump(mode="json") for outcome in made]) | {"index": 1}], key="uuid")
    build(database, [document("job-1", made[:2])], scratch=tmp_path)
    assert database.labels.count() == 1
    report = build_from_job_store(database, store, scratch=tmp_path)
    assert (report.structures_created, report.labels_created) == (0, 1)
    assert build_from_job_store(database, store, scratch=tmp_path).labels == ()


@pytest.mark.filterwarnings("ignore:cd is deprecated:FutureWarning")  # monty's, inside jobflow
def test_jobs_of_somebodys_own_launchpad_come_in_by_command(tmp_path, monkeypatch, capsys):
    """The flow ran with another store; the command reads it by the file that jobflow itself knows it by."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    (tmp_path / "outputs.json").write_text("[]")
    (tmp_path / "store.yaml").write_text(
        "docs_store: {type: JSONStore, paths: outputs.json, read_only: false, key: uuid}\n"
    )
    store = JobStore(JSONStore(str(tmp_path / "outputs.json"), read_only=False, key="uuid"))
    store.connect()
    made = make_cell(1)
    run_locally(Flow([made, make_label(made.output, 1000.0)]), store=store, log=False, raise_immediately=True)
    store.close()
    for created in (1, 0):
        assert run(["ingest", "jobs", "store.yaml", "--json"]) == 0
        found = json.loads(capsys.readouterr().out)
        assert (found["structures_created"], found["labels_created"]) == (created, created)
    for replaced in (1, 0):
        if replaced:
            with vitrion.connect() as db:
                assert db.collection("labels").update_one({}, {"$set": {"gate_version": 0}})
        assert run(["ingest", "jobs", "store.yaml"]) == 0
        shown = dict(line.split() for line in capsys.readouterr().out.splitlines())
        assert (shown["labels_created"], shown["labels_replaced"]) == ("0", str(replaced))
    assert run(["ingest", "jobs", "--json"]) == 0  # the database's own JobStore, which is empty
    assert json.loads(capsys.readouterr().out)["labels_created"] == 0


@pytest.mark.parametrize(
    ("text", "reason"),
    [(None, "no such file"), ("a: b", "JobStore"), ("docs_store: {type: Nothing}", "cannot be opened")],
)
def test_a_file_that_is_no_job_store_is_one_line(tmp_path, capsys, text, reason):
    if text is not None:
        (tmp_path / "store.yaml").write_text(text)
    assert run(["ingest", "jobs", str(tmp_path / "store.yaml")]) == 2
    line = capsys.readouterr().err.strip()
    assert reason in line
    assert len(line.splitlines()) == 1


def test_a_label_made_again_takes_the_place_of_the_one_of_older_rules(database, tmp_path):
    source = cell(1)
    store = JobStore(MemoryStore())
    store.connect()
    made = label(source, 1000.0)
    build(database, [source, made], scratch=tmp_path)
    key = outcome_key(made)
    older = {"$set": {"value": 9e-4, "log10_value": -3.0, "gate_version": 0}}
    assert database.collection("labels").update_one({"key": key}, older)
    store.update([document("job-1", source) | {"completed_at": "1"}, document("job-2", made) | {"completed_at": "2"}])
    # It is not skipped as built already, and once it is replaced it is.
    assert build_from_job_store(database, store, scratch=tmp_path).labels_replaced == 1
    assert (database.labels.get(key).value, database.labels.get(key).job) == (1e-4, "job-2")
    assert build_from_job_store(database, store, scratch=tmp_path).labels == ()


def test_a_file_of_labels_says_how_many_took_the_place_of_older_ones(database, tmp_path, monkeypatch, capsys):
    source = cell(1)
    build(database, source, scratch=tmp_path)
    database.close()
    monkeypatch.setenv("VITRION_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    path = tmp_path / "label.json"
    path.write_text(label(source, 1000.0).model_dump_json())
    for created, replaced in ((1, 0), (0, 1), (0, 0)):
        if replaced:
            with vitrion.connect() as db:
                assert db.collection("labels").update_one({}, {"$set": {"gate_version": 0}})
        assert run(["ingest", "labels", str(path)]) == 0
        shown = dict(line.split() for line in capsys.readouterr().out.splitlines())
        assert shown == {"files": "1", "labels": "1", "created": str(created), "replaced": str(replaced)}
    assert run(["ingest", "labels", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "files": 1,
        "labels": 1,
        "created": 0,
        "replaced": 0,
        "remarks": [],
    }
