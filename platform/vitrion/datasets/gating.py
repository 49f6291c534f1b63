"""The gates a cell from a data set must pass before a label of it is believed."""

import numpy as np
from pymatgen.core.structure import Structure

from vitrion_workflows.schemas import GateOutcome

GREATEST_VOLUME_A3_PER_ATOM = 100.0  # solid caesium, the most open elemental solid, has 116; ionic solids under 60
LEAST_VOLUME_A3_PER_ATOM = 4.0  # diamond has 5.7
LEAST_DISTANCE_A = 0.7


def structure_gates(structure: Structure) -> tuple[GateOutcome, ...]:
    """Volume per atom within that of condensed matter, and no two atoms on top of each other."""
    volume = structure.volume / len(structure)
    volume_gate = GateOutcome(
        name="volume_per_atom",
        passed=LEAST_VOLUME_A3_PER_ATOM <= volume <= GREATEST_VOLUME_A3_PER_ATOM,
        value=volume,
        lower=LEAST_VOLUME_A3_PER_ATOM,
        upper=GREATEST_VOLUME_A3_PER_ATOM,
        unit="A3",
        message=f"{volume:.0f} A3 an atom, condensed matter has {LEAST_VOLUME_A3_PER_ATOM:g} to "
        f"{GREATEST_VOLUME_A3_PER_ATOM:g}",
    )
    distances = np.array(structure.distance_matrix)
    distances[np.diag_indices(len(structure))] = np.inf
    nearest = min(float(distances.min()), *structure.lattice.abc)
    distance_gate = GateOutcome(
        name="minimum_distance",
        passed=nearest >= LEAST_DISTANCE_A,
        value=nearest,
        lower=LEAST_DISTANCE_A,
        unit="A",
        message=f"nearest atoms {nearest:.2f} A apart, at least {LEAST_DISTANCE_A} A wanted",
    )
    return (volume_gate, distance_gate)
