"""Labels from files: exports of a database, outcomes of jobs, tables of published numbers; whole files or nothing."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vitrion.database import Database, NotFoundError
from vitrion.database.records import ImportedLabel, LabelRecord
from vitrion.datasets.fetching import sha256_of
from vitrion.exchange.tables import check_number_cells, label_from_row, read_rows
from vitrion.ingest.interruption import count_stored
from vitrion.ingest.published import published_label, table_layout
from vitrion_models.errors import InputError
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.labelling.statement import label_faults
from vitrion_workflows.schemas import LabelOutcome, gate_version_fault

# Fields that decide what the number of an outcome means; a file may not leave them to a default.
STATED = ("property", "convention", "unit", "species", "temperature_K", "state", "schema_version")


@dataclass(frozen=True)
class LabelFileReport:
    """Result of ingesting label files.

    Attributes:
        files: how many were read.
        labels: how many labels they hold.
        created: how many of them the database did not have.
        replaced: how many took the place of one of an older gate version.
        remarks: columns that were left out.
    """

    files: int
    labels: int
    created: int
    replaced: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class LabelFile:
    """Labels of one file, and what a user should know about its reading."""

    labels: tuple[LabelOutcome | ImportedLabel | LabelRecord, ...]
    remarks: tuple[str, ...] = ()


def ingest_labels(
    db: Database,
    paths: Sequence[Path],
    *,
    columns: Mapping[str, str] | None = None,
    constants: Mapping[str, str] | None = None,
) -> LabelFileReport:
    """Read and check every file, then store all labels.

    Labels that `vitrion labels export` or `labels list --json` wrote come back unchanged. Tables of numbers alone are
    stored as published values. Unit, convention, interval and size are checked.

    Args:
        db: where to.
        paths: tables (`vitrion.exchange.tables.read_rows`).
        columns: of tables of numbers: header -> the declaration that it stands for.
        constants: of tables of numbers: fields that are the same in each row.

    Raises:
        InputError: a file cannot be read, a label in it is refused, or a table of that name with other content was
            stored before; nothing is stored then.
        NotFoundError: the structure of a label is not in the database.
    """
    files = {path: read_labels(path, columns=columns, constants=constants) for path in paths}
    labels = [
        (f"{path}, row {number}", label)
        for path, file in files.items()
        for number, label in enumerate(file.labels, start=1)
    ]
    _require_same_tables(
        db, {(each.dataset, each.weights_sha256) for _, each in labels if isinstance(each, ImportedLabel)}
    )
    records = [_record(db, label, source=source) for source, label in labels]
    with count_stored(db):
        added = [db.labels.store(record) for record in records]
    return LabelFileReport(
        files=len(paths),
        labels=len(labels),
        created=sum(each.created for each in added),
        replaced=sum(each.replaced for each in added),
        remarks=tuple(f"{path}: {remark}" for path, file in files.items() for remark in file.remarks),
    )


def _record(db: Database, label: LabelOutcome | ImportedLabel | LabelRecord, *, source: str) -> LabelRecord:
    structure = db.structures.resolve(label.structure_fingerprint) if label.structure_fingerprint else None
    if label.structure_fingerprint and structure is None:
        raise NotFoundError(
            f"{source}: no structure {label.structure_fingerprint} in the database: add it before its labels"
        )
    try:
        if isinstance(label, LabelRecord):
            return db.labels.record_of_export(label, structure=structure)
        if isinstance(label, ImportedLabel):
            return db.labels.record_of_import(label)
        return db.labels.record_of_outcome(label, structure=structure)
    except InputError as error:
        raise InputError(f"{source}: {error}") from error


def _require_same_tables(db: Database, tables: Collection[tuple[str, str]]) -> None:
    # The identity of a row is the sha256 of its table: with one row more, every row would be stored a second time.
    for name, digest in tables:
        stored = {row["weights_sha256"] for row in db.labels.table(["weights_sha256"], dataset=name)}
        if stored | {other for same, other in tables if same == name} != {digest}:
            raise InputError(f"a different version of table {name} is already imported: rename the new file")


def read_labels(
    path: Path, *, columns: Mapping[str, str] | None = None, constants: Mapping[str, str] | None = None
) -> LabelFile:
    """Read the labels of one file: exported labels (with a key), outcomes of jobs (with a protocol), or numbers.

    Args:
        path: the table.
        columns: of a table of numbers: header -> declaration (`table_layout`).
        constants: of a table of numbers: fields that are the same in each row.

    Raises:
        InputError: no table, or a row that is refused; the message names it.
    """
    rows = read_rows(path)
    if all("key" in row for row in rows):
        return LabelFile(
            tuple(label_from_row(row, source=f"{path}, row {number}") for number, row in enumerate(rows, start=1))
        )
    if all("structure_fingerprint" in row for row in rows):
        return LabelFile(
            tuple(_outcome(row, source=f"{path}, row {number}") for number, row in enumerate(rows, start=1))
        )
    with naming(path):
        layout = table_layout(
            list(dict.fromkeys(name for row in rows for name in row)), columns=columns, constants=constants
        )
    digest = sha256_of(path)
    labels = tuple(
        published_label(row, layout, path=path, number=number, sha256=digest)
        for number, row in enumerate(rows, start=1)
    )
    remarks = (f"columns left out: {', '.join(layout.ignored)}",) if layout.ignored else ()
    return LabelFile(labels, remarks)


def _outcome(content: Mapping[str, Any], *, source: str) -> LabelOutcome:
    if missing := [name for name in STATED if content.get(name) is None]:
        raise InputError(f"{source}: a label must state its {', '.join(missing)}")
    with naming(source):
        check_number_cells(content, LabelOutcome)
    try:
        outcome = LabelOutcome.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{source}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    if fault := gate_version_fault(outcome):
        raise InputError(f"{source}: the label {fault}")
    if faults := label_faults(outcome):
        raise InputError(f"{source}: {faults[0]}")
    return outcome
