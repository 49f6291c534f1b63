"""The builder: the only way from a job to a document, which may be interrupted anywhere and run again.

For each outcome it stores the trajectory in the artefact store, writes the document, and removes the scratch file. Each
step is idempotent (artefacts by content, documents by their unique identity), and nothing is removed before what needs
it is stored. After a crash at any point, a second run leaves the documents that one undisturbed run leaves.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self

import numpy as np

from vitrion.database import Database, NotFoundError
from vitrion.database.errors import translate_errors
from vitrion.ingest.interruption import count_stored
from vitrion.ingest.outcomes import DamagedOutcome, JobOutcome, find_outcomes
from vitrion.keys import short_key
from vitrion.settings import Settings
from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.json.pymatgen import structure_from_dict
from vitrion_workflows.schemas import (
    CellOutcome,
    LabelOutcome,
    StructureKind,
    fingerprint,
    gate_version_fault,
    outcome_key,
)

TRAJECTORY = "trajectory.h5md"
DOCUMENTS_AT_ONCE = 200


@dataclass(frozen=True)
class BuildReport:
    """Result of a build.

    Attributes:
        structures: fingerprints of the cells, in order.
        labels: keys of the labels, in order.
        structures_created, labels_created: how many of them the database did not have.
        labels_replaced: how many labels took the place of one of an older gate version.
        trajectories: how many trajectories were moved into the artefact store.
        missing: label key -> why its trajectory is not in the artefact store.
        refused: job -> why an outcome of it was left out.
    """

    structures: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    structures_created: int = 0
    labels_created: int = 0
    labels_replaced: int = 0
    trajectories: int = 0
    missing: dict[str, str] = field(default_factory=dict)
    refused: dict[str, str] = field(default_factory=dict)

    def __add__(self, other: "BuildReport") -> "BuildReport":
        return BuildReport(
            structures=self.structures + other.structures,
            labels=self.labels + other.labels,
            structures_created=self.structures_created + other.structures_created,
            labels_created=self.labels_created + other.labels_created,
            labels_replaced=self.labels_replaced + other.labels_replaced,
            trajectories=self.trajectories + other.trajectories,
            missing=self.missing | other.missing,
            refused=self.refused | other.refused,
        )

    def require_all(self) -> Self:
        """Return this report if no outcome was left out.

        Raises:
            InputError: with the first reason.
        """
        if self.refused:
            job, reason = next(iter(self.refused.items()))
            more = f" (and {len(self.refused) - 1} more)" if len(self.refused) > 1 else ""
            raise InputError(f"job {job} was run and not stored: {reason}{more}")
        return self


@dataclass(frozen=True)
class Provenance:
    """Campaign, cycle and arm that requested the outcomes, if any."""

    campaign: str | None = None
    cycle: int | None = None
    arm: str | None = None


def build(
    db: Database,
    outputs: Any,
    *,
    campaign: str | None = None,
    cycle: int | None = None,
    arm: str | None = None,
    scratch: Path | None = None,
) -> BuildReport:
    """Turn outcomes of jobs into documents, once each.

    Cells are stored before labels, whatever their order in the outputs.

    Args:
        db: the database.
        outputs: JobStore documents, outcomes, or lists and mappings of them.
        campaign: name of the campaign that requested them.
        cycle: its cycle.
        arm: the arm that selected a label.
        scratch: folder with one subfolder a label key; that of the settings when None.

    Returns:
        Numbers of documents stored, and what was left out.

    Raises:
        DatabaseError: the database cannot be written.
    """
    provenance = Provenance(campaign=campaign, cycle=cycle, arm=arm)
    entries = find_outcomes(outputs)
    outcomes = [entry for entry in entries if isinstance(entry, JobOutcome)]
    folder = scratch if scratch is not None else Settings().scratch
    report = BuildReport(refused={_job(entry): entry.reason for entry in entries if isinstance(entry, DamagedOutcome)})
    for each in outcomes:
        if isinstance(each.outcome, CellOutcome):
            report += _add_cell(db, each, each.outcome, provenance)
    for each in outcomes:
        if isinstance(each.outcome, LabelOutcome):
            report += _add_label(db, each, each.outcome, provenance, folder)
    return report


def build_from_job_store(
    db: Database,
    job_store: Any,
    *,
    where: str = "the JobStore",
    campaign: str | None = None,
    scratch: Path | None = None,
) -> BuildReport:
    """Build from every document of a JobStore with an outcome that the database does not hold yet.

    Args:
        db: the database.
        job_store: jobflow's, connected.
        where: the JobStore's name in messages.
        campaign: name of the campaign that requested the outcomes.
        scratch: folder with one subfolder a label key; that of the settings when None.

    Raises:
        DatabaseError: the JobStore cannot be read, or the database cannot be written.
    """
    report = BuildReport()
    with count_stored(db):
        for documents in _unread(db, job_store, where):
            report += build(db, documents, campaign=campaign, scratch=scratch)
    return report


def _unread(db: Database, job_store: Any, where: str) -> Iterator[list[dict[str, Any]]]:
    # Cells first and labels later in time: a label's cell comes in an earlier batch or in its own.
    with translate_errors(where):
        stored = list(
            job_store.query({"uuid": {"$type": "string"}}, properties=["uuid", "index", "completed_at"], load=False)
        )
    ended = sorted((str(row.get("completed_at")), row["uuid"]) for row in stored)
    jobs = list(dict.fromkeys(uuid for _, uuid in ended))
    for start in range(0, len(jobs), DOCUMENTS_AT_ONCE):
        batch = jobs[start : start + DOCUMENTS_AT_ONCE]
        with translate_errors(where):
            documents = list(job_store.query({"uuid": {"$in": batch}}, load=True))
        documents.sort(key=partial(_place, {uuid: place for place, uuid in enumerate(batch)}))
        yield [document for document in documents if not _is_built(db, document)]


def _place(jobs: Mapping[str, int], row: Mapping[str, Any]) -> tuple[int, int]:
    index = row.get("index")
    return jobs[row["uuid"]], index if isinstance(index, int) else 0


def _is_built(db: Database, document: dict[str, Any]) -> bool:
    # By the outcomes, not by the job: a crash may have come between two outcomes of one job.
    return all(_holds(db, entry) for entry in find_outcomes(document))


def _holds(db: Database, entry: JobOutcome | DamagedOutcome) -> bool:
    if isinstance(entry, DamagedOutcome):
        return False
    if isinstance(entry.outcome, LabelOutcome):
        return db.labels.holds(entry.outcome)
    return db.structures.resolve(entry.outcome.fingerprint) is not None


def _add_cell(db: Database, entry: JobOutcome, outcome: CellOutcome, provenance: Provenance) -> BuildReport:
    try:
        with np.errstate(all="ignore"):  # a lattice without volume is found by what follows from it
            structure = structure_from_dict(outcome.structure)
            actual = fingerprint(structure)
    except (LookupError, TypeError, ValueError, ArithmeticError) as fault:
        return BuildReport(refused={_job(entry): f"its cell cannot be read: {first_line(fault)}"})
    if actual != outcome.fingerprint:
        return BuildReport(refused={_job(entry): f"its cell does not have the fingerprint {outcome.fingerprint}"})
    method = outcome.method.model_dump(mode="json") if outcome.method else None
    protocol = outcome.protocol.model_dump(mode="json") if outcome.protocol else None
    added = db.structures.add(
        structure,
        kind=outcome.kind,
        origin=outcome.origin,
        gates=outcome.gates,
        force_check=outcome.force_check,
        reference_force_eV_per_A=outcome.force_check.greatest_reference_eV_per_A if outcome.force_check else None,
        homonuclear_bonds=outcome.homonuclear_bonds,
        unexpected_bonds=outcome.unexpected_bonds,
        parent=outcome.parent_fingerprint,
        twin=_twin(db, outcome),
        energy_eV_per_atom=outcome.energy_eV_per_atom,
        pressure_GPa=outcome.pressure_GPa,
        quench_rate_K_per_ps=outcome.quench_rate_K_per_ps,
        volume_search=outcome.volume.model_dump(mode="json") if outcome.volume else None,
        volumes=outcome.volumes.model_dump(mode="json") if outcome.volumes else None,
        model_version=outcome.model_version,
        protocol=protocol,
        method=method,
        seed=outcome.seed,
        wall_seconds=outcome.wall_seconds,
        device=outcome.device,
        job=entry.job,
        flow=entry.flow,
        campaign=provenance.campaign,
        cycle=provenance.cycle,
    )
    return BuildReport(structures=(added.fingerprint,), structures_created=int(added.created))


def _twin(db: Database, outcome: CellOutcome) -> str | None:
    """Return the crystal of the database that the cell was made from, if any."""
    if outcome.parent_fingerprint is None:
        return None
    try:
        parent = db.structures.get(outcome.parent_fingerprint)
    except NotFoundError:
        return None
    return parent.fingerprint if parent.kind == StructureKind.CRYSTAL else parent.twin


def _add_label(
    db: Database,
    entry: JobOutcome,
    outcome: LabelOutcome,
    provenance: Provenance,
    scratch: Path,
) -> BuildReport:
    key = outcome_key(outcome)
    # Not stored as rejected, which would count as finished: the recomputed label has the same key.
    if (foreign := gate_version_fault(outcome)) and not db.labels.find([key]):
        return BuildReport(refused={_job(entry): f"its label {short_key(key)} {foreign}"})
    path = scratch / key / TRAJECTORY
    moved, missing = _keep_trajectory(db, outcome.trajectory_sha256, path)
    structure = db.structures.resolve(outcome.structure_fingerprint)
    try:
        added = db.labels.add(
            outcome,
            structure=structure,
            job=entry.job,
            flow=entry.flow,
            campaign=provenance.campaign,
            cycle=provenance.cycle,
            arm=provenance.arm,
        )
    except (NotFoundError, InputError) as fault:
        return BuildReport(refused={_job(entry): str(fault)})
    if missing is None:
        path.unlink(missing_ok=True)
    return BuildReport(
        labels=(added.key,),
        labels_created=int(added.created),
        labels_replaced=int(added.replaced),
        trajectories=int(moved),
        missing={} if missing is None else {key: missing},
    )


def _keep_trajectory(db: Database, sha256: str | None, path: Path) -> tuple[bool, str | None]:
    """Return True if a trajectory was put into the artefact store, and why it is missing there, if it is."""
    if sha256 is None or db.artefacts.exists(sha256):
        return False, None
    if not path.is_file():
        return False, f"{path} does not exist"
    with path.open("rb") as stream:
        actual = hashlib.file_digest(stream, "sha256").hexdigest()
    if actual != sha256:
        return False, f"{path} is not the trajectory that was analysed: its sha256 differs"
    db.artefacts.put(path, name=f"{path.parent.name}/{path.name}")
    return True, None


def _job(entry: JobOutcome | DamagedOutcome) -> str:
    return entry.job or "outcome without a job"
