"""Checks of a structure before anything is stored or computed: a cell of matter, and no atoms in one another."""

import numpy as np
from pymatgen.core.structure import Structure

from vitrion_models.bounds import LONGEST_LATTICE_VECTOR_A
from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.errors import InputError
from vitrion_models.graphs.neighbours import NeighbourList, pairs_within
from vitrion_models.system import FloatArray
from vitrion_workflows.structure.contacts import CONTACT_RADII_A

SMALLEST_HEIGHT_A = 0.1
# Osmium has 22.6; ices and metals in shock waves stay below.
LARGEST_DENSITY_G_CM3 = 40.0
# One atom in a box of 50 A has 1.25e5; a search of neighbours is slow in much emptier ones.
LARGEST_VOLUME_A3_PER_ATOM = 1e6
# Two atoms so near are on one point; together they may fill it once, as on a partially occupied site.
ONE_POINT_A = 0.02
FULL_OCCUPANCY = 1.01
# Shortest distance over the sum of contact radii: 0.60 (O-F) and more among fully occupied sites of OBELiX, where
# hydrogen, noise and split sites are the least certain (docs/formats.md). H2 has 0.74 A.
LEAST_CONTACT = 0.60
LEAST_DISTANCE_A = 0.5
# Partially occupied sites that are too near exclude each other. Refined occupancies of such pairs add up to 1.08.
EXCLUSIVE_OCCUPANCY = 1.1


def check_structure(structure: Structure, *, place: str) -> None:
    """Check that a structure is a cell of atoms at distances that atoms have.

    Args:
        structure: partially occupied sites may exclude each other.
        place: in the file, for messages.

    Raises:
        InputError: no atoms, coordinates or lattice not finite, a lattice that is flat or larger than matter of its
            atoms can fill, a density that no matter has, or atoms too near each other.
    """
    if len(structure) == 0:
        raise InputError(f"{place}: no atoms in it")
    lattice_A = np.asarray(structure.lattice.matrix)
    if not np.isfinite(lattice_A).all():
        raise InputError(f"{place}: the lattice is not made of finite numbers")
    if not np.isfinite(structure.frac_coords).all():
        raise InputError(f"{place}: coordinates are not finite numbers")
    _check_size(structure, lattice_A, place)
    _check_contacts(structure, lattice_A, place)


def _check_size(structure: Structure, lattice_A: FloatArray, place: str) -> None:
    longest_A = float(np.abs(lattice_A).max())
    if longest_A > LONGEST_LATTICE_VECTOR_A:
        raise InputError(f"{place}: a lattice vector of {longest_A:.3g} A is impossible: correct the cell")
    volume_A3 = abs(float(np.linalg.det(lattice_A)))
    areas = np.linalg.norm(np.cross(lattice_A[[1, 2, 0]], lattice_A[[2, 0, 1]]), axis=1)
    if not volume_A3 > SMALLEST_HEIGHT_A * float(areas.max()):
        raise InputError(f"{place}: the lattice vectors are degenerate, they enclose no volume")
    density = float(structure.composition.weight) / volume_A3 * U_PER_A3_IN_G_PER_CM3
    if density > LARGEST_DENSITY_G_CM3:
        raise InputError(f"{place}: a density of {density:.3g} g/cm3 is impossible: check the unit of the lattice")
    if volume_A3 / len(structure) > LARGEST_VOLUME_A3_PER_ATOM:
        raise InputError(
            f"{place}: {len(structure)} atoms in {volume_A3:.3g} A3 are no cell: check the unit of the lattice"
        )


def _check_contacts(structure: Structure, lattice_A: FloatArray, place: str) -> None:
    radii = np.array([min(CONTACT_RADII_A[species.Z] for species in site.species) for site in structure])
    occupancies = np.array([site.species.num_atoms for site in structure])
    reach = max(2 * LEAST_CONTACT * float(radii.max()), LEAST_DISTANCE_A)
    pairs = pairs_within(np.asarray(structure.cart_coords), lattice_A, reach, half=True)
    first, second = pairs.edge_index
    together = occupancies[first] + occupancies[second]
    least = np.maximum(LEAST_CONTACT * (radii[first] + radii[second]), LEAST_DISTANCE_A)
    overlapping = (pairs.distances_A < least) & (together > EXCLUSIVE_OCCUPANCY)
    on_one_point = (pairs.distances_A < ONE_POINT_A) & (together > FULL_OCCUPANCY)
    if on_one_point.any():
        raise InputError(f"{place}: {_shortest(structure, pairs.where(on_one_point))} are on one point: remove one")
    if overlapping.any():
        worst = pairs.where(overlapping)
        raise InputError(
            f"{place}: {_shortest(structure, worst)} are {worst.distances_A.min():.2g} A apart, nearer than atoms can "
            "be: check the scale, the unit and the kind of the coordinates"
        )


def _shortest(structure: Structure, pairs: NeighbourList) -> str:
    first, second = pairs.edge_index[:, int(pairs.distances_A.argmin())].tolist()
    names = f"{structure[first].species_string} and {structure[second].species_string}"
    return f"atoms {first + 1} and {second + 1} ({names})"
