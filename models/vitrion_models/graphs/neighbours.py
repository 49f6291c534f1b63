"""Neighbour search: every pair within a cutoff, with the image it lies in."""

import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vitrion_models.bounds import LONGEST_LATTICE_VECTOR_A, MOST_PAIRS
from vitrion_models.errors import InputError
from vitrion_models.system import PERIODIC, AtomicSystem, FloatArray, IntArray

# Bonds in hot solids are up to a tenth longer than the sum of covalent radii; second neighbours begin at 1.4 of it.
BOND_REACH = 1.2


@dataclass(frozen=True, eq=False)
class NeighbourList:
    """Directed edges i -> j of a periodic cell.

    Attributes:
        edge_index: atom i (row 0, the centre) and atom j (row 1, its neighbour), shape (2, E).
        shifts: lattice translations of the neighbour's image, integers, shape (E, 3).
        vectors_A: from i to the image of j, shape (E, 3): ``positions[j] - positions[i] + shifts @ lattice``.
        distances_A: their lengths, shape (E,).
    """

    edge_index: IntArray
    shifts: IntArray
    vectors_A: FloatArray
    distances_A: FloatArray

    def __len__(self) -> int:
        return len(self.distances_A)

    def where(self, kept: NDArray[np.bool_]) -> "NeighbourList":
        """Return the edges of a mask, shape (E,)."""
        return NeighbourList(self.edge_index[:, kept], self.shifts[kept], self.vectors_A[kept], self.distances_A[kept])

    def require_distinct_atoms(self) -> None:
        """Refuse coincident atoms, whose bond has no direction.

        Raises:
            InputError: two atoms coincide.
        """
        if len(self) and self.distances_A.min() == 0.0:
            raise InputError("two atoms of the cell lie on one another: remove the duplicate")


def neighbour_list(system: AtomicSystem, cutoff_A: float | FloatArray) -> NeighbourList:
    """Find all neighbours of each atom of a cell; see `pairs_within`.

    Args:
        system: cell of N atoms, of any size; atoms may lie outside of it.
        cutoff_A: greatest distance in Angstrom, or a table of them by the two atomic numbers, shape (Z, Z).

    Raises:
        InputError: the cutoff is not a positive number.
    """
    if isinstance(cutoff_A, float | int):
        return pairs_within(system.positions_A, system.lattice_A, cutoff_A, pbc=system.pbc)
    elements = np.unique(system.numbers)
    longest_A = float(cutoff_A[np.ix_(elements, elements)].max())
    pairs = pairs_within(system.positions_A, system.lattice_A, longest_A, pbc=system.pbc)
    return pairs.where(pairs.distances_A <= cutoff_A[tuple(system.numbers[pairs.edge_index])])


def pairs_within(
    positions_A: FloatArray,
    lattice_A: FloatArray,
    cutoff_A: float,
    *,
    half: bool = False,
    pbc: tuple[bool, bool, bool] = PERIODIC,
) -> NeighbourList:
    """Find all pairs of atoms within a cutoff, images of the same atom included.

    Cells smaller than the cutoff are right: an atom then has several images of one neighbour, and of itself. The
    search is vesin's cell list (https://github.com/Luthaf/vesin), linear in the number of atoms. Edges are sorted by
    (i, j, shift), so that sums over them repeat to the last bit.

    Args:
        positions_A: positions, not necessarily inside the cell, shape (N, 3).
        lattice_A: lattice vectors as rows, shape (3, 3).
        cutoff_A: greatest distance in Angstrom.
        half: list each pair once, with i < j, or i = j and the first non-zero entry of the shift positive; otherwise
            both directions are listed.
        pbc: periodicity along each lattice vector; shifts along the others are zero.

    Raises:
        InputError: the cutoff is not a positive number, a lattice vector is too long, or there are too many pairs.
    """
    if not (np.isfinite(cutoff_A) and cutoff_A > 0):
        raise InputError(f"a neighbour cutoff of {cutoff_A} Angstrom is not a positive number")
    # Inside the cell: the search slows down, and loses digits, for atoms that have diffused many cells away.
    box_A = lattice_A if all(pbc) else _enclosing_box(positions_A, lattice_A, cutoff_A, pbc)
    _check_size(positions_A, box_A, cutoff_A)
    cells = np.floor(positions_A @ np.linalg.inv(box_A)).astype(np.int64)
    search = _search_class()(cutoff=float(cutoff_A), full_list=not half, n_threads=1)
    i, j, images = search.compute(positions_A - cells @ box_A, box_A, periodic=True, quantities="ijS")
    i, j = i.astype(np.int64), j.astype(np.int64)
    shifts = images.astype(np.int64) - cells[j] + cells[i]
    if half:
        leading = np.where(shifts[:, 0] != 0, shifts[:, 0], np.where(shifts[:, 1] != 0, shifts[:, 1], shifts[:, 2]))
        reverse = (i > j) | ((i == j) & (leading < 0))
        i, j, shifts = np.where(reverse, j, i), np.where(reverse, i, j), np.where(reverse[:, None], -shifts, shifts)
    order = np.lexsort((shifts[:, 2], shifts[:, 1], shifts[:, 0], j, i))
    edge_index, shifts = np.stack([i[order], j[order]]), shifts[order]
    vectors = positions_A[edge_index[1]] - positions_A[edge_index[0]] + shifts @ lattice_A
    return NeighbourList(edge_index, shifts, vectors, np.linalg.norm(vectors, axis=1))


def bonded_pairs(numbers: IntArray, positions_A: FloatArray, lattice_A: FloatArray) -> NeighbourList:
    """Find the pairs of atoms closer than 1.2 times the sum of their covalent radii, in both directions.

    Radii: Cordero et al., Dalton Trans. 2832 (2008).

    Args:
        numbers: atomic numbers, shape (N,), N > 0.
        positions_A: positions, not necessarily inside the cell, shape (N, 3).
        lattice_A: lattice vectors as rows, shape (3, 3).
    """
    from ase.data import covalent_radii  # noqa: PLC0415 - keeps the import of the package light

    reach_A = BOND_REACH * covalent_radii[numbers]
    pairs = pairs_within(positions_A, lattice_A, 2.0 * float(reach_A.max()))
    return pairs.where(pairs.distances_A < reach_A[pairs.edge_index].sum(axis=0))


def _check_size(positions_A: FloatArray, box_A: FloatArray, cutoff_A: float) -> None:
    """Check the cell and the number of pairs before vesin takes the memory for them; it cannot refuse."""
    longest_A = float(np.abs(box_A).max())
    if not longest_A <= LONGEST_LATTICE_VECTOR_A:
        raise InputError(f"a lattice vector of {longest_A:.3g} Angstrom: at most {LONGEST_LATTICE_VECTOR_A:g} are read")
    neighbours = len(positions_A) * 4 / 3 * np.pi * cutoff_A**3 / abs(float(np.linalg.det(box_A)))
    pairs = len(positions_A) * neighbours
    if pairs <= MOST_PAIRS < len(positions_A) ** 2:
        _, in_cube = np.unique(np.floor(positions_A / cutoff_A), axis=0, return_counts=True)
        pairs = float((in_cube.astype(np.float64) ** 2).sum())  # of atoms that crowd in one place
    if not pairs <= MOST_PAIRS:
        raise InputError(
            f"about {pairs:.1e} pairs of atoms within {cutoff_A:g} Angstrom: at most {MOST_PAIRS} are kept"
        )


def _enclosing_box(
    positions_A: FloatArray, lattice_A: FloatArray, cutoff_A: float, pbc: tuple[bool, bool, bool]
) -> FloatArray:
    """Return the lattice with vectors along the other directions too long for a neighbour across them, shape (3, 3)."""
    periodic = np.array(pbc)
    _, _, axes = np.linalg.svd(np.where(periodic[:, None], lattice_A, 0.0))
    box_A = lattice_A.copy()
    # The last right singular vectors span the space orthogonal to the periodic lattice vectors.
    for row, axis in zip(np.flatnonzero(~periodic), axes[periodic.sum() :], strict=True):
        box_A[row] = (np.ptp(positions_A @ axis) + 2.0 * cutoff_A) * axis
    return box_A


@cache
def _search_class() -> Any:
    # vesin imports torch to accept tensors, which we never give it: 3 s and 550 MB for a worker that needs no torch.
    hide_torch = "torch" not in sys.modules
    if hide_torch:
        sys.modules["torch"] = None  # type: ignore[assignment]
    try:
        from vesin import NeighborList  # noqa: PLC0415 - a shared library, loaded at the first search
    finally:
        if hide_torch:
            del sys.modules["torch"]
    return NeighborList
