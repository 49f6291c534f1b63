"""Neighbours of chosen species, every periodic image counted."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

BoolArray: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Ordered pairs, each once from either side, an atom's own images among them.

    Attributes:
        centres: index of the first atom, shape (P,).
        others: index of the second, shape (P,).
        vectors_A: from the first to the image of the second, shape (P, 3).
        distances_A: shape (P,).
    """

    centres: IntArray
    others: IntArray
    vectors_A: FloatArray
    distances_A: FloatArray


def neighbours(
    system: AtomicSystem, cutoff_A: float, *, centre: str | None = None, neighbour: str | None = None
) -> Neighbours:
    """Pairs within a distance that may exceed the cell.

    Args:
        system: the cell.
        cutoff_A: greatest distance.
        centre: chemical symbol of the first atom; any when None.
        neighbour: of the second; any when None.

    Raises:
        InputError: unknown or absent species, or a cutoff that is not positive.
    """
    if not (np.isfinite(cutoff_A) and cutoff_A > 0):
        raise InputError(f"a cutoff of {cutoff_A:g} A finds no neighbours: give a positive one")
    import vesin  # noqa: PLC0415 - imports torch where that is installed, which takes seconds

    first, second, vectors, distances = vesin.NeighborList(cutoff=cutoff_A, full_list=True).compute(
        points=system.positions_A, box=system.lattice_A, periodic=True, quantities="ijDd"
    )
    kept = members(system, centre)[first] & members(system, neighbour)[second]
    return Neighbours(
        centres=first[kept].astype(np.int64),
        others=second[kept].astype(np.int64),
        vectors_A=vectors[kept],
        distances_A=distances[kept],
    )


def members(system: AtomicSystem, species: str | None) -> BoolArray:
    """Mask of the atoms of a species, shape (N,); all when None.

    Raises:
        InputError: no such element, or none in the cell.
    """
    if species is None:
        return np.ones(len(system), dtype=bool)
    number = atomic_numbers.get(species)
    if not number:
        raise InputError(f"{species!r} is no chemical symbol: give for example Li")
    mask: BoolArray = system.numbers == number
    if not mask.any():
        raise InputError(f"the cell holds no {species}")
    return mask
