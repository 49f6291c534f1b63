"""Ingest of public data sets: everything is read and checked before anything is written."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from vitrion.database import Database
from vitrion.database.records import ImportedLabel
from vitrion.database.repositories.new_structures import NewStructure
from vitrion.datasets import (
    CompositionRecord,
    CurveRecord,
    DatasetContent,
    DatasetLabel,
    DatasetStructure,
    fetch,
    materials_project,
    specification,
)
from vitrion.datasets.materials_project import Client
from vitrion.datasets.specification import combined_sha256
from vitrion.ingest.files import Progress
from vitrion.ingest.interruption import count_stored
from vitrion_workflows.schemas import Origin

_PROPERTY_FIELDS = {"band_gap_eV": "band_gap_eV", "e_above_hull_eV": "energy_above_hull_eV_per_atom"}


@dataclass(frozen=True)
class DatasetReport:
    """Result of ingesting a data set.

    Attributes:
        name: registry name.
        sha256: identity of its content.
        structures, structures_created: records with geometry, and those the database did not have.
        labels, labels_created: numbers, likewise.
        label_states: how many labels of each state.
        compositions, curves: records of the tables.
        tables: name of a table -> sha256 of its artefact (JSON).
        refused: record -> why it was refused.
        notes: what a reader must know.
    """

    name: str
    sha256: str
    structures: int
    structures_created: int
    labels: int
    labels_created: int
    label_states: dict[str, int]
    compositions: int
    curves: int
    tables: dict[str, str]
    refused: dict[str, str]
    notes: tuple[str, ...] = field(default=())


def ingest_dataset(
    db: Database,
    name: str,
    *,
    mirror: Path | None = None,
    cache: Path | None = None,
    on_progress: Progress | None = None,
) -> DatasetReport:
    """Fetch, read and store a registered data set; a second time adds nothing.

    Args:
        db: the database.
        name: registry name.
        mirror: folder that holds the files already; see `vitrion.datasets.fetch`.
        cache: where downloads are kept.
        on_progress: called as ``(done, total, what)``.

    Raises:
        InputError: no such data set, a file that cannot be fetched or has another sha256, or unexpected content. The
            database is unchanged.
    """
    dataset = specification(name)
    fetched = fetch(dataset, mirror=mirror, cache=cache, on_progress=_named(on_progress, "fetching"))
    content = dataset.loader(fetched)
    urls = {file.url.rsplit("/", maxsplit=1)[0] for file in dataset.files}
    return store_content(
        db,
        content,
        name=name,
        sha256=dataset.sha256,
        licence=dataset.licence,
        citation=dataset.citation,
        url=min(urls, default=None),
        on_progress=on_progress,
    )


def ingest_materials_project(
    db: Database,
    *,
    chemsys: str,
    client: Client | None = None,
    on_progress: Progress | None = None,
) -> DatasetReport:
    """Store every material of a chemical system from the Materials Project.

    Args:
        db: the database.
        chemsys: elements joined by hyphens.
        client: see `vitrion.datasets.materials_project.load`.
        on_progress: called as ``(done, total, what)``.

    Raises:
        InputError: no key, no answer, or no material.
        MissingDependencyError: mp-api is not installed.
    """
    content = materials_project.load(chemsys=chemsys, client=client)
    names = (f"{record.name}:{json.dumps(dict(record.properties), sort_keys=True)}" for record in content.structures)
    return store_content(
        db,
        content,
        name=f"{materials_project.NAME}:{chemsys}",
        sha256=combined_sha256(names),
        licence=materials_project.LICENCE,
        citation=materials_project.CITATION,
        url="https://materialsproject.org",
        on_progress=on_progress,
    )


def store_content(
    db: Database,
    content: DatasetContent,
    *,
    name: str,
    sha256: str,
    licence: str,
    citation: str,
    url: str | None = None,
    on_progress: Progress | None = None,
) -> DatasetReport:
    """Write a loader's records: structures, then labels, then tables, then the data set that names them.

    Every step is idempotent: an interrupted ingest is completed by running it again.
    """
    with count_stored(db):
        added = db.structures.add_many(_new_structure(record, name) for record in content.structures)
        fingerprints = {
            record.name: result.fingerprint for record, result in zip(content.structures, added, strict=True)
        }
        keys: dict[str, str] = {}
        labels_created = 0
        for count, record in enumerate(content.labels):
            label = _imported_label(record, fingerprints, dataset=name, sha256=sha256, number=count)
            result = db.labels.add_imported(label)
            keys[record.name] = result.key
            labels_created += result.created
            if on_progress is not None:
                on_progress(count + 1, len(content.labels), "labels")
    report = DatasetReport(
        name=name,
        sha256=sha256,
        structures=len(added),
        structures_created=sum(result.created for result in added),
        labels=len(content.labels),
        labels_created=labels_created,
        label_states=_counted(content.labels),
        compositions=len(content.compositions),
        curves=len(content.curves),
        tables=_store_tables(db, content, name),
        refused=dict(content.refused),
        notes=content.notes,
    )
    db.datasets.add(
        name,
        sha256=sha256,
        licence=licence,
        citation=citation,
        rows=content.rows,
        url=url,
        splits=_by_identity(content.splits, keys, fingerprints),
        report={key: value for key, value in asdict(report).items() if not key.endswith("_created")},
    )
    return report


def candidate_pool(db: Database, name: str = "li-mp-candidates") -> list[CompositionRecord]:
    """Return the compositions of an ingested pool.

    Raises:
        NotFoundError: the data set was not ingested.
    """
    return [CompositionRecord(**row) for row in _table(db, name, "compositions")]


def radial_distributions(db: Database, name: str = "dft-rdf") -> list[CurveRecord]:
    """Return the curves of an ingested set of radial distribution functions.

    Raises:
        NotFoundError: the data set was not ingested.
    """
    return [
        CurveRecord(
            **row
            | {
                "r_A": tuple(row["r_A"]),
                "partials": {pair: tuple(values) for pair, values in row["partials"].items()},
            },
        )
        for row in _table(db, name, "curves")
    ]


def _table(db: Database, name: str, table: str) -> list[dict[str, Any]]:
    report = db.datasets.get(name).report or {}
    rows: list[dict[str, Any]] = json.loads(db.artefacts.get(report["tables"][table])) if report["tables"] else []
    return rows


def _store_tables(db: Database, content: DatasetContent, name: str) -> dict[str, str]:
    tables = {
        "compositions": [asdict(record) for record in content.compositions],
        "curves": [asdict(record) for record in content.curves],
    }
    return {
        table: db.artefacts.put(json.dumps(rows, sort_keys=True).encode(), name=f"{name}-{table}.json")
        for table, rows in tables.items()
        if rows
    }


def _new_structure(record: DatasetStructure, dataset: str) -> NewStructure:
    properties = {column: record.properties.get(key) for key, column in _PROPERTY_FIELDS.items()}
    return NewStructure(
        cell=record.structure,
        kind=record.kind.value,
        origin=Origin.IMPORTED.value,
        gates=record.gates,
        fields=properties
        | {"dataset": dataset, "source": record.properties.get("reference") or f"{dataset}:{record.name}"},
    )


def _imported_label(
    record: DatasetLabel,
    fingerprints: Mapping[str, str],
    *,
    dataset: str,
    sha256: str,
    number: int,
) -> ImportedLabel:
    return ImportedLabel(
        property=record.property,
        species=record.species,
        temperature_K=record.temperature_K,
        state=record.state,
        value=record.value,
        unit=record.unit,
        convention=record.convention,
        potential=record.potential,
        weights_sha256=sha256,
        dataset=dataset,
        record=number,
        structure_fingerprint=None if record.structure is None else fingerprints[record.structure],
        composition=record.formula if record.structure is None else None,
        gates=record.gates,
        source="; ".join(part for part in (f"{dataset}:{record.name}", record.method, record.reference) if part),
        source_value=record.raw_value,
        conversion_factor=record.factor,
        conversion=record.factor_reason or None,
    )


def _by_identity(
    splits: Mapping[str, Mapping[str, str]],
    keys: Mapping[str, str],
    fingerprints: Mapping[str, str],
) -> dict[str, dict[str, str]]:
    """Return the splits by label key, or by fingerprint for structures without a label."""
    return {
        split: {keys.get(name) or fingerprints[name]: part for name, part in parts.items()}
        for split, parts in splits.items()
    }


def _counted(labels: tuple[DatasetLabel, ...]) -> dict[str, int]:
    states = [label.state.value for label in labels]
    return {state: states.count(state) for state in sorted(set(states))}


def _named(on_progress: Progress | None, what: str) -> Any:
    if on_progress is None:
        return None
    return lambda done, total: on_progress(done, total, what)
