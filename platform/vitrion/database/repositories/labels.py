"""The labels of a database: stored once, filtered, averaged within one quantity."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack

from vitrion.database.collection import Collection
from vitrion.database.errors import NotFoundError
from vitrion.database.queries import gate_versions
from vitrion.database.queries.filters import (
    LabelFilters,
    OneOrMore,
    check_field,
    check_page,
    query_of,
    sort_of,
)
from vitrion.database.queries.quantity import SEPARATING_FIELDS, STORED_FIELDS, Quantity, quantities, require_one
from vitrion.database.queries.rows import GroupStatistics, LabelRows, grouped
from vitrion.database.records import ImportedLabel, LabelRecord
from vitrion.database.records.base import check_fields
from vitrion.database.records.label import SourcedLabel
from vitrion.database.repositories.label_fields import (
    composition_key,
    fields_of_composition,
    import_faults,
    record_faults,
)
from vitrion.database.repositories.structures import BATCH, one_by_prefix
from vitrion.keys import short_key
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import (
    LabelFields,
    LabelOutcome,
    LabelState,
    gate_version_fault,
    label_key,
    outcome_key,
)

# A label stays with the campaign that requested it first, whoever recomputes it.
_REQUEST = frozenset({"campaign", "cycle", "arm"})
_KEPT = frozenset({"key", "superseded_by"})

_FROM_STRUCTURE = (
    "kind",
    "formula",
    "reduced_formula",
    "chemsys",
    "elements",
    "isotopes",
    "n_atoms",
    "density_g_cm3",
    "mobile_ion_fraction",
)


@dataclass(frozen=True)
class LabelAdded:
    """Result of adding a label.

    Attributes:
        key: its identity.
        created: False when the database had it already.
        replaced: whether it took the place of a label of an older gate version.
    """

    key: str
    created: bool
    replaced: bool = False


class Labels:
    """The labels of a database."""

    def __init__(self, labels: Collection, structures: Collection) -> None:
        """Use the collections."""
        self._labels = labels
        self._structures = structures

    def add(self, outcome: LabelOutcome, *, structure: str | None = None, **provenance: Any) -> LabelAdded:
        """Store the outcome of a labelling job, once.

        A label of an older gate version is replaced by one of the same key and the current version: value, gates,
        state and all else are the new outcome's, and `created_at` is the time of the replacement; campaign, cycle and
        arm of the first request are kept.

        Args:
            outcome: output of the job.
            structure: fingerprint under which its cell is stored, where that is not the outcome's own
                (`Structures.resolve`); the key stays the outcome's.
            provenance: job, flow, campaign, cycle, arm.

        Raises:
            NotFoundError: its structure is not in the database.
            InputError: it is of another gate version, its value has an impossible unit, convention, size or interval
                (`label_faults`), or the record refuses a field.
        """
        if self.holds(outcome):
            return LabelAdded(key=outcome_key(outcome), created=False)
        return self.store(self.record_of_outcome(outcome, structure=structure, **provenance))

    def record_of_outcome(
        self, outcome: LabelOutcome, *, structure: str | None = None, **provenance: Any
    ) -> LabelRecord:
        """Return the checked record of an outcome, not stored yet; arguments and errors are those of `add`."""
        from vitrion_workflows.labelling.statement import label_faults  # noqa: PLC0415 - slow import

        key = outcome_key(outcome)
        if foreign := gate_version_fault(outcome):
            raise InputError(f"label {short_key(key)} {foreign}")
        if faults := label_faults(outcome):
            raise InputError(f"label {short_key(key)}: {faults[0]}")
        fingerprint = structure or outcome.structure_fingerprint
        measured = {name: getattr(outcome, name) for name in LabelFields.model_fields}
        given = measured | {
            "key": key,
            "potential": outcome.method.potential,
            "potential_version": outcome.method.potential_version,
            "weights_sha256": outcome.method.weights_sha256,
            "seed": outcome.method.seed,
            "start": outcome.method.start,
            "structure_fingerprint": fingerprint,
            "protocol_hash": outcome.protocol.sha256,
        }
        return self._record(given | self._composition_of(fingerprint), provenance)

    def record_of_export(self, record: LabelRecord, *, structure: str | None = None) -> LabelRecord:
        """Return the checked record of an exported label, not stored yet.

        Formulas, elements and size of the cell and the logarithm are computed anew, from structure and value.

        Args:
            record: what was exported.
            structure: fingerprint under which its cell is stored, where that is not the label's own
                (`Structures.resolve`).

        Raises:
            NotFoundError: its structure is not in the database.
            InputError: it is incomplete or contradicts itself (`record_faults`).
        """
        if faults := record_faults(record):
            raise InputError(f"label {short_key(record.key)}: {faults[0]}")
        fingerprint = structure or record.structure_fingerprint
        if fingerprint is not None:
            composition: Mapping[str, Any] = self._composition_of(fingerprint)
        else:
            composition = fields_of_composition(str(record.composition))
        return self._record({**vars(record), **composition, "structure_fingerprint": fingerprint}, {})

    def holds(self, outcome: LabelOutcome) -> bool:
        """Return True if the label of an outcome is stored and would not be replaced by it."""
        stored = self._labels.find_one({"key": outcome_key(outcome)}, projection={"gate_version": 1})
        if stored is None:
            return False
        return gate_version_fault(outcome) is not None or not _is_older(stored, than=outcome.gate_version)

    def store(self, record: LabelRecord) -> LabelAdded:
        """Store a checked record, once; one of an older gate version is replaced."""
        document = record.document()
        if self._labels.insert_if_absent(document):
            return LabelAdded(key=record.key, created=True)
        return LabelAdded(key=record.key, created=False, replaced=self._replace(document))

    def _replace(self, document: Mapping[str, Any]) -> bool:
        """Replace the stored label of the same key, if that is of an older gate version, in one atomic update."""
        key, version = document["key"], document.get("gate_version")
        stored = self._labels.find_one({"key": key}, projection=dict.fromkeys(("gate_version", *_REQUEST), 1))
        if stored is None or version is None or not _is_older(stored, than=version):
            return False
        kept = _KEPT | (_REQUEST if stored.get("campaign") else frozenset())
        given = {name: value for name, value in document.items() if name not in kept and name != "_id"}
        gone = LabelRecord.model_fields.keys() - given.keys() - kept
        # The version is part of the query: another process may have replaced the label meanwhile.
        same = {"key": key, "gate_version": stored["gate_version"]}
        return self._labels.update_one(same, {"$set": given, "$unset": dict.fromkeys(sorted(gone), "")})

    def add_imported(self, label: ImportedLabel, **provenance: Any) -> LabelAdded:
        """Store a label from elsewhere, once.

        Raises:
            NotFoundError: its structure is not in the database.
            InputError: its state is accepted; it has neither a structure nor a composition, or both; its value has an
                impossible unit, convention, size or interval; or the record refuses a field.
        """
        return self.store(self.record_of_import(label, **provenance))

    def record_of_import(self, label: ImportedLabel, **provenance: Any) -> LabelRecord:
        """Return the checked record of an imported label, not stored yet; errors are those of `add_imported`."""
        if label.state is LabelState.ACCEPTED:
            raise InputError(
                f"label {label.record} of {label.dataset} was imported and did not pass the gates: set its state to "
                f"{LabelState.PUBLISHED.value}"
            )
        if (label.structure_fingerprint is None) == (label.composition is None):
            raise InputError("an imported label needs a structure or a composition, and not both")
        if faults := import_faults(label):
            raise InputError(f"label {label.record} of {label.dataset}: {faults[0]}")
        key = label_key(
            structure_fingerprint=label.structure_fingerprint or composition_key(str(label.composition)),
            species=label.species,
            temperature_K=label.temperature_K,
            protocol=None,
            weights_sha256=label.weights_sha256,
            seed=label.record,
            property_name=label.property,
        )
        if label.structure_fingerprint is not None:
            composition: Mapping[str, Any] = self._composition_of(label.structure_fingerprint)
        else:
            composition = fields_of_composition(str(label.composition))
        given = {name: getattr(label, name) for name in SourcedLabel.model_fields}
        return self._record({**given, **composition} | {"key": key, "seed": label.record}, provenance)

    @staticmethod
    def _record(given: Mapping[str, Any], provenance: Mapping[str, Any]) -> LabelRecord:
        value = given["value"]
        log10_value = math.log10(value) if value is not None and value > 0 else None
        checked = given.get("force_check")
        force_r2 = checked.agreement.r2 if checked is not None and checked.agreement is not None else None
        # OBELiX has structures that leave the mobile ion out (La1.24Ti2O6): published values are kept as they are.
        if given.get("dataset") is None and given["species"] not in given["elements"]:
            raise InputError(
                f"label {short_key(given['key'])}: species {given['species']} is not in {given['formula']}"
            )
        check_fields(LabelRecord, provenance)
        return LabelRecord.of(**{**given, "log10_value": log10_value, "force_r2": force_r2, **provenance})

    def _composition_of(self, fingerprint: str) -> dict[str, Any]:
        fields = dict.fromkeys(_FROM_STRUCTURE, 1)
        row = self._structures.find_one({"fingerprint": fingerprint}, projection=fields)
        if row is None:
            raise NotFoundError(f"no structure {fingerprint} in the database: add it before its label")
        return {field: row[field] for field in _FROM_STRUCTURE if field in row}

    def get(self, key: str) -> LabelRecord:
        """Return the label of a key, or of the first eight or more digits of it.

        Raises:
            NotFoundError: it is not stored.
            InputError: the prefix is short or not unique.
        """
        return LabelRecord.model_validate(one_by_prefix(self._labels, "key", key, "label"))

    def find(self, keys: Sequence[str]) -> dict[str, LabelRecord]:
        """Return the stored ones of several keys, by key."""
        labels: dict[str, LabelRecord] = {}
        for start in range(0, len(keys), BATCH):
            for document in self._labels.find({"key": {"$in": list(keys[start : start + BATCH])}}):
                labels[document["key"]] = LabelRecord.model_validate(document)
        return labels

    def search(
        self, *, sort: OneOrMore | None = None, limit: int = 0, skip: int = 0, **filters: Unpack[LabelFilters]
    ) -> LabelRows:
        """Return the labels that pass all filters.

        Args:
            sort: field names, a leading ``-`` for descending; by insertion when None, which also breaks ties.
            limit: at most so many, 0 for all.
            skip: leave out the first so many.
            filters: see `vitrion.database.queries.filters.LabelFilters`.

        Raises:
            InputError: an unknown filter or field, an empty range, no formula, a negative limit or skip.
        """
        check_page(limit, skip)
        documents = self._labels.find(_query(filters), sort=sort_of("labels", sort), limit=limit, skip=skip)
        return LabelRows(LabelRecord, [LabelRecord.model_validate(document) for document in documents])

    def table(
        self,
        columns: Sequence[str],
        *,
        sort: OneOrMore | None = None,
        limit: int = 0,
        skip: int = 0,
        **filters: Unpack[LabelFilters],
    ) -> list[dict[str, Any]]:
        """Return some fields (`columns`) of what `search` returns, without reading the rest of the documents.

        Raises:
            InputError: as `search`; no such field.
        """
        check_page(limit, skip)
        projection = {check_field("labels", name): 1 for name in columns} | {"_id": 0}
        order = sort_of("labels", sort)
        documents = self._labels.find(_query(filters), projection=projection, sort=order, limit=limit, skip=skip)
        return [{name: document.get(name) for name in columns} for document in documents]

    def count(self, **filters: Unpack[LabelFilters]) -> int:
        """Return the number of labels that pass all filters."""
        return self._labels.count(_query(filters))

    def statistics(
        self,
        field: str = "log10_value",
        *,
        group_by: OneOrMore = (),
        across: OneOrMore = (),
        **filters: Unpack[LabelFilters],
    ) -> list[GroupStatistics]:
        """Return count, mean, minimum and maximum of a field of the accepted labels, by group.

        Args:
            field: what to summarise.
            group_by: fields to group by; all in one group when empty.
            across: fields of `queries.quantity.Quantity` (property, potential ...) that may be mixed in one
                mean; none by default, and those grouped by are not mixed.
            filters: see `vitrion.database.queries.filters.LabelFilters`; `accepted` unless a state is asked for.

        Raises:
            InputError: labels of several quantities would enter one mean, and neither `group_by` nor `across` names
                the field in which they differ.
        """
        groups = [group_by] if isinstance(group_by, str) else list(group_by)
        for name in (field, *groups):
            check_field("labels", name)
        if "state" not in filters and "accepted" not in filters:
            filters["accepted"] = True
        query = _query(filters)
        self._require_one_each(query, groups, across)
        return grouped(self._labels, query, field=field, group_by=groups)

    def quantities(self, **filters: Unpack[LabelFilters]) -> dict[Quantity, int]:
        """Return the number of labels that pass all filters, by quantity."""
        return quantities(self._labels.find(_query(filters), projection=dict.fromkeys(STORED_FIELDS, 1)))

    def count_other_versions(self, **filters: Unpack[LabelFilters]) -> dict[int, int]:
        """Count the labels of other gate versions than the current one, by version.

        Args:
            filters: see `vitrion.database.queries.filters.LabelFilters`, but for `gate_version`.
        """
        others: LabelFilters = {**filters, "gate_version": gate_versions.OTHER}
        return dict(sorted(self._labels.count_by("gate_version", _query(others)).items()))

    def count_outdated(self, keys: Sequence[str], *, trained_at: datetime | None) -> int:
        """Count the labels that were not of the current gate version when a model was trained on them.

        A label that was written after the training has replaced one of an older version.

        Args:
            keys: the training labels.
            trained_at: time of the training, UTC.
        """
        return sum(
            not gate_versions.is_current(row.gate_version)
            or bool(trained_at and row.created_at and row.created_at > trained_at)
            for row in self.find(keys).values()
        )

    def _require_one_each(self, query: Mapping[str, Any], groups: Sequence[str], across: OneOrMore) -> None:
        separate = [name for name in groups if name in SEPARATING_FIELDS]
        members: defaultdict[tuple[Any, ...], list[Mapping[str, Any]]] = defaultdict(list)
        for document in self._labels.find(query, projection=dict.fromkeys((*STORED_FIELDS, *separate), 1)):
            members[tuple(document.get(name) for name in separate)].append(document)
        for documents in members.values():
            require_one(documents, across=across, purpose="averaged")

    def supersede(self, key: str, *, by: str) -> None:
        """Mark a label as replaced by another; it stays stored, and searches leave it out.

        Raises:
            NotFoundError: one of the two is not stored.
        """
        self.get(by)
        if not self._labels.update_one({"key": key}, {"$set": {"superseded_by": by}}):
            raise NotFoundError(f"no label {key} in the database")


def _is_older(stored: Mapping[str, Any], *, than: int) -> bool:
    version = stored.get("gate_version")
    return version is not None and int(version) < than


def _query(filters: Mapping[str, Any]) -> dict[str, Any]:
    return query_of("labels", {"superseded": False, "gate_version": gate_versions.CURRENT, **filters})
