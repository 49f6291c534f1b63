"""Neighbours of chosen species, coordination numbers and bond angles."""

from typing import TypeAlias

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from vitrion_models.errors import InputError
from vitrion_models.graphs import NeighbourList, neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.structure.species import absent_species

BoolArray: TypeAlias = NDArray[np.bool_]


def neighbours(
    system: AtomicSystem, cutoff_A: float, *, centre: str | None = None, neighbour: str | None = None
) -> NeighbourList:
    """Find the neighbours of one species around the atoms of another, images included.

    Args:
        system: the cell.
        cutoff_A: greatest distance in Angstrom; may exceed the cell.
        centre: chemical symbol of the first atom; any when None.
        neighbour: of the second; any when None.

    Raises:
        InputError: unknown or absent species, or a cutoff that is not positive.
    """
    pairs = neighbour_list(system, cutoff_A)
    return pairs.where(members(system, centre)[pairs.edge_index[0]] & members(system, neighbour)[pairs.edge_index[1]])


def members(system: AtomicSystem, species: str | None) -> BoolArray:
    """Return the mask of the atoms of a species, shape (N,); all when None.

    Raises:
        InputError: no such element, or none in the cell.
    """
    if species is None:
        return np.ones(len(system), dtype=bool)
    number = atomic_numbers.get(species)
    if not number:
        raise InputError(f"{species!r} is not a chemical symbol: give for example Li")
    mask: BoolArray = system.numbers == number
    if not mask.any():
        raise absent_species(species, source="the cell", present=(chemical_symbols[each] for each in system.numbers))
    return mask


def coordination_numbers(system: AtomicSystem, *, centre: str, neighbour: str, cutoff_A: float) -> IntArray:
    """Count the neighbours of one species around each atom of another.

    Args:
        system: the cell.
        centre: chemical symbol of the central atoms.
        neighbour: chemical symbol of their neighbours.
        cutoff_A: edge of the first shell, for example from `first_minimum_A`.

    Returns:
        Shape (N_centre,), in the order of the cell.

    Raises:
        InputError: unknown or absent species, or a cutoff that is not positive.
    """
    pairs = neighbours(system, cutoff_A, centre=centre, neighbour=neighbour)
    counts: IntArray = np.bincount(pairs.edge_index[0], minlength=len(system))[members(system, centre)]
    return counts


def bond_angles(system: AtomicSystem, *, centre: str, ends: tuple[str, str], cutoff_A: float) -> FloatArray:
    """Compute the angles a-b-c at each atom b between all its neighbours a and c.

    Args:
        system: the cell.
        centre: chemical symbol of b.
        ends: chemical symbols of a and c.
        cutoff_A: greatest length of both bonds.

    Returns:
        Degrees, each angle once, shape (A,); empty where no atom has two neighbours.

    Raises:
        InputError: unknown or absent species, or a cutoff that is not positive.
    """
    same = ends[0] == ends[1]
    first_bonds = neighbours(system, cutoff_A, centre=centre, neighbour=ends[0])
    second_bonds = first_bonds if same else neighbours(system, cutoff_A, centre=centre, neighbour=ends[1])
    all_cosines = []
    for atom in np.flatnonzero(members(system, centre)):
        first = _directions(first_bonds.vectors_A[first_bonds.edge_index[0] == atom])
        second = first if same else _directions(second_bonds.vectors_A[second_bonds.edge_index[0] == atom])
        cosines = np.clip(first @ second.T, -1.0, 1.0)
        all_cosines.append(cosines[np.triu_indices(len(first), k=1)] if same else cosines.ravel())
    angles: FloatArray = np.degrees(np.arccos(np.concatenate(all_cosines)))
    return angles


def _directions(vectors: FloatArray) -> FloatArray:
    directions: FloatArray = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return directions
