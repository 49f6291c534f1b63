"""Structures: adding them once, finding them, comparing them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Unpack

from vitrion.database.collection import Collection
from vitrion.database.errors import NotFoundError
from vitrion.database.queries.filters import OneOrMore, StructureFilters, check_field, check_page, query_of, sort_of
from vitrion.database.queries.rows import GroupStatistics, Rows, grouped
from vitrion.database.records import AliasRecord, StructureRecord
from vitrion.database.repositories.cells import (
    Cell,
    CellArrays,
    arrays_from_geometry,
)
from vitrion.database.repositories.duplicates import AMORPHOUS_DISTANCE, NearDuplicate, crystal_distance, pair_distance
from vitrion.database.repositories.geometries import Geometries
from vitrion.database.repositories.new_structures import NewStructure, garbage_collection_paused, match_stored, prepare
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import GateOutcome, Origin, StructureKind
from vitrion_workflows.schemas.geometry import system_from_structure

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

BATCH = 500


@dataclass(frozen=True)
class AddResult:
    """Result of adding a structure."""

    fingerprint: str
    created: bool


class Structures:
    """The structures of a database."""

    def __init__(self, structures: Collection, geometries: Geometries, aliases: Collection) -> None:
        """Use the descriptions, the positions, and the second fingerprints of stored cells."""
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
        structure. Adding it again does not change the stored document.

        Args:
            cell: pymatgen structure, ASE atoms or an `AtomicSystem`; partially occupied sites are kept.
            kind: crystal, amorphous, melt or molecule.
            origin: how it was made.
            gates: outcomes of its gates (`vitrion_workflows.amorphous.validate_cell`). It is accepted if all passed; an
                amorphous cell or a melt without gates is not.
            mobile_ion: symbol of the mobile species; the first of `cells.MOBILE_IONS` that it contains when None.
            fields: further fields of `StructureRecord`, such as parent, twin, source, job, campaign.

        Raises:
            InputError: the cell cannot be used, or the record refuses a field.
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
        with garbage_collection_paused():
            batch = [prepare(item) for item in items]
            matches = match_stored(batch, self._structures, self._cell)
            new = [structure for structure, match in zip(batch, matches, strict=True) if match is None]
            aliases = {
                structure.fingerprint: match
                for structure, match in zip(batch, matches, strict=True)
                if match not in {None, structure.fingerprint}
            }
            # The geometry first: a structure that can be found can always be built.
            self._geometries.add(structure.cell for structure in new)
            self._structures.insert_absent([structure.document for structure in new])
            self._aliases.insert_absent(
                [AliasRecord.of(alias=alias, fingerprint=stored).document() for alias, stored in aliases.items()]
            )
        return [
            AddResult(fingerprint=match or structure.fingerprint, created=match is None)
            for structure, match in zip(batch, matches, strict=True)
        ]

    def add_isotopes(self, cells: "Mapping[str, Structure]") -> None:
        """Store cells that differ from stored ones in their isotopes alone, of the same kind, origin and gates.

        Args:
            cells: fingerprint of the stored cell -> the cell with its masses.

        Raises:
            NotFoundError: a cell is not stored.
        """
        parents = {fingerprint: self.get(fingerprint) for fingerprint in cells}
        self.add_many(
            NewStructure(
                cell=cells[fingerprint],
                kind=parent.kind,
                origin=parent.origin,
                gates=parent.gates,
                mobile_ion=parent.mobile_ion,
                fields={"parent": fingerprint, "twin": parent.twin, "source": parent.source},
            )
            for fingerprint, parent in parents.items()
        )

    def resolve(self, fingerprint: str) -> str | None:
        """Return the fingerprint that a cell is stored under, or None where it is not stored.

        The two differ for a cell that was first stored from another description (docs/design/identity.md).
        """
        if self._structures.find_one({"fingerprint": fingerprint}, projection={"fingerprint": 1}) is not None:
            return fingerprint
        return self._stored_as(fingerprint)

    def _stored_as(self, alias: str) -> str | None:
        row = self._aliases.find_one({"alias": alias})
        return None if row is None else str(row["fingerprint"])

    def get(self, fingerprint: str) -> StructureRecord:
        """Return the record of a structure, by its fingerprint or the first eight or more digits of it.

        Raises:
            NotFoundError: it is not stored.
            InputError: the prefix is short or not unique.
        """
        name = self._stored_as(fingerprint) or fingerprint
        return StructureRecord.model_validate(one_by_prefix(self._structures, "fingerprint", name, "structure"))

    def structure(self, fingerprint: str) -> "Structure":
        """Return the pymatgen structure of a fingerprint.

        Raises:
            NotFoundError: it is not stored.
        """
        return self._cell(fingerprint).structure()

    def geometry(self, fingerprint: str) -> dict[str, Any]:
        """Return the stored geometry of a structure, under the OPTIMADE names (lengths in Angstrom).

        Raises:
            NotFoundError: it is not stored.
        """
        stored = self._geometries.find([fingerprint])
        if not stored and (other := self._stored_as(fingerprint)) is not None:
            stored = self._geometries.find([other])
        if not stored:
            raise NotFoundError(f"no structure {fingerprint} in the database")
        (geometry,) = stored.values()
        return geometry

    def _cell(self, fingerprint: str) -> CellArrays:
        return arrays_from_geometry(self.geometry(fingerprint))

    def structures(self, fingerprints: Sequence[str]) -> "dict[str, Structure]":
        """Return the pymatgen structures of several fingerprints.

        Raises:
            NotFoundError: one of them is not stored.
        """
        built: dict[str, Structure] = {}
        for start in range(0, len(fingerprints), BATCH):
            for name, geometry in self._geometries.find(fingerprints[start : start + BATCH]).items():
                built[name] = arrays_from_geometry(geometry).structure()
        return built | {name: self.structure(name) for name in fingerprints if name not in built}

    def system(self, fingerprint: str) -> AtomicSystem:
        """Return the arrays of an ordered structure.

        Raises:
            NotFoundError: it is not stored.
            InputError: it has partially occupied sites.
        """
        return system_from_structure(self.structure(fingerprint))

    def systems(self, fingerprints: Sequence[str]) -> dict[str, AtomicSystem]:
        """Return the arrays of several ordered structures by fingerprint, read in one query per batch.

        Raises:
            NotFoundError: one of them is not stored.
            InputError: one has partially occupied sites.
        """
        return {name: system_from_structure(cell) for name, cell in self.structures(fingerprints).items()}

    def search(
        self, *, sort: OneOrMore | None = None, limit: int = 0, skip: int = 0, **filters: Unpack[StructureFilters]
    ) -> Rows[StructureRecord]:
        """Return the structures that pass all filters.

        Args:
            sort: field names, a leading ``-`` for descending; by insertion when None, which also breaks ties.
            limit: at most so many, 0 for all.
            skip: leave out the first so many.
            filters: see `vitrion.database.queries.filters.StructureFilters`.

        Raises:
            InputError: an unknown filter or field, an empty range, no formula, a negative limit or skip.
        """
        check_page(limit, skip)
        return self._rows(query_of("structures", filters), sort=sort, limit=limit, skip=skip)

    def _rows(
        self, query: Mapping[str, Any], *, sort: OneOrMore | None = None, limit: int = 0, skip: int = 0
    ) -> Rows[StructureRecord]:
        documents = self._structures.find(query, sort=sort_of("structures", sort), limit=limit, skip=skip)
        return Rows(StructureRecord, [StructureRecord.model_validate(document) for document in documents])

    def iterate(self, **filters: Unpack[StructureFilters]) -> "Iterator[tuple[StructureRecord, Structure]]":
        """Yield the records that pass all filters with their pymatgen structures, read in batches."""
        start = 0
        while rows := self.search(limit=BATCH, skip=start, **filters):
            built = self.structures([row.fingerprint for row in rows])
            for row in rows:
                yield row, built[row.fingerprint]
            start += len(rows)

    def count(self, **filters: Unpack[StructureFilters]) -> int:
        """Return the number of structures that pass all filters."""
        return self._structures.count(query_of("structures", filters))

    def statistics(
        self, field: str, *, group_by: OneOrMore = (), **filters: Unpack[StructureFilters]
    ) -> list[GroupStatistics]:
        """Return count, mean, minimum and maximum of a field, by group.

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
        """Return the crystal of an amorphous cell, or the cells of a crystal."""
        row = self.get(fingerprint)
        query: dict[str, Any] = {"twin": row.fingerprint}
        if row.twin:
            query = {"$or": [query, {"fingerprint": row.twin}]}
        return self._rows(query)

    def near_duplicates(
        self, fingerprint: str, *, amorphous_distance: float = AMORPHOUS_DISTANCE
    ) -> list[NearDuplicate]:
        """Return the structures of the same composition and kind that nearly coincide with this one, nearest first.

        Crystals are mapped on each other (pymatgen's StructureMatcher: supercells and small strains count as the same);
        other cells are compared by their pair distributions.

        Args:
            fingerprint: the structure, stored.
            amorphous_distance: greatest distance, for cells that are not crystals.

        Raises:
            NotFoundError: it is not stored.
        """
        row = self.get(fingerprint)
        cell = self._cell(row.fingerprint)
        is_crystal = row.kind == StructureKind.CRYSTAL
        others = self.search(reduced_formula=row.reduced_formula, kind=row.kind)
        duplicates = []
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
                duplicates.append(NearDuplicate(other.fingerprint, distance))
        return sorted(duplicates, key=lambda duplicate: duplicate.distance)


def one_by_prefix(collection: Collection, field: str, text: str, noun: str) -> dict[str, Any]:
    """Return the document whose identity is, or uniquely starts with, a text.

    Raises:
        NotFoundError: it is not stored.
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
    documents = collection.find({field: {"$gte": text, "$lt": text + "g"}}, limit=2)
    if not documents:
        raise NotFoundError(f"no {noun} {text!r} in the database")
    if len(documents) > 1:
        raise InputError(f"{text!r} is the beginning of more than one {noun}: give more digits")
    return documents[0]
