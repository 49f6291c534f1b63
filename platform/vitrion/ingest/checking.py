"""Check of a structure before it enters the database."""

import numpy as np
from pymatgen.core.periodic_table import DummySpecies
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import SMALLEST_VOLUME_A3

SMALLEST_LENGTH_A = 0.1
# Two atoms so near are on one point; together they may fill it once, as on a partially occupied site.
ONE_POINT_A = 0.02
FULL_OCCUPANCY = 1.01


def check_structure(structure: Structure, *, place: str) -> None:
    """Check that a structure is a cell of atoms.

    Args:
        structure: from a reader.
        place: file and frame, for the message.

    Raises:
        InputError: no atoms, an unknown element, coordinates or lattice not finite, a lattice without volume, or two
            whole atoms on one point.
    """
    if len(structure) == 0:
        raise InputError(f"{place}: no atoms in it")
    unknown = [str(species) for species in structure.composition if isinstance(species, DummySpecies)]
    if unknown:
        raise InputError(f"{place}: {unknown[0]} is not an element")
    if not np.isfinite(structure.lattice.matrix).all():
        raise InputError(f"{place}: the lattice is not made of finite numbers")
    if abs(np.linalg.det(structure.lattice.matrix)) < SMALLEST_VOLUME_A3 or min(structure.lattice.abc) < (
        SMALLEST_LENGTH_A
    ):
        raise InputError(f"{place}: the lattice vectors are degenerate, they enclose no volume")
    if not np.isfinite(structure.frac_coords).all():
        raise InputError(f"{place}: coordinates are not finite numbers")
    first, second, *_ = structure.get_neighbor_list(ONE_POINT_A)
    for one, other in zip(first, second, strict=True):
        if structure[one].species.num_atoms + structure[other].species.num_atoms > FULL_OCCUPANCY:
            pair = f"{structure[one].species_string} and {structure[other].species_string}"
            raise InputError(f"{place}: atoms {one + 1} and {other + 1} ({pair}) are on one point: remove one of them")
