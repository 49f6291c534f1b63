"""The builder: idempotent, in any order, and the same documents after a crash at any step."""

import hashlib
import json
from pathlib import Path

import pytest
from job_outputs import CRYSTAL, METHOD, cell, document, label
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

import vitrion
from vitrion.database.artefacts import FolderArtefacts
from vitrion.database.repositories.labels import Labels
from vitrion.database.repositories.structures import Structures
from vitrion.ingest.builder import build
from vitrion.ingest.outcomes import outcomes_in
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import (
    LabelOutcome,
    StartRecord,
    VolumePoint,
    VolumeRecord,
    fingerprint,
    outcome_key,
)
from vitrion_workflows.schemas.identity import FRACTIONAL_GRID, GRID_SHIFT


def campaign_outputs(scratch):
    """Two cells and three labels in four jobs, labels before their cells; two trajectories in the scratch folder."""
    cells = [cell(1), cell(2)]
    labels = []
    for source, temperature in ((cells[0], 1000.0), (cells[0], 1500.0), (cells[1], 1000.0)):
        content = f"frames of {source.seed} at {temperature}".encode()
        has_file = temperature == 1000.0
        outcome = label(source, temperature, trajectory=hashlib.sha256(content).hexdigest() if has_file else None)
        if has_file:
            folder = scratch / outcome_key(outcome)
            folder.mkdir(parents=True)
            (folder / "trajectory.h5md").write_bytes(content)
        labels.append(outcome)
    return [
        document("job-1", {"label": labels[0], "note": "first"}),
        document("job-2", cells[0]),
        document("job-3", [labels[1], {"deep": [labels[2]]}]),
        document("job-4", {"cell": cells[1], "nothing": None}),
    ]


def dump(db):
    """Every stored field but the moment of writing, and which trajectories are kept."""
    content = {}
    for name in ("structures", "geometries", "labels"):
        rows = db.collection(name).find({})
        for row in rows:
            row.pop("_id")
            row.pop("created_at")
        content[name] = sorted(json.dumps(row, sort_keys=True) for row in rows)
    kept = [row.trajectory_sha256 for row in db.labels.search() if row.trajectory_sha256]
    content["trajectories"] = sorted(sha256 for sha256 in kept if db.artefacts.exists(sha256))
    return content


def test_outcomes_become_documents_with_their_provenance(database, tmp_path):
    outputs = campaign_outputs(tmp_path / "scratch")
    report = build(database, outputs, campaign="c", cycle=2, arm="random", scratch=tmp_path / "scratch")
    assert (report.structures_created, report.labels_created, report.trajectories) == (2, 3, 2)
    assert not report.missing
    assert not report.refused
    row = database.structures.get(cell(1).fingerprint)
    assert (row.job, row.flow, row.campaign, row.cycle) == ("job-2", "outer", "c", 2)
    assert row.parent == row.twin == fingerprint(CRYSTAL)
    assert (row.kind, row.origin, row.seed, row.accepted) == ("amorphous", "melt-quench", 1, True)
    first = next(outcome for outcome in outcomes_in(outputs) if isinstance(outcome, LabelOutcome))
    stored = database.labels.get(outcome_key(first))
    assert (stored.job, stored.arm, stored.campaign, stored.value) == ("job-1", "random", "c", 1e-4)
    assert stored.weights_sha256 == METHOD.weights_sha256
    assert database.artefacts.get(stored.trajectory_sha256) == b"frames of 1 at 1000.0"
    assert not list((tmp_path / "scratch").rglob("*.h5md"))


def test_a_second_build_changes_nothing(database, tmp_path):
    outputs = campaign_outputs(tmp_path / "scratch")
    build(database, outputs, scratch=tmp_path / "scratch")
    before = dump(database)
    report = build(database, reversed(outputs), scratch=tmp_path / "scratch")
    assert (report.structures_created, report.labels_created, report.trajectories) == (0, 0, 0)
    assert len(report.labels) == 3
    assert not report.missing
    assert dump(database) == before


class CrashError(Exception):
    """The process dies here."""


STEPS = (
    (Structures, "add"),
    (Labels, "add"),
    (FolderArtefacts, "put"),
    (FolderArtefacts, "_store"),
    (Path, "unlink"),
)


def crash_at(monkeypatch, number):
    """Make the `number`-th half-step fail: before it for even numbers, after it for odd ones."""
    count = iter(range(10_000))

    def wrap(original):
        def step(*args, **kwargs):
            if next(count) == number:
                raise CrashError
            result = original(*args, **kwargs)
            if next(count) == number:
                raise CrashError
            return result

        return step

    for owner, name in STEPS:
        monkeypatch.setattr(owner, name, wrap(getattr(owner, name)))


def test_a_crash_at_any_step_leaves_what_a_second_build_completes(tmp_path, monkeypatch):
    def run(name, crash):
        scratch = tmp_path / name / "scratch"
        outputs = campaign_outputs(scratch)
        with vitrion.connect(home=tmp_path / name / "home") as db:
            db.structures.add(CRYSTAL, kind="crystal")
            crashed = False
            if crash is not None:
                with monkeypatch.context() as patch:
                    crash_at(patch, crash)
                    try:
                        build(db, outputs, scratch=scratch)
                    except CrashError:
                        crashed = True
            build(db, outputs, scratch=scratch)
            assert not list(scratch.rglob("*.h5md"))
            return dump(db), crashed

    undisturbed, _ = run("undisturbed", None)
    steps = 0
    while True:
        after, crashed = run(f"crash-{steps}", steps)
        assert after == undisturbed
        if not crashed:
            break
        steps += 1
    # 2 cells and 3 labels added, 2 trajectories put and stored, each before and after, and the scratch files removed.
    assert steps >= 2 * (2 + 3 + 2 + 2 + 2)


def test_a_label_waits_for_its_cell(database, tmp_path):
    lonely = label(cell(9), 1000.0)
    report = build(database, document("job-9", lonely), scratch=tmp_path)
    assert report.labels == ()
    assert "add it before its label" in report.refused["job-9"]
    assert (
        build(database, [document("job-8", cell(9)), document("job-9", lonely)], scratch=tmp_path).labels_created == 1
    )


@pytest.mark.parametrize("together", [True, False])
def test_a_label_of_a_cell_that_is_filed_under_a_neighbours_fingerprint_is_kept(database, tmp_path, together):
    boundary = (1000 - GRID_SHIFT) * FRACTIONAL_GRID
    sides = [
        Structure(Lattice.cubic(6), ["Li", "Cl"], [[boundary + side, 0.2, 0.3], [0.7, 0.6, 0.9]])
        for side in (-1e-9, 1e-9)
    ]
    stored, other = (
        cell(1).model_copy(update={"structure": side.as_dict(), "fingerprint": fingerprint(side)}) for side in sides
    )
    assert stored.fingerprint != other.fingerprint
    build(database, stored, scratch=tmp_path)
    outcome = label(other, 1000.0)
    for outputs in [[other, outcome]] if together else [[other], [outcome]]:
        report = build(database, outputs, scratch=tmp_path)
        assert not report.refused
    assert report.labels == (outcome_key(outcome),)
    assert database.labels.get(outcome_key(outcome)).structure_fingerprint == stored.fingerprint
    before = dump(database)
    assert build(database, [outcome, other], scratch=tmp_path).labels_created == 0
    assert dump(database) == before


def test_a_search_for_the_volume_is_stored_with_its_cell(database, tmp_path):
    points = tuple(VolumePoint(volume_A3=v, pressure_GPa=p, stderr_GPa=0.1) for v, p in ((140.0, 1.0), (160.0, -0.8)))
    search = VolumeRecord(temperature_K=1600.0, volume_A3=151.0, stderr_A3=1.2, points=points)
    build(database, [cell(1).model_copy(update={"volume": search}), cell(2)], scratch=tmp_path)
    assert VolumeRecord.model_validate(database.structures.get(cell(1).fingerprint).volume_search) == search
    assert database.structures.get(cell(2).fingerprint).volume_search is None


def test_a_trajectory_that_is_absent_or_another_is_reported_and_left(database, tmp_path):
    first = label(cell(1), 1000.0, trajectory="cd" * 32)
    report = build(database, [cell(1), first], scratch=tmp_path)
    assert report.labels_created == 1
    assert "does not exist" in report.missing[outcome_key(first)]
    path = tmp_path / outcome_key(first) / "trajectory.h5md"
    path.parent.mkdir()
    path.write_text("other frames")
    report = build(database, first, scratch=tmp_path)
    assert "sha256 differs" in report.missing[outcome_key(first)]
    assert path.exists()


def test_a_cell_that_is_not_the_one_it_claims_is_refused(database, tmp_path):
    forged = cell(1).model_copy(update={"fingerprint": "0" * 64})
    report = build(database, document("job-1", forged), scratch=tmp_path)
    assert report.structures == ()
    assert "fingerprint" in report.refused["job-1"]


def test_a_damaged_outcome_is_named():
    damaged = document("job-1", cell(1))
    damaged["output"]["density_g_cm3"] = "heavy"
    with pytest.raises(InputError, match=r"job job-1: its CellOutcome is damaged \(density_g_cm3"):
        outcomes_in(damaged)


def test_outcomes_survive_dumps_with_and_without_marks():
    outcome = label(cell(1), 1000.0)
    bare = json.loads(outcome.model_dump_json())
    marked = document("job", {"a": [outcome]})
    assert outcomes_in([bare, marked]) == [outcome, outcome]
    assert outcomes_in({"name": "neither", "list": [1, "two", None]}) == []


def test_a_label_from_another_start_is_another_label_and_says_so(database, tmp_path):
    ordinary = label(cell(1), 1000.0)
    start = StartRecord(kind="equilibrated_by", potential="wells", weights_sha256="ef" * 32, equilibration_ps=4.0)
    referee = ordinary.model_copy(update={"method": METHOD.model_copy(update={"start": start})})
    report = build(database, [document("job-1", [cell(1), ordinary, referee])], scratch=tmp_path)
    assert report.labels == (outcome_key(ordinary), outcome_key(referee))
    assert report.labels_created == 2
    first, second = (database.labels.get(key) for key in report.labels)
    assert first.start is None
    assert second.start == second.method.start
    assert (second.start.weights_sha256, second.start.equilibration_ps) == ("ef" * 32, 4.0)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda made: {"value": made.value * 3}, "interval"),
        (lambda _: {"unit": "m2/s"}, "unit"),
        (lambda _: {"value": float("nan")}, "value"),
    ],
)
def test_an_outcome_whose_number_cannot_be_is_refused(database, tmp_path, change, says):
    made = label(cell(1), 1000.0)
    report = build(database, document("job-1", [cell(1), made.model_copy(update=change(made))]), scratch=tmp_path)
    assert report.labels_created == 0
    assert says in report.refused["job-1"]
    assert build(database, [made], scratch=tmp_path).labels_created == 1


def test_an_outcome_of_an_older_version_leaves_its_question_open(database, tmp_path):
    source, scratch = cell(1), tmp_path / "scratch"
    build(database, source, scratch=scratch)
    made = label(source, 1000.0)
    report = build(database, document("job-1", made.model_copy(update={"gate_version": 0})), scratch=scratch)
    assert "gate version 0" in report.refused["job-1"]
    assert database.labels.count(superseded=None) == 0
    assert build(database, document("job-2", made), scratch=scratch).labels_created == 1
    # What was stored when that version was the installed one stays as it is, however often it is built.
    again = build(database, document("job-1", made.model_copy(update={"gate_version": 0})), scratch=scratch)
    assert (again.refused, again.labels_created) == ({}, 0)
