"""Labels from files: exports of a database, outcomes of jobs, tables of published numbers; whole files or nothing.

No run stands behind a published number whose gates could have accepted it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vitrion.database import Database, NotFoundError
from vitrion.database.records import ImportedLabel, LabelRecord
from vitrion.datasets.conventions import REASONS, einstein_factor
from vitrion.datasets.fetching import sha256_of
from vitrion.exchange.tables import label_from_row, read_rows
from vitrion_models.errors import InputError
from vitrion_workflows.labelling.statement import TRACER_DIFFUSIVITY, label_faults, stated_faults
from vitrion_workflows.schemas import Convention, LabelOutcome, LabelState, gate_version_fault
from vitrion_workflows.structure.composition import parse_formula

NEEDED = ("composition", "property", "species", "temperature_K", "value", "unit", "convention", "potential")
OPTIONAL = ("lower_95", "upper_95", "log10_stderr", "state", "reference")
TEXT = ("composition", "property", "species", "unit", "convention", "potential", "state", "reference")
STATES = tuple(state.value for state in LabelState if state is not LabelState.ACCEPTED)


def published_label(row: Mapping[str, Any], *, path: Path, number: int, sha256: str) -> ImportedLabel:
    """Return the label of a row of numbers, a diffusivity converted to the Einstein convention.

    Args:
        row: the columns `NEEDED`, and of `OPTIONAL` what is known; text or numbers.
        path: the table.
        number: of the row, from 1; with `sha256` the label's identity.
        sha256: of the table.

    Raises:
        InputError: a column is unknown or missing, or holds a value that the quantity cannot have.
    """
    source = f"{path}, row {number}"
    if missing := [name for name in NEEDED if row.get(name) in (None, "")]:
        raise InputError(
            f"{source}: {', '.join(missing)} is empty or missing: a table of labels needs {', '.join(NEEDED)}"
        )
    if unknown := sorted(row.keys() - {*NEEDED, *OPTIONAL}):
        raise InputError(f"{source}: unknown column {unknown[0]!r}: known are {', '.join((*NEEDED, *OPTIONAL))}")
    if not_text := [name for name in TEXT if not isinstance(row.get(name) or "", str)]:
        raise InputError(f"{source}: {not_text[0]} {row[not_text[0]]!r} is not text")
    diffusivity = row["property"] == TRACER_DIFFUSIVITY
    factor = einstein_factor(row["convention"], source=source) if diffusivity else 1.0
    value = _number(row, "value", source)
    try:
        composition = parse_formula(row["composition"])
    except InputError as error:
        raise InputError(f"{source}: {error}") from error
    if row["species"] not in composition.get_el_amt_dict():
        raise InputError(f"{source}: species {row['species']!r} is not in {row['composition']}")
    stated: dict[str, Any] = {
        "species": row["species"],
        "temperature_K": _number(row, "temperature_K", source),
        "value": value * factor,
        "unit": row["unit"],
        "convention": Convention.EINSTEIN_3D.value if diffusivity else row["convention"],
        "interval_95": _interval(row, factor=factor, source=source),
        "log10_stderr": _number(row, "log10_stderr", source) if row.get("log10_stderr") else None,
    }
    if faults := stated_faults(property_name=row["property"], **stated):
        raise InputError(f"{source}: {faults[0]}")
    state = row.get("state") or LabelState.PUBLISHED.value
    if state not in STATES:
        raise InputError(f"{source}: state {state!r} is not one of {', '.join(STATES)}")
    return ImportedLabel(
        property=row["property"],
        state=LabelState(state),
        potential=row["potential"],
        weights_sha256=sha256,
        dataset=path.name,
        record=number,
        composition=row["composition"],
        source=row.get("reference") or f"{path.name}:{number}",
        source_value=value,
        conversion_factor=factor,
        conversion=REASONS[Convention(row["convention"])] or None if diffusivity else None,
        **stated,
    )


def _interval(row: Mapping[str, Any], *, factor: float, source: str) -> tuple[float, float] | None:
    given = [name for name in ("lower_95", "upper_95") if row.get(name)]
    if not given:
        return None
    if len(given) == 1:
        raise InputError(f"{source}: {given[0]} is half an interval: give both ends, or none")
    return _number(row, "lower_95", source) * factor, _number(row, "upper_95", source) * factor


def _number(row: Mapping[str, Any], name: str, source: str) -> float:
    try:
        return float(row[name])
    except (TypeError, ValueError, OverflowError):
        raise InputError(f"{source}: {name} {row[name]!r} is not a number") from None


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
    """

    files: int
    labels: int
    created: int
    replaced: int


def ingest_labels(db: Database, paths: Sequence[Path]) -> LabelFileReport:
    """Read and check every file, then store all labels.

    Labels that `vitrion labels export` or `labels list --json` wrote come back unchanged. Tables of numbers alone are
    stored as published values. Unit, convention, interval and size are checked.

    Args:
        db: where to.
        paths: ``.json``, ``.jsonl`` or ``.csv``.

    Raises:
        InputError: a file cannot be read, a label in it is refused, or a table of that name with other content was
            stored before; nothing is stored then.
        NotFoundError: the structure of a label is not in the database.
    """
    labels = [
        (f"{path}, row {number}", label) for path in paths for number, label in enumerate(read_labels(path), start=1)
    ]
    _require_same_tables(
        db, {(each.dataset, each.weights_sha256) for _, each in labels if isinstance(each, ImportedLabel)}
    )
    records = [_record(db, label, source=source) for source, label in labels]
    added = [db.labels.store(record) for record in records]
    return LabelFileReport(
        files=len(paths),
        labels=len(labels),
        created=sum(each.created for each in added),
        replaced=sum(each.replaced for each in added),
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


def read_labels(path: Path) -> list[LabelOutcome | ImportedLabel | LabelRecord]:
    """Read the labels of one file: exported labels (with a key), outcomes of jobs (with a protocol), or numbers.

    Raises:
        InputError: no table, or a row that is refused; the message names it.
    """
    digest = sha256_of(path) if path.is_file() else ""
    labels: list[LabelOutcome | ImportedLabel | LabelRecord] = []
    for number, row in enumerate(read_rows(path), start=1):
        source = f"{path}, row {number}"
        if "key" in row:
            labels.append(label_from_row(row, source=source))
        elif "structure_fingerprint" in row:
            labels.append(_outcome(row, source=source))
        else:
            labels.append(published_label(row, path=path, number=number, sha256=digest))
    return labels


def _outcome(content: Mapping[str, Any], *, source: str) -> LabelOutcome:
    if missing := [name for name in STATED if content.get(name) is None]:
        raise InputError(f"{source}: a label must state its {', '.join(missing)}")
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
