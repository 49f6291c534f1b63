"""Labels from files: our own outcomes as JSON, and tables of numbers as CSV; whole files or nothing."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from vitrion.database import Database, NotFoundError
from vitrion.database.queries.filters import parsed_formula
from vitrion.database.records import ImportedLabel
from vitrion.database.repositories.labels import statement_faults
from vitrion.datasets.conventions import REASONS, einstein_factor
from vitrion.datasets.fetching import sha256_of
from vitrion.ingest.formats.tables import table_rows
from vitrion_models.errors import InputError
from vitrion_workflows.labelling.statement import TRACER_DIFFUSIVITY, stated_faults
from vitrion_workflows.schemas import Convention, LabelOutcome, LabelState, gate_version_fault, outcome_key

NEEDED = ("composition", "property", "species", "temperature_K", "value", "unit", "convention", "potential")
# What decides what the number of an outcome means; a file may not leave it to a default.
STATED = ("property", "convention", "unit", "species", "temperature_K", "state", "schema_version")
OPTIONAL = ("lower_95", "upper_95", "log10_stderr", "state", "reference")
SHORT = 12
# A table has no run behind it whose gates could have accepted anything.
STATES = tuple(state.value for state in LabelState if state is not LabelState.ACCEPTED)


@dataclass(frozen=True)
class LabelFileReport:
    """What became of the labels of files.

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

    A JSON file holds one `LabelOutcome` or a list of them. A CSV table holds numbers alone: such labels are stored as
    imported ones, another quantity. Unit, convention, interval and size of both are checked.

    Args:
        db: where to.
        paths: ``.json`` or ``.csv``.

    Raises:
        InputError: a file cannot be read, a label in it is refused, or a table of that name with other content was
            stored before; nothing is stored then.
        NotFoundError: the structure of an outcome is not in the database.
    """
    found = [label for path in paths for label in read_labels(path)]
    _require_same_tables(db, {(one.dataset, one.weights_sha256) for one in found if isinstance(one, ImportedLabel)})
    cells: dict[str, str | None] = {}
    for label in found:
        if isinstance(label, ImportedLabel):
            continue
        # A cell may be stored under the name that it had across a rounding boundary.
        cells[label.structure_fingerprint] = name = db.structures.resolve(label.structure_fingerprint)
        if name is None:
            raise NotFoundError(f"label {outcome_key(label)[:SHORT]}: its structure is not in the database")
    added = [
        db.labels.add_imported(label)
        if isinstance(label, ImportedLabel)
        else db.labels.add(label, structure=cells[label.structure_fingerprint])
        for label in found
    ]
    return LabelFileReport(
        files=len(paths),
        labels=len(found),
        created=sum(one.created for one in added),
        replaced=sum(one.replaced for one in added),
    )


def _require_same_tables(db: Database, tables: Collection[tuple[str, str]]) -> None:
    # A table is known by all of its content: with one row more, every row would be stored a second time.
    for name, digest in tables:
        known = {row.weights_sha256 for row in db.labels.search(dataset=name)} | {
            other for same, other in tables if same == name
        }
        if known != {digest}:
            raise InputError(
                f"there is a table {name} with other content already: put what is new into a file of another name"
            )


def read_labels(path: Path) -> list[LabelOutcome | ImportedLabel]:
    """The labels of one file, checked.

    Raises:
        InputError: no such file, unknown format, no labels, or one that is refused; the message names its row.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # Excel begins a CSV with a byte-order mark
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} cannot be read as text ({str(error).splitlines()[0]})") from error
    readers = {".json": _outcomes, ".csv": _table}
    if path.suffix.lower() not in readers:
        raise InputError(f"{path}: labels are read from .json (outcomes of jobs) and .csv (tables of numbers)")
    found = readers[path.suffix.lower()](path, text)
    if not found:
        raise InputError(f"{path} holds no label")
    return found


def _outcomes(path: Path, text: str) -> list[LabelOutcome | ImportedLabel]:
    try:
        content = json.loads(text, object_pairs_hook=_said_once)
    except ValueError as error:
        raise InputError(f"{path} is no JSON ({error})") from error
    rows = content if isinstance(content, list) else [content]
    if not all(isinstance(row, dict) for row in rows):
        raise InputError(f"{path} holds something else than labels: give one object, or a list of them")
    return [_outcome(row, source=f"{path}, label {number}") for number, row in enumerate(rows, start=1)]


def _outcome(content: Mapping[str, Any], *, source: str) -> LabelOutcome:
    if missing := [name for name in STATED if content.get(name) is None]:
        raise InputError(f"{source}: a label must state its {', '.join(missing)}")
    try:
        outcome = LabelOutcome.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{source}: no whole label ({'.'.join(map(str, first['loc']))}: {first['msg']})") from error
    if foreign := gate_version_fault(outcome):
        raise InputError(f"{source}: the label {foreign}")
    if faults := statement_faults(outcome):
        raise InputError(f"{source}: {faults[0]}")
    return outcome


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    names = [name for name, _ in pairs]
    if twice := sorted(name for name in set(names) if names.count(name) > 1):
        raise ValueError(f"it says {twice[0]!r} twice")
    return dict(pairs)


def _table(path: Path, text: str) -> list[LabelOutcome | ImportedLabel]:
    try:
        header, rows = table_rows(text)
    except ValueError as fault:
        raise InputError(f"{path} is no table of labels ({fault}): mend it") from fault
    names = set(header)
    if missing := [name for name in NEEDED if name not in names]:
        raise InputError(f"{path} has no column {', '.join(missing)}: a table of labels needs {', '.join(NEEDED)}")
    if unknown := sorted(name for name in names - {*NEEDED, *OPTIONAL}):
        raise InputError(f"{path}: unknown column {unknown[0]!r}: known are {', '.join((*NEEDED, *OPTIONAL))}")
    digest = sha256_of(path)
    whole = [dict.fromkeys(header, "") | row for row in rows]
    return [_imported(row, path=path, number=number, sha256=digest) for number, row in enumerate(whole, start=1)]


def _imported(row: Mapping[str, Any], *, path: Path, number: int, sha256: str) -> ImportedLabel:
    source = f"{path}, row {number}"
    if empty := [name for name in NEEDED if not row[name]]:
        raise InputError(f"{source}: {', '.join(empty)} is empty: a label must state it")
    diffusivity = row["property"] == TRACER_DIFFUSIVITY
    factor = einstein_factor(row["convention"], source=source) if diffusivity else 1.0
    value = _number(row, "value", source)
    if row["species"] not in {element.symbol for element in parsed_formula(row["composition"])}:
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
        raise InputError(f"{source}: state {state!r} is none of {', '.join(STATES)}")
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
    except (TypeError, ValueError):
        raise InputError(f"{source}: {name} {row[name]!r} is no number") from None
