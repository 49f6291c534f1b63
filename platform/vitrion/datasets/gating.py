"""Gates on cells from data sets."""

from pymatgen.core.structure import Structure

from vitrion_workflows.amorphous import CELL_GATES, DEFAULT_LIMITS, cell_reference
from vitrion_workflows.amorphous.gates import CellEvidence
from vitrion_workflows.schemas import GateOutcome
from vitrion_workflows.schemas.geometry import system_from_structure

# The cell gates that apply however the cell was made and at any temperature. Order is left out: its measure takes
# minutes on a gas.
GATES = ("minimum_distance", "density")


def structure_gates(structure: Structure) -> tuple[GateOutcome, ...]:
    """Test for overlapping atoms, and for a density near that of the solid as estimated from ionic radii."""
    reference = cell_reference(structure.composition.reduced_formula)
    evidence = CellEvidence(system_from_structure(structure), reference, None, DEFAULT_LIMITS)
    outcomes = (CELL_GATES[name](evidence) for name in GATES)
    return tuple(outcome for outcome in outcomes if outcome is not None)
