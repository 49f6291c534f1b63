"""Pairs of atoms within a distance, every periodic image counted.

By a k-d tree of the images that can be near: vesin is faster on large cells, but imports torch, which workers that run
dynamics otherwise do without.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.spatial import cKDTree

from vitrion_models.system import AtomicSystem, FloatArray, IntArray

EDGE = 1e-9  # of a fractional coordinate, against rounding at the margin


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
    fractional = system.fractional
    margins = cutoff_A / _heights_A(system)
    reach = [range(-count, count + 1) for count in np.ceil(margins).astype(int)]
    shifts = np.array(list(itertools.product(*reach)), dtype=np.float64)
    images = (fractional[None, :, :] + shifts[:, None, :]).reshape(-1, 3)
    near = np.flatnonzero(((images > -margins - EDGE) & (images < 1.0 + margins + EDGE)).all(axis=1))
    home, points = fractional @ system.lattice_A, images[near] @ system.lattice_A
    found = cKDTree(home).sparse_distance_matrix(cKDTree(points), cutoff_A, output_type="ndarray")
    first, second = found["i"].astype(np.int64), near[found["j"]]
    itself = second == first + len(shifts) // 2 * len(system)
    first, second = first[~itself], second[~itself]
    vectors = images[second] @ system.lattice_A - home[first]
    return Pairs(first, second % len(system), vectors, found["v"][~itself])


def narrowest_width_A(system: AtomicSystem) -> float:
    """Least distance between opposite faces of the cell: the diameter of the largest sphere inside it."""
    return float(_heights_A(system).min())


def _heights_A(system: AtomicSystem) -> FloatArray:
    heights: FloatArray = 1.0 / np.linalg.norm(np.linalg.inv(system.lattice_A), axis=0)
    return heights
