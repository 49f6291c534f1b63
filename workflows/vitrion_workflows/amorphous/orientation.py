"""Bond-orientational order of a cell: the common orientation of the environments of its atoms.

For atoms of element a, neighbours of element b and a shell of distances, each atom i has the Steinhardt vector
q_lm(i) = sum_j Y_lm(r_ij) (Steinhardt, Nelson, Ronchetti, Phys. Rev. B 28, 784 (1983)). Summed over all channels,

    coherence_l = sum |sum_i q_lm(i)|^2 / sum sum_i |q_lm(i)|^2

is 1 when the environments are oriented independently (a glass, a melt), and grows towards the number of equivalent
atoms when they are not (a crystal). Unlike the average of |q_l|^2 it does not depend on the kind of polyhedra, which
a glass has too, only on their common orientation.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.special import sph_harm_y

from vitrion_models.graphs import NeighbourList, neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

DEGREES = (4, 6, 8)
SHELL_A = 0.6
FARTHEST_A = 6.0
NARROWEST_CELL_A = 6.0  # half of it must still hold the first shell


def orientational_coherence(system: AtomicSystem) -> float | None:
    """Return the greatest coherence over l = 4, 6, 8, from neighbours within 6 A or half the smallest cell height.

    Beyond half the height an atom has several images of the same neighbour, whose directions are fixed by the lattice.

    Returns:
        1 for independent orientations, up to the number of atoms for a perfect crystal; None for a cell with a
        height below 6 A.
    """
    width_A = float(system.heights_A.min())
    if width_A < NARROWEST_CELL_A:
        return None
    pairs = neighbour_list(system, min(FARTHEST_A, width_A / 2.0))
    if not len(pairs):
        return None
    return max(_coherence(system.numbers, pairs, degree) for degree in DEGREES)


def _coherence(numbers: IntArray, pairs: NeighbourList, degree: int) -> float:
    harmonics = spherical_harmonics(pairs.vectors_A, pairs.distances_A, degree)
    centre, neighbour = pairs.edge_index
    elements, kind = np.unique(numbers, return_inverse=True)
    shells = (pairs.distances_A / SHELL_A).astype(np.int64)
    # A channel is an element of the neighbour and a shell; each atom has one vector in each channel.
    _, channel = np.unique(shells * len(elements) + kind[neighbour], return_inverse=True)
    channels = int(channel.max()) + 1
    row = channel * len(numbers) + centre
    vectors = np.zeros((channels * len(numbers), 2 * degree + 1), dtype=np.complex128)
    for order in range(2 * degree + 1):
        for part, factor in ((harmonics[:, order].real, 1.0), (harmonics[:, order].imag, 1.0j)):
            vectors[:, order] += factor * np.bincount(row, weights=part, minlength=len(vectors))
    atomic = vectors.reshape(channels, len(numbers), -1)
    summed = sum(float((np.abs(atomic[:, kind == index].sum(axis=1)) ** 2).sum()) for index in range(len(elements)))
    return summed / float((np.abs(atomic) ** 2).sum())


def spherical_harmonics(vectors_A: FloatArray, distances_A: FloatArray, degree: int) -> NDArray[np.complex128]:
    """Return the spherical harmonics Y_lm of P directions for all m, shape (P, 2 l + 1).

    Args:
        vectors_A: vectors of any length, shape (P, 3).
        distances_A: their lengths, shape (P,).
        degree: degree l.
    """
    polar = np.arccos(np.clip(vectors_A[:, 2] / distances_A, -1.0, 1.0))[:, None]
    azimuth = np.arctan2(vectors_A[:, 1], vectors_A[:, 0])[:, None]
    values: NDArray[np.complex128] = sph_harm_y(degree, np.arange(-degree, degree + 1)[None, :], polar, azimuth)
    return values
