"""Pairs of atoms within a distance, every periodic image counted."""

from dataclasses import dataclass

import numpy as np
import vesin

from vitrion_models.system import AtomicSystem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Pairs:
    """Ordered pairs i -> j, each once in both directions.

    Attributes:
        first: index i, shape (P,).
        second: index j, shape (P,).
        vectors_A: from i to the image of j, shape (P, 3).
        distances_A: their lengths, shape (P,).
    """

    first: IntArray
    second: IntArray
    vectors_A: FloatArray
    distances_A: FloatArray


def pairs_within(system: AtomicSystem, cutoff_A: float) -> Pairs:
    """All pairs closer than a distance, an atom's own images among them.

    Args:
        system: the cell.
        cutoff_A: greatest distance in Angstrom; may exceed the cell.
    """
    search = vesin.NeighborList(cutoff=cutoff_A, full_list=True)
    first, second, vectors, distances = search.compute(
        points=system.positions_A, box=system.lattice_A, periodic=True, quantities="ijDd"
    )
    return Pairs(first.astype(np.int64), second.astype(np.int64), vectors, distances)


def narrowest_width_A(system: AtomicSystem) -> float:
    """Least distance between opposite faces of the cell: the diameter of the largest sphere inside it."""
    spacings = 1.0 / np.linalg.norm(np.linalg.inv(system.lattice_A), axis=0)
    return float(spacings.min())
