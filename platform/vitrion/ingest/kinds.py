"""Crystal or glass: as the user says, or as the order of the cell says."""

from pymatgen.core.structure import Structure

from vitrion_workflows.amorphous import DEFAULT_LIMITS, hidden_symmetry, orientational_coherence
from vitrion_workflows.schemas import StructureKind
from vitrion_workflows.schemas.geometry import system_from_structure

MOST_VOLUME_A3_PER_ATOM = 200.0  # a gas has no order to look for, and the search would take minutes


def judge_kind(structure: Structure) -> StructureKind:
    """Crystal where the cell shows crystalline order, amorphous where it was looked for in vain.

    The measures are those of the cell gates (docs/design/cell-gates.md). Cells too small for them, and partially
    occupied ones, which nobody writes of a glass, count as crystals.

    Args:
        structure: any cell.
    """
    if not structure.is_ordered:
        return StructureKind.CRYSTAL
    if structure.volume / len(structure) > MOST_VOLUME_A3_PER_ATOM:
        return StructureKind.AMORPHOUS
    system = system_from_structure(structure)
    symmetry = hidden_symmetry(system)
    if symmetry is None or symmetry > DEFAULT_LIMITS.greatest_symmetry:
        return StructureKind.CRYSTAL
    coherence = orientational_coherence(system)
    ordered = coherence is not None and coherence > DEFAULT_LIMITS.greatest_coherence
    return StructureKind.CRYSTAL if ordered else StructureKind.AMORPHOUS
