"""JobStores with damaged documents, or that cannot be reached: one line, and the rest is stored."""

import copy
import json

import pytest
from one_line import error_in_one_line
from plain_labels import plain_label
from pymatgen.core import Lattice, Structure

import vitrion
from vitrion.cli.app import run
from vitrion.database import DatabaseError
from vitrion.ingest.builder import build, build_from_job_store
from vitrion.ingest.job_store import open_job_store
from vitrion.ingest.label_files import read_labels
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import CellOutcome, GateOutcome, fingerprint


def cell(number):
    glass = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.13), ["Li", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    glass.perturb(0.5, seed=number)
    return CellOutcome(
        structure=glass.as_dict(),
        fingerprint=fingerprint(glass),
        kind="amorphous",
        origin="melt-quench",
        gates=(GateOutcome(name="density", passed=True, value=2.0, unit="g/cm3"),),
        accepted=True,
        formula="LiCl",
        density_g_cm3=2.07,
    )


def document(uuid, output):
    return {"uuid": uuid, "index": 1, "output": json.loads(output.model_dump_json()), "hosts": [], "metadata": {}}


DAMAGES = {
    "a word for a number": lambda output: output.update(density_g_cm3="heavy"),
    "no fingerprint": lambda output: output.update(fingerprint=None),
    "no coordinates": lambda output: output["structure"]["sites"][0].pop("abc"),
    "coordinates of text": lambda output: output["structure"]["sites"][0].update(abc=["x", 0, 0]),
    "coordinates that are infinite": lambda output: output["structure"]["sites"][0].update(abc=[float("inf"), 0, 0]),
    "no lattice": lambda output: output["structure"].pop("lattice"),
    "a flat lattice": lambda output: output["structure"]["lattice"].update(matrix=[[0, 0, 0]] * 3),
    "no sites": lambda output: output["structure"].update(sites=[]),
    "sites of nothing": lambda output: output["structure"].update(sites=[None]),
    "a newer layout": lambda output: output.update(schema_version=99),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_one_damaged_outcome_is_refused_and_the_others_are_stored(db, tmp_path, damage):
    good, bad, late = document("a", cell(1)), document("b", cell(2)), document("c", plain_label(cell(1).fingerprint))
    damage(bad["output"])
    store = db.job_store()
    store.docs_store._collection.insert_many(copy.deepcopy([good, bad, late]))
    report = build_from_job_store(db, store, scratch=tmp_path)
    assert (report.structures_created, report.labels_created) == (1, 1)
    assert set(report.refused) == {"b"}
    assert "\n" not in report.refused["b"]
    again = build_from_job_store(db, store, scratch=tmp_path)
    assert (again.structures_created, again.labels_created, again.refused) == (0, 0, report.refused)


def test_a_newer_layout_says_so_in_jobs_and_in_files(embedded_db, tmp_path):
    cell_output, label_output = document("a", cell(1)), document("b", plain_label(cell(1).fingerprint))
    for each in (cell_output, label_output):
        each["output"]["schema_version"] = 99
    report = build(embedded_db, [cell_output, label_output], scratch=tmp_path)
    assert all("layout 99 is newer" in reason for reason in report.refused.values())
    assert len(report.refused) == 2
    (tmp_path / "label.json").write_text(json.dumps(label_output["output"]))
    with error_in_one_line(InputError, match="layout 99 is newer"):
        read_labels(tmp_path / "label.json")


def test_documents_that_are_no_jobs_are_passed_over(db, tmp_path):
    store = db.job_store()
    foreign = [{"uuid": 3, "x": 1}, {"name": "note"}, {"uuid": "u"}, {"uuid": "v", "index": "w", "output": [1, {}]}]
    store.docs_store._collection.insert_many([*foreign, document("a", cell(1))])
    report = build_from_job_store(db, store, scratch=tmp_path)
    assert (report.structures_created, report.refused) == (1, {})


def test_a_document_that_is_no_bson_is_one_line(embedded_db, tmp_path):
    store = embedded_db.job_store()
    store.docs_store._collection.insert_one(document("a", cell(1)))
    inner = embedded_db.collection("outputs").raw._store
    inner._connection.execute("UPDATE documents SET doc = ?", (b"\x10\x00\x00\x00no bson",))
    with error_in_one_line(DatabaseError, match="damaged"):
        build_from_job_store(embedded_db, store, where="outputs", scratch=tmp_path)


UNREACHABLE = {
    "host and port": "{type: MongoStore, host: 127.0.0.1, port: 1, database: x, collection_name: y, username: joe,"
    " password: hunter2secret}",
    "address": "{type: MongoStore, uri: 'mongodb://joe:hunter2secret@127.0.0.1:1/x', database: x, collection_name: y}",
    "wrong address": "{type: MongoStore, uri: 'joe:hunter2secret@127.0.0.1:1/x', database: x, collection_name: y}",
    "wrong option": "{type: MongoStore, host: 127.0.0.1, port: 1, database: x, collection_name: y,"
    " pasword: hunter2secret}",
}


@pytest.mark.parametrize("text", UNREACHABLE.values(), ids=UNREACHABLE)
def test_a_store_that_does_not_answer_is_one_line_without_its_password(home, tmp_path, capsys, text, monkeypatch):
    monkeypatch.setattr("vitrion.ingest.job_store.SELECTION_MS", 200)
    path = tmp_path / "store.yaml"
    path.write_text(f"docs_store: {text}\n")
    assert run(["ingest", "jobs", str(path)]) == 2
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert str(path) in printed
    assert "hunter2secret" not in printed
    assert not home.exists()


@pytest.mark.server
def test_a_store_on_a_server_is_opened_by_its_file(mongo_uri, tmp_path):
    address, _, name = mongo_uri.rpartition("/")
    path = tmp_path / "store.yaml"
    path.write_text(f"docs_store: {{type: MongoStore, uri: '{address}', database: {name}, collection_name: outputs}}\n")
    with vitrion.connect(mongo_uri) as db:
        db.job_store().update([document("a", cell(1))], key=["uuid", "index"])
        theirs = open_job_store(path)
        assert build_from_job_store(db, theirs, scratch=tmp_path).structures_created == 1
        theirs.docs_store._collection.database.client.close()  # maggma leaves it open


def test_a_file_without_a_store_is_refused(tmp_path):
    (tmp_path / "store.yaml").write_text("docs_store: 3\n")
    with error_in_one_line(InputError, match=r"store\.yaml"):
        open_job_store(tmp_path / "store.yaml")


@pytest.mark.parametrize("place", ["/dev/zero", "/dev/null"])
def test_a_device_is_no_file_of_a_store(tmp_path, place):
    """A JSONStore read /dev/zero until the memory was full."""
    (tmp_path / "store.yaml").write_text(f"docs_store: {{type: JSONStore, paths: {place}}}\n")
    with pytest.raises(InputError, match="no regular file"):
        open_job_store(tmp_path / "store.yaml")
