"""Labels: adding them once, finding them, and never averaging what cannot be averaged."""

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Unpack

from vitrion.database.collection import Collection
from vitrion.database.documents import LabelDocument, check_fields, field_names
from vitrion.database.documents.gate import GateDocument
from vitrion.database.errors import NotFoundError
from vitrion.database.queries import gate_versions
from vitrion.database.queries.filters import (
    LabelFilters,
    OneOrMore,
    check_field,
    check_page,
    parsed_formula,
    query_of,
    sort_of,
)
from vitrion.database.queries.quantity import SEPARATING_FIELDS, STORED_FIELDS, Quantity, quantities, require_one
from vitrion.database.queries.rows import LabelRow, LabelRows, row_of
from vitrion.database.queries.statistics import GroupStatistics, grouped
from vitrion.database.repositories.cells import composition_fields
from vitrion.database.repositories.structures import BATCH, one_by_prefix
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import (
    Convention,
    GateOutcome,
    LabelOutcome,
    LabelState,
    gate_version_fault,
    label_key,
    outcome_key,
)

CONVERSION_TOLERANCE = 1e-3
SHORT = 12

# Who asked a question first is told of its label, whoever asks or answers it again.
_ASKER = frozenset({"campaign", "cycle", "arm"})
_KEPT = frozenset({"key", "superseded_by"})

_FROM_STRUCTURE = (
    "kind",
    "formula",
    "reduced_formula",
    "chemsys",
    "elements",
    "n_atoms",
    "density_g_cm3",
    "mobile_ion_fraction",
)


@dataclass(frozen=True)
class LabelAdded:
    """What became of a label that was added.

    Attributes:
        key: its identity.
        created: False when the database had it already.
        replaced: whether it took the place of a label of an older gate version.
    """

    key: str
    created: bool
    replaced: bool = False


@dataclass(frozen=True, kw_only=True)
class ImportedLabel:
    """A label from a publication or a data set, for a structure or for a composition only.

    Attributes:
        property: ``tracer_diffusivity``, ``ionic_conductivity`` ...
        state: published, or censored for a bound, or rejected; accepted are only labels of a run with gates.
        value: the number in `unit`, converted to `convention`; for a censored label the bound.
        potential: where the forces came from (a functional) or ``experiment``.
        weights_sha256: sha256 of the data set's file.
        record: which record of the data set it is; the seed's place in the key.
        source_value, conversion_factor, conversion: the published number and how it became `value`.
    """

    property: str
    species: str
    temperature_K: float
    state: LabelState
    value: float | None
    unit: str
    convention: Convention | str
    potential: str
    weights_sha256: str
    dataset: str
    record: int
    structure_fingerprint: str | None = None
    composition: str | None = None
    interval_68: tuple[float, float] | None = None
    interval_95: tuple[float, float] | None = None
    log10_stderr: float | None = None
    gates: Sequence[GateOutcome] = ()
    source: str | None = None
    source_value: float | None = None
    conversion_factor: float | None = None
    conversion: str | None = None


class Labels:
    """The labels of a database."""

    def __init__(self, labels: Collection, structures: Collection) -> None:
        """Take the collections.

        Args:
            labels: the labels.
            structures: where the composition of a labelled structure is read.
        """
        self._labels = labels
        self._structures = structures

    def add(self, outcome: LabelOutcome, *, structure: str | None = None, **provenance: Any) -> LabelAdded:
        """Store the outcome of a labelling job, once.

        A label of an older gate version is replaced by one of the same key and the current version: value, gates,
        state and all else are the new outcome's, `created_at` is the moment of it; campaign, cycle and arm of the first
        request are kept.

        Args:
            outcome: what the job returned.
            structure: fingerprint under which its cell is stored, where that is not the outcome's own
                (`Structures.resolve`); the key stays the outcome's.
            provenance: job, flow, campaign, cycle, arm.

        Raises:
            NotFoundError: its structure is not in the database.
            InputError: it is of another gate version, its number has a unit, convention, size or
                interval that it cannot have (`stated_faults`), or it has a field that the document refuses.
        """
        key = outcome_key(outcome)
        if self.holds(outcome):
            return LabelAdded(key=key, created=False)
        if foreign := gate_version_fault(outcome):
            raise InputError(f"label {key[:SHORT]} {foreign}")
        if faults := statement_faults(outcome):
            raise InputError(f"label {key[:SHORT]}: {faults[0]}")
        plain = outcome.model_dump(mode="json", exclude={"schema_version", "gates"}, exclude_none=True)
        method = plain["method"]
        fields = plain | {
            "potential": method["potential"],
            "potential_version": method["potential_version"],
            "weights_sha256": method["weights_sha256"],
            "seed": method["seed"],
            "start": method.get("start"),
            "structure_fingerprint": structure or outcome.structure_fingerprint,
            "protocol_hash": protocol_hash(plain["protocol"]),
            "gate_version": outcome.gate_version,
        }
        document = self._document(key, fields, gates=outcome.gates, extra=provenance)
        if self._labels.insert_if_absent(document):
            return LabelAdded(key=key, created=True)
        return LabelAdded(key=key, created=False, replaced=self._replace(document))

    def holds(self, outcome: LabelOutcome) -> bool:
        """Whether the label of an outcome is stored, and is not to be replaced by it.

        Args:
            outcome: what a job returned.
        """
        stored = self._labels.find_one({"key": outcome_key(outcome)}, projection={"gate_version": 1})
        if stored is None:
            return False
        return gate_version_fault(outcome) is not None or not _is_older(stored, than=outcome.gate_version)

    def _replace(self, document: Mapping[str, Any]) -> bool:
        """Replace the stored label of the same key, if that is of an older gate version, in one atomic update."""
        key = document["key"]
        stored = self._labels.find_one({"key": key}, projection=dict.fromkeys(("gate_version", *_ASKER), 1))
        if stored is None or not _is_older(stored, than=document["gate_version"]):
            return False
        kept = _KEPT | (_ASKER if stored.get("campaign") else frozenset())
        given = {name: value for name, value in document.items() if name not in kept and name != "_id"}
        gone = field_names(LabelDocument) - given.keys() - kept - {"id"}
        # The version is part of the query: another process may have replaced the label meanwhile.
        same = {"key": key, "gate_version": stored["gate_version"]}
        return self._labels.update_one(same, {"$set": given, "$unset": dict.fromkeys(sorted(gone), "")})

    def add_imported(self, label: ImportedLabel, **provenance: Any) -> LabelAdded:
        """Store a label from elsewhere, once.

        Raises:
            NotFoundError: its structure is not in the database.
            InputError: it says that gates accepted it; neither a structure nor a composition, or both; a unit,
                convention, size or interval that the number cannot have; or a field that the document refuses.
        """
        if label.state is LabelState.ACCEPTED:
            raise InputError(
                f"label {label.record} of {label.dataset} comes from elsewhere, no gate of ours accepted it: say "
                f"{LabelState.PUBLISHED.value}"
            )
        if (label.structure_fingerprint is None) == (label.composition is None):
            raise InputError("an imported label needs a structure or a composition, and not both")
        if faults := statement_faults(label) + _conversion_faults(label):
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
        plain = {
            name: value for name, value in vars(label).items() if value is not None and name not in {"gates", "record"}
        }
        fields = plain | {"state": str(label.state), "convention": str(label.convention), "seed": label.record}
        if self._labels.find_one({"key": key}, projection={"key": 1}) is not None:
            return LabelAdded(key=key, created=False)
        document = self._document(key, fields, gates=label.gates, extra=provenance)
        return LabelAdded(key=key, created=self._labels.insert_if_absent(document))

    def _document(
        self, key: str, fields: Mapping[str, Any], *, gates: Sequence[GateOutcome], extra: Mapping[str, Any]
    ) -> dict[str, Any]:
        known = field_names(LabelDocument)
        check_fields(LabelDocument, extra, noun="labels")
        value = fields.get("value")
        return LabelDocument.wire(
            key=key,
            log10_value=math.log10(value) if value is not None and value > 0 else None,
            gates=[GateDocument(**gate.model_dump()) for gate in gates],
            **self._composition(fields),
            **{name: entry for name, entry in fields.items() if name in known},
            **{name: entry for name, entry in extra.items() if entry is not None},
        )

    def _composition(self, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        name = fields.get("structure_fingerprint")
        if name is None:
            return _composition_fields(fields["composition"])
        row = self._structure(name)
        return {field: row[field] for field in _FROM_STRUCTURE if field in row}

    def _structure(self, fingerprint: str) -> Mapping[str, Any]:
        row = self._structures.find_one({"fingerprint": fingerprint})
        if row is None:
            raise NotFoundError(f"no structure {fingerprint} in the database: add it before its label")
        return row

    def get(self, key: str) -> LabelRow:
        """The label of a key; the first eight or more digits will do.

        Raises:
            NotFoundError: there is none.
            InputError: the prefix is short or not unique.
        """
        return row_of(LabelRow, one_by_prefix(self._labels, "key", key, "label"))

    def find(self, keys: Sequence[str]) -> dict[str, LabelRow]:
        """Those labels of several keys that exist."""
        found: dict[str, LabelRow] = {}
        for start in range(0, len(keys), BATCH):
            for document in self._labels.find({"key": {"$in": list(keys[start : start + BATCH])}}):
                found[document["key"]] = row_of(LabelRow, document)
        return found

    def search(
        self, *, sort: OneOrMore | None = None, limit: int = 0, skip: int = 0, **filters: Unpack[LabelFilters]
    ) -> LabelRows:
        """Labels that pass all filters.

        Args:
            sort: field names, a leading ``-`` for descending; by insertion when None, which also breaks ties.
            limit: at most so many, 0 for all.
            skip: leave out the first so many.
            filters: see `vitrion.database.queries.filters.LabelFilters`.

        Raises:
            InputError: an unknown filter or field, an empty range, no formula, a negative limit or skip.
        """
        check_page(limit, skip)
        found = self._labels.find(_query(filters), sort=sort_of("labels", sort), limit=limit, skip=skip)
        return LabelRows(LabelRow, [row_of(LabelRow, document) for document in found])

    def count(self, **filters: Unpack[LabelFilters]) -> int:
        """How many labels pass all filters."""
        return self._labels.count(_query(filters))

    def statistics(
        self,
        field: str = "log10_value",
        *,
        group_by: OneOrMore = (),
        across: OneOrMore = (),
        **filters: Unpack[LabelFilters],
    ) -> list[GroupStatistics]:
        """Count, mean, minimum and maximum of a field of the accepted labels, by group.

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
        """How many of the labels that pass all filters there are of each quantity."""
        return quantities(self._labels.find(_query(filters), projection=dict.fromkeys(STORED_FIELDS, 1)))

    def count_other_versions(self, **filters: Unpack[LabelFilters]) -> dict[int, int]:
        """Count the labels of other gate versions than the current one, by version.

        Args:
            filters: see `vitrion.database.queries.filters.LabelFilters`, but for `gate_version`.
        """
        others: LabelFilters = {**filters, "gate_version": gate_versions.OTHER}
        found = self._labels.find(_query(others), projection={"gate_version": 1})
        return gate_versions.count_others(document["gate_version"] for document in found)

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
        """Say that a label is replaced by another; it stays, and is left out of searches.

        Raises:
            NotFoundError: one of the two is not there.
        """
        self.get(by)
        if not self._labels.update_one({"key": key}, {"$set": {"superseded_by": by}}):
            raise NotFoundError(f"no label {key} in the database")


def _is_older(stored: Mapping[str, Any], *, than: int) -> bool:
    version = stored.get("gate_version")
    return version is not None and int(version) < than


def statement_faults(label: ImportedLabel | LabelOutcome) -> list[str]:
    """Return what unit, convention, size and intervals of a label cannot be; empty for a rejected one."""
    from vitrion_workflows.labelling.statement import stated_faults  # noqa: PLC0415 - scipy is slow to import

    if label.state is LabelState.REJECTED:
        return []
    return stated_faults(
        property_name=label.property,
        species=label.species,
        temperature_K=label.temperature_K,
        value=label.value,
        unit=label.unit,
        convention=str(label.convention),
        interval_68=label.interval_68,
        interval_95=label.interval_95,
        log10_stderr=label.log10_stderr,
    )


def _conversion_faults(label: ImportedLabel) -> list[str]:
    if label.source_value is None or label.conversion_factor is None or label.value is None:
        return []
    if math.isclose(label.source_value * label.conversion_factor, label.value, rel_tol=CONVERSION_TOLERANCE):
        return []
    return [f"value {label.value:.4g} is not the published {label.source_value:.4g} times its factor"]


def composition_key(composition: str) -> str:
    """What stands for the structure's fingerprint in the key of a label that has only a composition."""
    return hashlib.sha256(f"composition:{_composition_fields(composition)['formula']}".encode()).hexdigest()


def protocol_hash(protocol: Mapping[str, Any]) -> str:
    """sha256 of a protocol's JSON: labels of one hash were made in one way."""
    return hashlib.sha256(json.dumps(protocol, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _composition_fields(text: str) -> Mapping[str, Any]:
    composition = parsed_formula(text)
    return composition_fields(tuple(sorted((element.symbol, amount) for element, amount in composition.items())))


def _query(filters: Mapping[str, Any]) -> dict[str, Any]:
    return query_of("labels", {"superseded": False, "gate_version": gate_versions.CURRENT, **filters})
