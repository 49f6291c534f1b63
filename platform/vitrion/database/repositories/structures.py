"""Structures: adding them once, finding them, comparing them."""

import gc
import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias, Unpack

from pymatgen.core.structure import Structure

from vitrion.database.collection import Collection
from vitrion.database.errors import NotFoundError
from vitrion.database.queries.filters import OneOrMore, StructureFilters, check_field, check_page, query_of, sort_of
from vitrion.database.queries.rows import Rows
from vitrion.database.queries.statistics import GroupStatistics, grouped
from vitrion.database.records import AliasRecord, GeometryRecord, StructureRecord
from vitrion.database.repositories.cells import (
    Cell,
    CellArrays,
    arrays_from_geometry,
    arrays_of,
    describe,
    geometry_fields,
)
from vitrion.database.repositories.duplicates import AMORPHOUS_DISTANCE, NearDuplicate, crystal_distance, pair_distance
from vitrion.database.repositories.identity import is_same_cell, marker, marker_tolerance
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import GateOutcome, Origin, StructureKind
from vitrion_workflows.schemas.geometry import system_from_structure

BATCH = 500
NEED_GATES = frozenset({StructureKind.AMORPHOUS.value, StructureKind.MELT.value})
QUESTIONS = 50  # ranges asked for in one query
GEOMETRY = ("lattice_vectors", "cartesian_site_positions", "species_at_sites", "species")


@dataclass(frozen=True)
class AddResult:
    """What became of a structure that was added.

    Attributes:
        fingerprint: its identity in the database.
        created: False when the database had it already.
    """

    fingerprint: str
    created: bool


@dataclass(frozen=True, kw_only=True)
class NewStructure:
    """A structure on its way in, for `Structures.add_many`; `fields` are those of `StructureRecord`."""

    cell: Cell
    kind: str
    origin: str = Origin.IMPORTED
    gates: Sequence[GateOutcome] = ()
    mobile_ion: str | None = None
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class _Ready:
    cell: CellArrays
    document: dict[str, Any]
    geometry: dict[str, Any]


# Marker, fingerprint, and the cell where it is not stored yet.
_Candidate: TypeAlias = tuple[float, str, CellArrays | None]


class Structures:
    """The structures of a database."""

    def __init__(self, structures: Collection, geometries: Collection, aliases: Collection) -> None:
        """Take the collections.

        Args:
            structures: what is filtered and counted.
            geometries: where the atoms are.
            aliases: second fingerprints of stored cells.
        """
        self._structures = structures
        self._geometries = geometries
        self._aliases = aliases

    def add(
        self,
        cell: Cell,
        *,
        kind: StructureKind | str,
        origin: Origin | str = Origin.IMPORTED,
        gates: Sequence[GateOutcome] = (),
        mobile_ion: str | None = None,
        **fields: Any,
    ) -> AddResult:
        """Store a structure, once.

        The same cell in another order, image or orientation, or after a round trip through a text format, is the same
        structure. What is known of a stored structure is not changed by adding it again.

        Args:
            cell: pymatgen structure, ASE atoms or an `AtomicSystem`; partially occupied sites are kept.
            kind: crystal, amorphous, melt or molecule.
            origin: how it was made.
            gates: what was measured on it (`vitrion_workflows.amorphous.validate_cell`). It counts as accepted when all
                passed; an amorphous cell or a melt that nobody judged does not.
            mobile_ion: symbol of the mobile species; the first of `geometry.MOBILE_IONS` it holds when None.
            fields: further fields of `StructureRecord`, such as parent, twin, source, job, campaign.

        Raises:
            InputError: no usable structure, or a field that the document refuses.
        """
        new = NewStructure(
            cell=cell, kind=str(kind), origin=str(origin), gates=gates, mobile_ion=mobile_ion, fields=fields
        )
        return self.add_many([new])[0]

    def add_many(self, items: Iterable[NewStructure]) -> list[AddResult]:
        """Store structures in batches, each once; much faster than one at a time.

        Returns:
            One result for each item, in order.

        Raises:
            InputError: as `add`; what came before the batch of the refused item is stored.
        """
        results: list[AddResult] = []
        batch: list[NewStructure] = []
        for item in items:
            batch.append(item)
            if len(batch) == BATCH:
                results += self._add_batch(batch)
                batch = []
        return results + (self._add_batch(batch) if batch else [])

    def _add_batch(self, items: Sequence[NewStructure]) -> list[AddResult]:
        with _collector_paused():
            return self._add_ready([_ready(item) for item in items])

    def _add_ready(self, ready: Sequence[_Ready]) -> list[AddResult]:
        names = [entry.document["fingerprint"] for entry in ready]
        known = {
            row["fingerprint"]
            for row in self._structures.find({"fingerprint": {"$in": names}}, projection={"fingerprint": 1})
        }
        unknown = [entry for name, entry in zip(names, ready, strict=True) if name not in known]
        beside = self._candidates(unknown)
        results = []
        aliases: dict[str, str] = {}
        fresh: dict[str, _Ready] = {}
        for name, entry in zip(names, ready, strict=True):
            same = name if name in known or name in fresh else self._same(entry, beside)
            if same is None:
                fresh[name] = entry
                beside[entry.document["formula"]].append((entry.document["marker"], name, entry.cell))
            elif same != name:
                aliases[name] = same
            results.append(AddResult(fingerprint=same or name, created=same is None))
        # The geometry first: a structure that can be found can always be built.
        self._geometries.insert_absent([entry.geometry for entry in fresh.values()])
        self._structures.insert_absent([entry.document for entry in fresh.values()])
        self._aliases.insert_absent(
            [AliasRecord(alias=alias, fingerprint=stored).document() for alias, stored in aliases.items()]
        )
        return results

    def _candidates(self, entries: Sequence[_Ready]) -> defaultdict[str, list[_Candidate]]:
        """Stored cells, by formula, whose marker is near that of one of the entries: few, and mostly none."""
        found: defaultdict[str, list[_Candidate]] = defaultdict(list)
        for start in range(0, len(entries), QUESTIONS):
            ranges = [_near(entry) for entry in entries[start : start + QUESTIONS]]
            fields = {"fingerprint": 1, "formula": 1, "marker": 1}
            for row in self._structures.find({"$or": ranges}, projection=fields):
                found[row["formula"]].append((row["marker"], row["fingerprint"], None))
        return found

    def _same(self, entry: _Ready, beside: Mapping[str, Sequence[_Candidate]]) -> str | None:
        """Fingerprint of the cell that this one is across a rounding boundary, stored or in the same batch."""
        tolerance = marker_tolerance(entry.cell)
        for place, name, cell in beside.get(entry.document["formula"], ()):
            near = abs(place - entry.document["marker"]) <= tolerance
            if near and is_same_cell(entry.cell, self._cell(name) if cell is None else cell):
                return name
        return None

    def resolve(self, fingerprint: str) -> str | None:
        """The fingerprint that a cell is stored under, or None when the database does not have it.

        It is another one where the same cell came before with a coordinate on the other side of a rounding boundary.

        Args:
            fingerprint: as computed from the cell.
        """
        if self._structures.find_one({"fingerprint": fingerprint}, projection={"fingerprint": 1}) is not None:
            return fingerprint
        return self._stored_as(fingerprint)

    def _stored_as(self, alias: str) -> str | None:
        found = self._aliases.find_one({"alias": alias})
        return None if found is None else str(found["fingerprint"])

    def get(self, fingerprint: str) -> StructureRecord:
        """The row of a structure; a prefix of its fingerprint of eight or more digits will do.

        Raises:
            NotFoundError: there is none.
            InputError: the prefix is short or not unique.
        """
        name = self._stored_as(fingerprint) or fingerprint
        return StructureRecord.model_validate(one_by_prefix(self._structures, "fingerprint", name, "structure"))

    def structure(self, fingerprint: str) -> Structure:
        """The pymatgen structure of a fingerprint.

        Raises:
            NotFoundError: there is none.
        """
        return self._cell(fingerprint).structure()

    def geometry(self, fingerprint: str) -> dict[str, Any]:
        """The geometry of a structure under the OPTIMADE names, as it is stored.

        Raises:
            NotFoundError: there is none.
        """
        wanted = dict.fromkeys(GEOMETRY, 1)
        document = self._geometries.find_one({"fingerprint": fingerprint}, projection=wanted)
        if document is None and (stored := self._stored_as(fingerprint)) is not None:
            document = self._geometries.find_one({"fingerprint": stored}, projection=wanted)
        if document is None:
            raise NotFoundError(f"no structure {fingerprint} in the database")
        return {name: document[name] for name in GEOMETRY}

    def _cell(self, fingerprint: str) -> CellArrays:
        return arrays_from_geometry(self.geometry(fingerprint))

    def structures(self, fingerprints: Sequence[str]) -> dict[str, Structure]:
        """Pymatgen structures of several fingerprints in one go.

        Raises:
            NotFoundError: one is not there.
        """
        found: dict[str, Structure] = {}
        for start in range(0, len(fingerprints), BATCH):
            query = {"fingerprint": {"$in": list(fingerprints[start : start + BATCH])}}
            for document in self._geometries.find(query):
                found[document["fingerprint"]] = arrays_from_geometry(document).structure()
        found |= {name: self.structure(name) for name in fingerprints if name not in found}
        return found

    def system(self, fingerprint: str) -> AtomicSystem:
        """The arrays of an ordered structure.

        Raises:
            NotFoundError: there is none.
            InputError: it has partially occupied sites.
        """
        return system_from_structure(self.structure(fingerprint))

    def systems(self, fingerprints: Sequence[str]) -> dict[str, AtomicSystem]:
        """Return the arrays of several ordered structures by fingerprint, read in one query per batch.

        Raises:
            NotFoundError: one is not there.
            InputError: one has partially occupied sites.
        """
        return {name: system_from_structure(cell) for name, cell in self.structures(fingerprints).items()}

    def search(
        self, *, sort: OneOrMore | None = None, limit: int = 0, skip: int = 0, **filters: Unpack[StructureFilters]
    ) -> Rows[StructureRecord]:
        """Structures that pass all filters.

        Args:
            sort: field names, a leading ``-`` for descending; by insertion when None, which also breaks ties.
            limit: at most so many, 0 for all.
            skip: leave out the first so many.
            filters: see `vitrion.database.queries.filters.StructureFilters`.

        Raises:
            InputError: an unknown filter or field, an empty range, no formula, a negative limit or skip.
        """
        check_page(limit, skip)
        query = query_of("structures", filters)
        found = self._structures.find(query, sort=sort_of("structures", sort), limit=limit, skip=skip)
        return Rows(StructureRecord, [StructureRecord.model_validate(document) for document in found])

    def iterate(self, **filters: Unpack[StructureFilters]) -> Iterator[tuple[StructureRecord, Structure]]:
        """Rows with their pymatgen structures, a batch at a time."""
        start = 0
        while rows := self.search(limit=BATCH, skip=start, **filters):
            built = self.structures([row.fingerprint for row in rows])
            for row in rows:
                yield row, built[row.fingerprint]
            start += len(rows)

    def count(self, **filters: Unpack[StructureFilters]) -> int:
        """How many structures pass all filters."""
        return self._structures.count(query_of("structures", filters))

    def statistics(
        self, field: str, *, group_by: OneOrMore = (), **filters: Unpack[StructureFilters]
    ) -> list[GroupStatistics]:
        """Count, mean, minimum and maximum of a field, by group.

        Args:
            field: for example ``density_g_cm3``.
            group_by: fields to group by; all in one group when empty.
            filters: see `vitrion.database.queries.filters.StructureFilters`.
        """
        groups = [group_by] if isinstance(group_by, str) else list(group_by)
        for name in (field, *groups):
            check_field("structures", name)
        return grouped(self._structures, query_of("structures", filters), field=field, group_by=groups)

    def twins(self, fingerprint: str) -> Rows[StructureRecord]:
        """The other form of a structure: the crystal of an amorphous cell, the cells of a crystal."""
        row = self.get(fingerprint)
        query: dict[str, Any] = {"twin": row.fingerprint}
        if row.twin:
            query = {"$or": [query, {"fingerprint": row.twin}]}
        found = self._structures.find(query, sort=sort_of("structures", None))
        return Rows(StructureRecord, [StructureRecord.model_validate(document) for document in found])

    def near_duplicates(
        self, fingerprint: str, *, amorphous_distance: float = AMORPHOUS_DISTANCE
    ) -> list[NearDuplicate]:
        """Structures of the same composition and kind that nearly coincide with this one, nearest first.

        Crystals are mapped on each other (pymatgen's StructureMatcher: supercells and small strains count as the same);
        other cells are compared by their pair distributions.

        Args:
            fingerprint: the structure, stored.
            amorphous_distance: greatest distance that counts, for cells that are no crystals.

        Raises:
            NotFoundError: there is no such structure.
        """
        row = self.get(fingerprint)
        cell = self._cell(row.fingerprint)
        is_crystal = row.kind == StructureKind.CRYSTAL
        others = self.search(reduced_formula=row.reduced_formula, kind=row.kind)
        found = []
        for other in others:
            if other.fingerprint == row.fingerprint:
                continue
            candidate = self._cell(other.fingerprint)
            if is_crystal:
                distance = crystal_distance(cell.structure(), candidate.structure())
            else:
                distance = pair_distance(cell, candidate)
                distance = distance if distance <= amorphous_distance else None
            if distance is not None:
                found.append(NearDuplicate(other.fingerprint, distance))
        return sorted(found, key=lambda duplicate: duplicate.distance)


def one_by_prefix(collection: Collection, field: str, text: str, noun: str) -> dict[str, Any]:
    """The document whose identity is, or uniquely starts with, a text.

    Raises:
        NotFoundError: there is none.
        InputError: the prefix is short or not unique.
    """
    document = collection.find_one({field: text})
    if document is not None:
        return document
    shortest = 8
    if len(text) < shortest:
        raise NotFoundError(
            f"no {noun} {text!r} in the database: give its whole {field} or the first {shortest} digits"
        )
    found = collection.find({field: {"$gte": text, "$lt": text + "g"}}, limit=2)
    if not found:
        raise NotFoundError(f"no {noun} {text!r} in the database")
    if len(found) > 1:
        raise InputError(f"{text!r} is the beginning of more than one {noun}: give more digits")
    return found[0]


def _ready(item: NewStructure) -> _Ready:
    cell = arrays_of(item.cell)
    extra = {key: value for key, value in (item.fields or {}).items() if value is not None}
    gap = extra.get("band_gap_eV", 0.0)
    if isinstance(gap, int | float) and not 0.0 <= gap < math.inf:
        raise InputError(f"band_gap_eV {gap:g} is impossible: give 0 or more")
    document = {
        "fingerprint": cell.fingerprint,
        "marker": marker(cell),
        "kind": item.kind,
        "origin": item.origin,
        "gates": tuple(item.gates),
        "accepted": _accepted(item),
        **describe(cell, mobile_ion=item.mobile_ion),
        **extra,
    }
    return _Ready(
        cell=cell,
        document=StructureRecord.of(**document).document(),
        geometry=GeometryRecord.of(fingerprint=cell.fingerprint, **geometry_fields(cell)).document(),
    )


def _accepted(item: NewStructure) -> bool:
    """Whether all gates were passed; where the atoms of a glass or melt lie, somebody must have looked."""
    judged = bool(item.gates) or item.kind not in NEED_GATES
    return judged and all(gate.passed for gate in item.gates)


@contextmanager
def _collector_paused() -> Iterator[None]:
    """No cycle collection for the length of a batch.

    A batch is some hundred thousand short-lived lists and no cycles; looking for cycles among them, and in whatever
    else the caller holds, costs a sixth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _near(entry: _Ready) -> dict[str, Any]:
    """Query of the stored cells that could be this one."""
    tolerance, centre = marker_tolerance(entry.cell), entry.document["marker"]
    return {"formula": entry.document["formula"], "marker": {"$gte": centre - tolerance, "$lte": centre + tolerance}}
