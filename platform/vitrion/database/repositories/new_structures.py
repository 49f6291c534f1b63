"""Structures on their way into the database: checked, described and ready to be stored."""

import gc
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from vitrion.database.records import GeometryRecord, StructureRecord
from vitrion.database.repositories.cells import Cell, CellArrays, arrays_of, describe, geometry_fields
from vitrion.database.repositories.identity import marker
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import GateOutcome, Origin, StructureKind

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
    """A structure with the documents that would be stored for it."""

    cell: CellArrays
    document: dict[str, Any]
    geometry: dict[str, Any]

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
        """Marker of the cell (`vitrion.database.repositories.identity.marker`)."""
        return float(self.document["marker"])


def prepare(structure: NewStructure) -> PreparedStructure:
    """Return a structure with its documents.

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
    geometry = GeometryRecord.of(fingerprint=cell.fingerprint, **geometry_fields(cell))
    return PreparedStructure(cell=cell, document=record.document(), geometry=geometry.document())


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
