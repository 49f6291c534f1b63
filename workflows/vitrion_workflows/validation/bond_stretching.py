"""Stiff bonds taken out of the motion: what is left when no covalent bond changes its length."""

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
# Bonds are looked up again after so many frames. Any pair may be held, bonded or not: it only costs a coordinate.
FRAMES_A_LIST = 16
# More are not held: a cell of so many is large enough to be stored more often, and a matrix of all of them too large.
MOST_BONDS = 600
# Bonds that depend on each other (a cluster with more bonds than coordinates) share what they take.
RIDGE = 1e-8


@dataclass(frozen=True, eq=False)
class Rest:
    """Motion without stretches.

    Attributes:
        steps_A: displacements between frames, shape (F - 1, N, 3).
        freedom: degrees of freedom that each atom keeps in each step, 3 where nothing is held, shape (F - 1, N).
        bonded: whether an atom is ever bonded, shape (N,).
        held: whether all bonds were; False where they are too many.
    """

    steps_A: FloatArray
    freedom: FloatArray
    bonded: BoolArray
    held: bool


def without_stretches(
    positions_A: FloatArray, numbers: IntArray, *, masses_u: FloatArray, lattice_A: FloatArray
) -> Rest:
    """Project the stretches of covalent bonds out of the steps between frames.

    With the rows e_ij (v_i - v_j) of J for the bonds between i and j, the velocity v - M^-1 J^T (J M^-1 J^T)^-1 J v
    leaves all bond lengths as they are (SHAKE's projection: Ryckaert et al., J. Comput. Phys. 23, 327, 1977). In
    equilibrium momenta know nothing of positions, so that each remaining degree of freedom has k_B T / 2, whichever
    directions were taken out; the trace of the projection counts them.

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
    for first in range(0, len(steps), FRAMES_A_LIST):
        block = slice(first, first + FRAMES_A_LIST)
        ends, vectors = _bonds(positions_A[first], stiff, numbers, lattice_A)
        bonded[ends] = True
        if len(ends) > MOST_BONDS:
            return Rest(np.diff(positions_A, axis=0), np.full(steps.shape[:2], 3.0), bonded, held=False)
        if not len(ends):
            continue
        signs = np.zeros((len(ends), len(numbers)))
        rows = np.arange(len(ends))
        signs[rows, ends[:, 0]], signs[rows, ends[:, 1]] = 1.0, -1.0
        middle = positions_A[block][: len(steps[block])] + 0.5 * steps[block] - positions_A[first]
        arms = vectors + middle[:, ends[:, 0]] - middle[:, ends[:, 1]]
        arms /= np.linalg.norm(arms, axis=2, keepdims=True)
        turned = np.einsum("tax,tbx->tab", arms, arms)
        coupling = (signs / masses_u) @ signs.T * turned
        coupling[:, rows, rows] *= 1 + RIDGE
        inverse = np.linalg.inv(coupling)
        rates = np.einsum("tax,tax->ta", arms, steps[block][:, ends[:, 0]] - steps[block][:, ends[:, 1]])
        pushes = np.einsum("tab,tb->ta", inverse, rates)[:, :, None] * arms
        steps[block] -= np.einsum("an,tax->tnx", signs / masses_u, pushes)
        freedom[block] -= ((turned * inverse) @ signs * signs).sum(axis=1) / masses_u
    return Rest(steps, freedom, bonded, held=True)


def _bonds(
    positions_A: FloatArray, stiff: IntArray, numbers: IntArray, lattice_A: FloatArray
) -> tuple[IntArray, FloatArray]:
    """Bonded pairs, shape (B, 2), and vectors from the second to the first, shape (B, 3)."""
    kinds = np.unique(numbers[stiff])
    if not len(kinds) or (len(kinds) == 1 and kinds[0] > LAST_OF_FIRST_ROW):  # a chloride: none that could bond
        return np.empty((0, 2), dtype=np.int64), np.empty((0, 3))
    radii = BOND_REACH * covalent_radii[numbers[stiff]]
    one, other, vectors = primitive_neighbor_list("ijD", (True, True, True), lattice_A, positions_A[stiff], radii)
    likes = (numbers[stiff[one]] == numbers[stiff[other]]) & (numbers[stiff[one]] > LAST_OF_FIRST_ROW)
    once = (one < other) & ~likes
    return np.stack([stiff[one[once]], stiff[other[once]]], axis=1), -vectors[once]
