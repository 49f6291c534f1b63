"""Kind of a cell from its crystalline order."""

import warnings

import spglib
from pymatgen.core.structure import Structure

from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import StructureKind
from vitrion_workflows.schemas.geometry import system_from_structure

EXACT_A = 0.01
MOST_ATOMS_FOR_SPGLIB = 400  # slow on large cells without symmetry
MOST_VOLUME_A3_PER_ATOM = 200.0  # a gas has no order, and the search would take minutes


def find_kind(structure: Structure) -> StructureKind:
    """Return crystal for a cell with crystalline order, else amorphous.

    Exact symmetry, which no glass has, identifies most crystals. The others are measured as by the cell gates
    (docs/design/cell-gates.md). Cells too small for that, and partially occupied ones, count as crystals.

    Args:
        structure: any cell.
    """
    if not structure.is_ordered:
        return StructureKind.CRYSTAL
    if structure.volume / len(structure) > MOST_VOLUME_A3_PER_ATOM:
        return StructureKind.AMORPHOUS
    system = system_from_structure(structure)
    if _has_exact_symmetry(system):
        return StructureKind.CRYSTAL
    from vitrion_workflows.amorphous import (  # noqa: PLC0415 - brings the potentials with it
        DEFAULT_LIMITS,
        hidden_symmetry,
        orientational_coherence,
    )

    symmetry = hidden_symmetry(system)
    if symmetry is None or symmetry > DEFAULT_LIMITS.greatest_symmetry:
        return StructureKind.CRYSTAL
    coherence = orientational_coherence(system)
    ordered = coherence is not None and coherence > DEFAULT_LIMITS.greatest_coherence
    return StructureKind.CRYSTAL if ordered else StructureKind.AMORPHOUS


def _has_exact_symmetry(system: AtomicSystem) -> bool:
    if len(system) > MOST_ATOMS_FOR_SPGLIB:
        return False
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib announces another way of reporting errors
        cell = (system.lattice_A.tolist(), system.fractional.tolist(), system.numbers.tolist())
        symmetry = spglib.get_symmetry(cell, symprec=EXACT_A)
    return symmetry is not None and len(symmetry["rotations"]) > 1
