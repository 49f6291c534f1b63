"""The gates a cell from a data set must pass before a label of it is believed."""

from pymatgen.core.structure import Structure

from vitrion_workflows.amorphous import CELL_GATES, DEFAULT_LIMITS, cell_reference
from vitrion_workflows.amorphous.gates import CellEvidence
from vitrion_workflows.schemas import GateOutcome
from vitrion_workflows.schemas.geometry import system_from_structure

# Of the cell gates those that a cell can fail however it was made and at whatever temperature; order is not asked
# for here, and its measure takes minutes on a gas.
GATES = ("minimum_distance", "density")


def structure_gates(structure: Structure) -> tuple[GateOutcome, ...]:
    """No overlapping atoms, and a density within reach of the compound's solid as ionic radii estimate it."""
    reference = cell_reference(structure.composition.reduced_formula)
    evidence = CellEvidence(system_from_structure(structure), reference, None, DEFAULT_LIMITS)
    outcomes = (CELL_GATES[name](evidence) for name in GATES)
    return tuple(outcome for outcome in outcomes if outcome is not None)
