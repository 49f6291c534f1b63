"""Neighbours of chosen species."""

from typing import TypeAlias

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from vitrion_models.errors import InputError
from vitrion_models.graphs import NeighbourList, neighbour_list
from vitrion_models.system import AtomicSystem

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
        raise InputError(f"the cell holds no {species}")
    return mask
