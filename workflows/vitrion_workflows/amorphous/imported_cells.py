"""Gates of cells that were made elsewhere: data sets and structure files."""

from pymatgen.core.structure import Structure

from vitrion_workflows.amorphous.gates import CELL_GATES, DEFAULT_LIMITS, CellEvidence
from vitrion_workflows.amorphous.reference import cell_reference
from vitrion_workflows.schemas import GateOutcome
from vitrion_workflows.schemas.geometry import system_from_structure

# The cell gates that apply however the cell was made and at any temperature. Order is left out: its measure takes
# minutes on a gas.
GATES = ("minimum_distance", "density")


def structure_gates(structure: Structure) -> tuple[GateOutcome, ...]:
    """Return the gates on overlapping atoms, and on the density against that estimated from ionic radii."""
    reference = cell_reference(structure.composition.reduced_formula)
    evidence = CellEvidence(system_from_structure(structure), reference, None, DEFAULT_LIMITS)
    outcomes = (CELL_GATES[name](evidence) for name in GATES)
    return tuple(outcome for outcome in outcomes if outcome is not None)
