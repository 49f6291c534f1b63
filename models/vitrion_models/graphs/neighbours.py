"""Every neighbour within a cutoff, in both directions and with the image it lies in."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class NeighbourList:
    """Directed edges i -> j of a periodic cell; an edge and its reverse are both listed.

    Attributes:
        edge_index: atom i (row 0, the centre) and atom j (row 1, its neighbour), shape (2, E).
        shifts: lattice translations of the neighbour's image, whole numbers, shape (E, 3).
        vectors_A: from i to the image of j, shape (E, 3): ``positions[j] - positions[i] + shifts @ lattice``.
        distances_A: their lengths, shape (E,).
    """

    edge_index: IntArray
    shifts: IntArray
    vectors_A: FloatArray
    distances_A: FloatArray

    def __len__(self) -> int:
        return len(self.distances_A)


def neighbour_list(system: AtomicSystem, cutoff_A: float) -> NeighbourList:
    """Full neighbour list of a cell, self-images included, in an order that depends on the cell alone.

    Cells smaller than the cutoff are right: an atom then has several images of one neighbour, and of itself. The
    search is vesin's cell list (https://github.com/Luthaf/vesin), linear in the number of atoms. Edges are sorted by
    (i, j, shift), so that sums over them repeat to the last bit.

    Args:
        system: cell; atoms may lie outside of it, shifts refer to the positions as they are.
        cutoff_A: radius in Angstrom.

    Raises:
        InputError: the cutoff is not a positive number, or two atoms coincide.
    """
    from vesin import NeighborList as Search  # noqa: PLC0415 - imports torch where torch is installed

    if not (np.isfinite(cutoff_A) and cutoff_A > 0):
        raise InputError(f"a neighbour cutoff of {cutoff_A} Angstrom is not a positive number")
    search = Search(cutoff=float(cutoff_A), full_list=True, n_threads=1)
    first, second, shifts = search.compute(system.positions_A, system.lattice_A, True, "ijS")
    i, j, image = first.astype(np.int64), second.astype(np.int64), shifts.astype(np.int64)
    order = np.lexsort((image[:, 2], image[:, 1], image[:, 0], j, i))
    edge_index, image = np.stack([i[order], j[order]]), image[order]
    vectors = system.positions_A[edge_index[1]] - system.positions_A[edge_index[0]] + image @ system.lattice_A
    distances = np.linalg.norm(vectors, axis=1)
    if len(distances) and distances.min() == 0.0:
        raise InputError("two atoms of the cell lie on one another: remove the duplicate")
    return NeighbourList(edge_index=edge_index, shifts=image, vectors_A=vectors, distances_A=distances)
