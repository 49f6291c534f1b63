"""Structures on their way into the database: described, compared atom by atom, recognised when stored already.

Two descriptions of one cell can have different fingerprints, because `vitrion_workflows.schemas.fingerprint` rounds: a
marker selects the cells worth comparing. See docs/design/identity.md.
"""

import gc
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from vitrion.database.collection import Collection
from vitrion.database.records import StructureRecord
from vitrion.database.repositories.cells import Cell, CellArrays, arrays_of, describe
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.schemas import GateOutcome, Origin, StructureKind

SAME_POSITION_A = 1e-4
SAME_LENGTH_RELATIVE = 1e-4
SAME_ANGLE_DEG = 1e-3
SAME_OCCUPANCY = 1e-3
MARKER_WAVES = np.array([1.0, 2.0, 3.0])
SMALLEST_TOLERANCE = 1e-6


def marker(cell: CellArrays) -> float:
    """Return the sum over sites of Z cos(2 pi (u + 2v + 3w)), with fractional coordinates u, v, w and atomic number Z.

    It does not depend on the order of the atoms or their images, and it changes little with their positions: a range
    of it selects the cells that may be the same. Partial occupancies weigh Z.
    """
    return float(cell.charges @ np.cos(2.0 * np.pi * (cell.fractional @ MARKER_WAVES)))


def marker_tolerance(cell: CellArrays) -> float:
    """Return the greatest change of the marker when each atom moves by `SAME_POSITION_A`.

    The derivative of each term is at most 2 pi Z |(1, 2, 3)| for each fractional unit.
    """
    largest_slope = 2.0 * np.pi * np.linalg.norm(MARKER_WAVES) * cell.charges.sum()
    return float(largest_slope * _shift(cell)) + SMALLEST_TOLERANCE


def is_same_cell(one: CellArrays, other: CellArrays) -> bool:
    """Return True for equal lattice parameters and each atom within `SAME_POSITION_A` of one of the same element.

    Minimum images, any order of the atoms, any orientation of the cell.
    """
    if len(one) != len(other) or not _same_lattice(one.lattice_A, other.lattice_A):
        return False
    from scipy.spatial import cKDTree  # noqa: PLC0415 - slow to import, and only twins are compared

    tree = cKDTree(other.wrapped, boxsize=1.0)
    # Fractional distance in the norm of the largest component: within a factor of the cell's shape of the Cartesian.
    distances, partners = tree.query(one.wrapped, distance_upper_bound=_shift(one), p=np.inf)
    if not np.isfinite(distances).all() or len(set(partners.tolist())) != len(one):
        return False
    return all(
        _same_site(dict(site), dict(other.species[partner]))
        for site, partner in zip(one.species, partners.tolist(), strict=True)
    )


def _shift(cell: CellArrays) -> float:
    """`SAME_POSITION_A` in fractional units, along the shortest lattice vector."""
    return float(SAME_POSITION_A / np.linalg.norm(cell.lattice_A, axis=1).min())


def _same_lattice(one: FloatArray, other: FloatArray) -> bool:
    lengths = [np.linalg.norm(lattice, axis=1) for lattice in (one, other)]
    if not np.allclose(lengths[0], lengths[1], rtol=SAME_LENGTH_RELATIVE, atol=0.0):
        return False
    cosines = [lattice @ lattice.T / np.outer(size, size) for lattice, size in zip((one, other), lengths, strict=True)]
    # Near 90 degrees a cosine differs by the angle in radians; elsewhere by less, which only widens the tolerance.
    return bool(np.abs(cosines[0] - cosines[1]).max() <= np.radians(SAME_ANGLE_DEG))


def _same_site(one: dict[str, float], other: dict[str, float]) -> bool:
    return one.keys() == other.keys() and all(abs(one[symbol] - other[symbol]) <= SAME_OCCUPANCY for symbol in one)


NEED_GATES = frozenset({StructureKind.AMORPHOUS.value, StructureKind.MELT.value})


@dataclass(frozen=True, kw_only=True)
class NewStructure:
    """A structure to store, for `Structures.add_many`; `fields` are those of `StructureRecord`."""

    cell: Cell
    kind: str
    origin: str = Origin.IMPORTED
    gates: Sequence[GateOutcome] = ()
    mobile_ion: str | None = None
    fields: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class PreparedStructure:
    """A structure with the document that would be stored for it, beside its geometry."""

    cell: CellArrays
    document: dict[str, Any]

    @property
    def fingerprint(self) -> str:
        """Fingerprint of the cell."""
        return str(self.document["fingerprint"])

    @property
    def formula(self) -> str:
        """Full formula."""
        return str(self.document["formula"])

    @property
    def marker(self) -> float:
        """Marker of the cell (`vitrion.database.repositories.new_structures.marker`)."""
        return float(self.document["marker"])


def prepare(structure: NewStructure) -> PreparedStructure:
    """Return a structure with its document.

    Raises:
        InputError: the cell cannot be used, or the record refuses a field.
    """
    cell = arrays_of(structure.cell)
    fields = {name: value for name, value in (structure.fields or {}).items() if value is not None}
    gap = fields.get("band_gap_eV", 0.0)
    if isinstance(gap, int | float) and not 0.0 <= gap < math.inf:
        raise InputError(f"band_gap_eV {gap:g} is impossible: give 0 or more")
    record = StructureRecord.of(
        **{
            "fingerprint": cell.fingerprint,
            "marker": marker(cell),
            "kind": structure.kind,
            "origin": structure.origin,
            "gates": tuple(structure.gates),
            "accepted": _is_accepted(structure),
            **describe(cell, mobile_ion=structure.mobile_ion),
            **fields,
        }
    )
    return PreparedStructure(cell=cell, document=record.document())


def _is_accepted(structure: NewStructure) -> bool:
    """Return True if all gates passed; a glass or melt needs some."""
    has_gates = bool(structure.gates) or structure.kind not in NEED_GATES
    return has_gates and all(gate.passed for gate in structure.gates)


@contextmanager
def garbage_collection_paused() -> Iterator[None]:
    """Pause the garbage collector for the length of a batch.

    A batch is some hundred thousand short-lived lists without cycles; looking for cycles among them, and in whatever
    else the caller holds, costs a sixth of the time.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


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
    """
    fingerprints = [structure.fingerprint for structure in batch]
    rows = structures.find({"fingerprint": {"$in": fingerprints}}, projection={"fingerprint": 1})
    stored = {str(row["fingerprint"]) for row in rows}
    candidates = _similar_cells([structure for structure in batch if structure.fingerprint not in stored], structures)
    matches: list[str | None] = []
    for structure in batch:
        if structure.fingerprint in stored:
            matches.append(structure.fingerprint)
            continue
        match = _same_cell(structure, candidates[structure.formula], cell_of)
        matches.append(match)
        if match is None:
            stored.add(structure.fingerprint)
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
