"""Recognition of cells that are stored already; docs/design/identity.md explains the two steps."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from vitrion.database.collection import Collection
from vitrion.database.repositories.cells import CellArrays
from vitrion.database.repositories.identity import is_same_cell, marker_tolerance
from vitrion.database.repositories.new_structures import PreparedStructure

RANGES_IN_A_QUERY = 50


@dataclass(frozen=True)
class _Candidate:
    """A cell that may be the same as a new one; `cell` is None where it has to be read from the database."""

    fingerprint: str
    marker: float
    cell: CellArrays | None = None


def match_stored(
    batch: Sequence[PreparedStructure], structures: Collection, cell_of: Callable[[str], CellArrays]
) -> list[str | None]:
    """Return for each structure the fingerprint of the same cell, stored or earlier in the batch; None for a new one.

    First by fingerprint. Two descriptions of one cell may have different fingerprints, where a coordinate lies near
    the boundary of a rounding step: so the rest is compared with the cells of the same formula and nearly the same
    marker, atom by atom.

    Args:
        batch: structures to store.
        structures: the stored ones.
        cell_of: reads the cell of a stored fingerprint.
    """
    fingerprints = [structure.fingerprint for structure in batch]
    rows = structures.find({"fingerprint": {"$in": fingerprints}}, projection={"fingerprint": 1})
    known = {str(row["fingerprint"]) for row in rows}
    candidates = _similar_cells([structure for structure in batch if structure.fingerprint not in known], structures)
    matches: list[str | None] = []
    for structure in batch:
        if structure.fingerprint in known:
            matches.append(structure.fingerprint)
            continue
        match = _same_cell(structure, candidates[structure.formula], cell_of)
        matches.append(match)
        if match is None:
            known.add(structure.fingerprint)
            candidate = _Candidate(structure.fingerprint, structure.marker, structure.cell)
            candidates[structure.formula].append(candidate)
    return matches


def _similar_cells(batch: Sequence[PreparedStructure], structures: Collection) -> defaultdict[str, list[_Candidate]]:
    """Return the stored cells, by formula, whose marker is near that of a structure of the batch; mostly none."""
    candidates: defaultdict[str, list[_Candidate]] = defaultdict(list)
    for start in range(0, len(batch), RANGES_IN_A_QUERY):
        ranges = [_marker_range(structure) for structure in batch[start : start + RANGES_IN_A_QUERY]]
        fields = {"fingerprint": 1, "formula": 1, "marker": 1}
        for row in structures.find({"$or": ranges}, projection=fields):
            candidates[row["formula"]].append(_Candidate(row["fingerprint"], row["marker"]))
    return candidates


def _marker_range(structure: PreparedStructure) -> Mapping[str, Any]:
    tolerance = marker_tolerance(structure.cell)
    lowest, highest = structure.marker - tolerance, structure.marker + tolerance
    return {"formula": structure.formula, "marker": {"$gte": lowest, "$lte": highest}}


def _same_cell(
    structure: PreparedStructure, candidates: Sequence[_Candidate], cell_of: Callable[[str], CellArrays]
) -> str | None:
    tolerance = marker_tolerance(structure.cell)
    for candidate in candidates:
        if abs(candidate.marker - structure.marker) > tolerance:
            continue
        if is_same_cell(structure.cell, candidate.cell or cell_of(candidate.fingerprint)):
            return candidate.fingerprint
    return None
