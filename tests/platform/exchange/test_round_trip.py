"""Labels come back from their exports with nothing lost, in any state."""

import json

import pandas as pd
import pytest
import stored_records
from plain_labels import WEIGHTS, plain_label
from reference_forces import checked_record

import vitrion
from vitrion.cli.app import run
from vitrion.database.records import ImportedLabel
from vitrion.database.records.structure import AliasRecord
from vitrion_workflows.schemas import GateOutcome, LabelState, MsdTable, StartKind, StartRecord
from vitrion_workflows.schemas.gate import Measurement, gate_of
from vitrion_workflows.schemas.homonuclear import HomonuclearBonds
from vitrion_workflows.schemas.label import Motion

CELL = stored_records.random_cell()
GATES = (
    GateOutcome(
        name="temperature", passed=True, value=1000.1, lower=950.0, upper=1050.0, unit="K", message='"in", fine'
    ),
    gate_of("drift", [Measurement(name="cell", passed=True, value=1 / 3, upper=1.0, unit="A", message="small")]),
)
PUBLISHED = stored_records.PUBLISHED | {
    "composition": "Li3PS4",
    "interval_95": (0.5e-5, 2e-5),
    "source": "[1] a, b",
    "source_value": 3e-5,
    "conversion_factor": 1 / 3,
    "conversion": "slope of the summed MSD",
}


def fill(db):
    """Store one label of each state, with all that a label can hold."""
    cell = db.structures.add(CELL, kind="amorphous").fingerprint
    full = {
        "gates": GATES,
        "msd": MsdTable(lag_ps=(0.1, 0.2), msd_A2=(1 / 3, 0.7), stderr_A2=(0.01, 0.02)),
        "motion": Motion(
            principal=(3e-5, 2e-5, 1e-5),
            isotropic_p=0.4,
            collective=1e-5,
            collective_stderr=1e-6,
            alpha2=0.1,
            alpha2_ps=2,
        ),
        "force_check": checked_record(2 / 3),
        "n_eff": 41.5,
        "exponent": 0.98,
        "exponent_stderr": 0.02,
        "fit_window_ps": (1.0, 4.0),
        "equilibration_ps": 0.5,
        "haven_ratio": 0.6,
        "framework_state": "vibrating",
        "stopped": "target",
        "homonuclear_bonds": (HomonuclearBonds(element="P", number=1.5, expected=0, expected_by="charges"),),
        "unexpected_bonds": 1.5,
        "drift_A": 0.01,
        "mean_temperature_K": 1001.3,
        "trajectory_sha256": "d" * 64,
        "wall_seconds": 12.5,
        "device": "cpu",
    }
    start = StartRecord(
        kind=StartKind.EQUILIBRATED, potential="nep89", weights_sha256=WEIGHTS["nep89"], equilibration_ps=4.0
    )
    accepted = plain_label(cell, **full)
    started = accepted.model_copy(update={"method": accepted.method.model_copy(update={"start": start})})
    failed = (GateOutcome(name="resolution", passed=False, message="no jump"),)
    db.labels.add(accepted, job="uuid", flow="uuid2", campaign="c", cycle=2, arm="random")
    db.labels.add(started, campaign="c", cycle=2, arm="reference")
    db.labels.add(plain_label(cell, seed=2, state="rejected", value=None, log10_stderr=None, gates=failed))
    db.labels.add(plain_label(cell, seed=3, state="censored", value=1e-7, log10_stderr=None))
    old = db.labels.add(plain_label(cell, seed=4)).key
    assert db.collection("labels").update_one({"key": old}, {"$set": {"gate_version": 0}})
    db.labels.add_imported(ImportedLabel(**PUBLISHED))
    for record, state in enumerate((LabelState.PUBLISHED, LabelState.CENSORED, LabelState.REJECTED), start=1):
        given = {"record": record, "state": state, "composition": None, "structure_fingerprint": cell, "gates": GATES}
        db.labels.add_imported(ImportedLabel(**PUBLISHED | given))


def documents(home):
    with vitrion.connect(home=home, readonly=True) as db:
        stored = db.collection("labels").find({}, sort=[("key", 1)])
    return [{name: value for name, value in document.items() if name != "_id"} for document in stored]


def use(monkeypatch, home):
    monkeypatch.setenv("VITRION_HOME", str(home))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)


@pytest.fixture
def first(tmp_path, monkeypatch):
    """A database with all those labels, which commands use."""
    with vitrion.connect(home=tmp_path / "first") as db:
        fill(db)
    use(monkeypatch, tmp_path / "first")


def write(kind, folder, capsys):
    """Export all labels, by the command of a kind."""
    every = ("--gate-version", "any")
    path = folder / f"labels.{kind}"
    if kind == "json":
        assert run(["labels", "list", "--json", *every]) == 0
        path.write_text(capsys.readouterr().out)
        return path
    differ = ("source", "potential", "weights_sha256", "start", "protocol", "thermostat", "gate_version")
    across = [word for name in differ for word in ("--across", name)]
    assert run(["labels", "export", "--to", str(path), *every, *across]) == 0
    return path


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize("kind", ["jsonl", "csv", "json", "parquet", "arrow", "h5"])
def test_exported_labels_come_back_whole(tmp_path, monkeypatch, capsys, kind):
    path = write(kind, tmp_path, capsys)
    first = documents(tmp_path / "first")
    assert len(first) == 9

    use(monkeypatch, tmp_path / "second")
    with vitrion.connect() as db:
        db.structures.add(CELL, kind="amorphous")
    capsys.readouterr()
    assert run(["ingest", "labels", str(path), "--json"]) == 0, capsys.readouterr().err
    assert json.loads(capsys.readouterr().out) == {"files": 1, "labels": 9, "created": 9, "replaced": 0, "remarks": []}
    assert documents(tmp_path / "second") == first

    use(monkeypatch, tmp_path / "first")  # nothing is added to the store it came from
    assert run(["ingest", "labels", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"files": 1, "labels": 9, "created": 0, "replaced": 0, "remarks": []}
    assert documents(tmp_path / "first") == first


@pytest.mark.usefixtures("first")
def test_a_frame_of_labels_of_every_state_becomes_a_parquet_file(tmp_path):
    with vitrion.connect(readonly=True) as db:
        rows = db.labels.search(gate_version="any")
        differ = ("source", "potential", "weights_sha256", "start", "protocol", "thermostat", "gate_version")
        rows.to_dataframe(across=differ).to_parquet(tmp_path / "labels.parquet")
    back = pd.read_parquet(tmp_path / "labels.parquet")
    assert back.key.tolist() == [row.key for row in rows]
    assert back.state.tolist() == [row.state for row in rows]


@pytest.mark.usefixtures("first")
def test_a_label_whose_structure_is_not_stored_is_refused_whole(tmp_path, monkeypatch, capsys):
    path = write("jsonl", tmp_path, capsys)
    use(monkeypatch, tmp_path / "second")
    assert run(["ingest", "labels", str(path)]) == 2
    assert "structure" in capsys.readouterr().err
    assert documents(tmp_path / "second") == []


@pytest.mark.usefixtures("first")
@pytest.mark.parametrize(
    ("kind", "damage"),
    [("jsonl", ('"temperature_K": 1000.0', '"temperature_K": "hot"')), ("csv", (",1000.0,", ",hot,"))],
)
def test_a_damaged_row_of_an_export_is_named(tmp_path, capsys, kind, damage):
    path = write(kind, tmp_path, capsys)
    path.write_text(path.read_text().replace(*damage))
    capsys.readouterr()
    assert run(["ingest", "labels", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "row 1" in line
    assert "temperature_K" in line


def test_an_export_of_an_earlier_layout_is_upgraded(tmp_path, monkeypatch, capsys):
    with vitrion.connect(home=tmp_path / "home") as db:
        db.labels.add_imported(ImportedLabel(**PUBLISHED))
    use(monkeypatch, tmp_path / "home")
    path = write("json", tmp_path, capsys)
    (row,) = json.loads(path.read_text())
    path.write_text(
        json.dumps([row | {"key": "e" * 64, "schema_version": 1, "rules": None, "arm": "referee", "msd": {}}])
    )
    assert run(["ingest", "labels", str(path)]) == 0, capsys.readouterr().err
    assert [label["schema_version"] for label in documents(tmp_path / "home")] == [2, 2]


def test_the_required_columns_in_json_are_a_published_value(tmp_path, monkeypatch, capsys):
    use(monkeypatch, tmp_path / "home")
    names = ("composition", "property", "species", "temperature_K", "value", "unit", "convention", "potential")
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps([{name: PUBLISHED[name] for name in names}]))
    assert run(["ingest", "labels", str(path)]) == 0, capsys.readouterr().err
    (label,) = documents(tmp_path / "home")
    assert (label["state"], label["value"], label["composition"]) == ("published", 1e-5, "Li3PS4")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"schema_version": 9}, "schema_version"),
        ({"schema_version": [2]}, "row 2"),
        ({"gate_version": 7}, "gate_version"),
        ({"key": "zz"}, "key"),
        ({"key": ["z"]}, "key"),
        ({"species": "Na"}, "species Na"),
        ({"species": ["Li"]}, "species"),
        ({"unit": "m2/s"}, "unit"),
        ({"unit": "m2/s", "state": "rejected"}, "unit"),
        ({"convention": "slope_half", "state": "rejected"}, "convention"),
        ({"state": "published"}, "published"),
        ({"arm": ["referee"], "schema_version": 1}, "row 2"),
        ({"structure_fingerprint": "f" * 64}, "structure"),
        ({"structure_fingerprint": None}, "structure_fingerprint"),
        ({"composition": "Li2S"}, "composition"),
        ({"gates": [{"name": "resolution", "passed": False}]}, "resolution"),
        *(({name: None}, name) for name in ("value", "interval_95", "method", "gates", "gate_version")),
        ({"weights_sha256": ""}, "weights_sha256"),
    ],
)
def test_a_wrong_row_of_an_export_refuses_every_file(tmp_path, monkeypatch, capsys, changes, says):
    use(monkeypatch, tmp_path / "home")
    with vitrion.connect() as db:
        key = db.labels.add(plain_label(db.structures.add(CELL, kind="amorphous").fingerprint, gates=GATES)).key
    path = write("json", tmp_path, capsys)
    (row,) = json.loads(path.read_text())
    path.write_text(json.dumps([row | {"key": "e" * 64}, row | {"key": "f" * 64} | changes]))
    assert run(["ingest", "labels", str(path)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path}, row 2" in line
    assert says in line
    assert [label["key"] for label in documents(tmp_path / "home")] == [key]


def test_what_follows_from_structure_and_value_is_computed_anew(tmp_path, monkeypatch, capsys):
    use(monkeypatch, tmp_path / "home")
    with vitrion.connect() as db:
        cell = db.structures.add(CELL, kind="amorphous").fingerprint
        db.labels.add(plain_label(cell))
        db.collection("aliases").insert_if_absent(AliasRecord(alias="b" * 64, fingerprint=cell).document())
    path = write("json", tmp_path, capsys)
    (row,) = json.loads(path.read_text())
    wrong = {"reduced_formula": "XYZ", "chemsys": "X", "log10_value": 3.0, "structure_fingerprint": "b" * 64}
    path.write_text(json.dumps([row | wrong | {"key": "e" * 64}]))
    assert run(["ingest", "labels", str(path)]) == 0, capsys.readouterr().err
    first, second = documents(tmp_path / "home")
    assert first | {"key": second["key"]} == second
