"""Removal of bond stretching: motion in which no covalent bond changes its length."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from ase.neighborlist import primitive_neighbor_list
from numpy.typing import NDArray

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.analysis.orientation import BOND_REACH

BoolArray: TypeAlias = NDArray[np.bool_]

# Elements whose bonds to each other stretch with 15 to 125 THz; bonds to other metals stay below what 20 fs resolve.
STIFF = tuple(
    atomic_numbers[symbol]
    for symbol in "H B C N O F Al Si P S Cl Ge As Se Br Sb Te I".split()  # noqa: SIM905
)
# Two heavier atoms of one element (iodine) touch without a bond in hot salts; where they have one it is slow.
LAST_OF_FIRST_ROW = 10
# Bonds are searched again after so many frames. Constraining a pair that is not bonded only costs a coordinate.
FRAMES_PER_SEARCH = 16
# More are not constrained: the matrix is too large, and a cell of so many bonds can be stored more often.
MOST_BONDS = 600
# Bonds that depend on each other (a cluster with more bonds than coordinates) share the coordinates that they remove.
RIDGE = 1e-8


@dataclass(frozen=True, eq=False)
class ConstrainedMotion:
    """Motion without bond stretching.

    Attributes:
        steps_A: displacements between frames, shape (F - 1, N, 3).
        degrees_of_freedom: of each atom in each step, 3 where nothing is constrained, shape (F - 1, N).
        bonded: True for an atom that is ever bonded, shape (N,).
        constrained: True where all bonds were; False where they are too many.
    """

    steps_A: FloatArray
    degrees_of_freedom: FloatArray
    bonded: BoolArray
    constrained: bool


@dataclass(frozen=True, eq=False)
class _Bonds:
    """Bonded pairs, shape (B, 2), and the vectors from the second to the first atom, shape (B, 3)."""

    pairs: IntArray
    vectors_A: FloatArray


def remove_bond_stretching(
    positions_A: FloatArray, numbers: IntArray, *, masses_u: FloatArray, lattice_A: FloatArray
) -> ConstrainedMotion:
    """Project the stretching of covalent bonds out of the steps between frames.

    With the rows e_ij (v_i - v_j) of J for the bonds between i and j, the velocity v - M^-1 J^T (J M^-1 J^T)^-1 J v
    leaves all bond lengths as they are (SHAKE's projection: Ryckaert et al., J. Comput. Phys. 23, 327, 1977). In
    equilibrium momenta are independent of positions, so that each remaining degree of freedom has k_B T / 2, whichever
    directions were removed; the trace of the projection counts them.

    Args:
        positions_A: unwrapped, shape (F, N, 3).
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        lattice_A: shape (3, 3).
    """
    steps = np.diff(positions_A, axis=0)
    stiff = np.flatnonzero(np.isin(numbers, STIFF))
    freedom = np.full(steps.shape[:2], 3.0)
    bonded = np.zeros(len(numbers), dtype=np.bool_)
    for first in range(0, len(steps), FRAMES_PER_SEARCH):
        block = slice(first, first + FRAMES_PER_SEARCH)
        bonds = _find_bonds(positions_A[first], stiff, numbers, lattice_A)
        bonded[bonds.pairs] = True
        if len(bonds.pairs) > MOST_BONDS:
            return ConstrainedMotion(
                np.diff(positions_A, axis=0), np.full(steps.shape[:2], 3.0), bonded, constrained=False
            )
        if len(bonds.pairs):
            midpoints = positions_A[block][: len(steps[block])] + 0.5 * steps[block] - positions_A[first]
            removed, count = _stretching(steps[block], midpoints, bonds, masses_u=masses_u)
            steps[block] -= removed
            freedom[block] -= count
    return ConstrainedMotion(steps, freedom, bonded, constrained=True)


def _stretching(
    steps: FloatArray, midpoints: FloatArray, bonds: _Bonds, *, masses_u: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the part of steps, shape (T, N, 3), that stretches bonds, and the degrees of freedom in it, shape (T, N).

    Midpoints of the steps are displacements from where the bonds were found, shape (T, N, 3).
    """
    signs = np.zeros((len(bonds.pairs), len(masses_u)))
    rows = np.arange(len(bonds.pairs))
    begin, end = bonds.pairs.T
    signs[rows, begin], signs[rows, end] = 1.0, -1.0
    directions = bonds.vectors_A + midpoints[:, begin] - midpoints[:, end]
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    cosines = np.einsum("tax,tbx->tab", directions, directions)
    coupling = (signs / masses_u) @ signs.T * cosines
    coupling[:, rows, rows] *= 1 + RIDGE
    inverse = np.linalg.inv(coupling)
    rates = np.einsum("tax,tax->ta", directions, steps[:, begin] - steps[:, end])
    impulses = np.einsum("tab,tb->ta", inverse, rates)[:, :, None] * directions
    removed: FloatArray = np.einsum("an,tax->tnx", signs / masses_u, impulses)
    count: FloatArray = ((cosines * inverse) @ signs * signs).sum(axis=1) / masses_u
    return removed, count


def _find_bonds(positions_A: FloatArray, stiff: IntArray, numbers: IntArray, lattice_A: FloatArray) -> _Bonds:
    elements = np.unique(numbers[stiff])
    if not len(elements) or (len(elements) == 1 and elements[0] > LAST_OF_FIRST_ROW):  # a chloride has no such bond
        return _Bonds(np.empty((0, 2), dtype=np.int64), np.empty((0, 3)))
    radii = BOND_REACH * covalent_radii[numbers[stiff]]
    first, second, vectors = primitive_neighbor_list("ijD", (True, True, True), lattice_A, positions_A[stiff], radii)
    alike = (numbers[stiff[first]] == numbers[stiff[second]]) & (numbers[stiff[first]] > LAST_OF_FIRST_ROW)
    once = (first < second) & ~alike
    return _Bonds(np.stack([stiff[first[once]], stiff[second[once]]], axis=1), -vectors[once])
