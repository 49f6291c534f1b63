"""Crystal or glass: as the user says, or as the order of the cell says."""

import warnings

import spglib
from pymatgen.core.structure import Structure

from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas import StructureKind
from vitrion_workflows.schemas.geometry import system_from_structure

EXACT_A = 0.01
MOST_ATOMS_FOR_SPGLIB = 400  # it is quick on what has symmetry, and slow on large cells that have none
MOST_VOLUME_A3_PER_ATOM = 200.0  # a gas has no order to look for, and the search would take minutes


def judge_kind(structure: Structure) -> StructureKind:
    """Crystal where the cell shows crystalline order, amorphous where it was looked for in vain.

    Exact symmetry, which no glass has, settles most crystals at once. For the others the measures are those of the
    cell gates (docs/design/cell-gates.md). Cells too small for them count as crystals, and so do partially occupied
    ones, which nobody writes of a glass.

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
        warnings.simplefilter("ignore", DeprecationWarning)  # spglib announces another way of telling errors
        cell = (system.lattice_A.tolist(), system.fractional.tolist(), system.numbers.tolist())
        found = spglib.get_symmetry(cell, symprec=EXACT_A)
    return found is not None and len(found["rotations"]) > 1
