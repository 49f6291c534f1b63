"""Bonded groups of a framework (PS4, BH4, P2S7 ...) and their reorientation."""

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from ase.data import covalent_radii
from numpy.typing import NDArray

from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

BoolArray: TypeAlias = NDArray[np.bool_]

# Bonds in hot solids are up to a tenth longer than the sum of covalent radii; second neighbours begin at 1.4 of it.
BOND_REACH = 1.2
# A bond that is longer than this at the end of the run is broken.
BROKEN_REACH = 1.6
# A larger group is a piece of a network that happens to end inside the cell.
MOST_ATOMS = 20
# A tetrahedron turned by one of its symmetries overlaps with itself by 0 or -1/3, an octahedron by 1/3; one that only
# librates by 20 degrees by 0.96.
TURNED_OVERLAP = 0.5
LAGS = 24
SAME_PLACE_A = 0.1


@dataclass(frozen=True, eq=False)
class Orientation:
    """Orientational correlation of bonded groups.

    Attributes:
        groups: number of bonded groups that persisted through the run.
        lags: in frames, up to half the run, shape (L,).
        correlation: overlap of a group with itself that much later, mean over groups and origins, shape (L,): tr R / 3
            for a rotation R of a tetrahedron or octahedron, exp(-2 D_r t) under rotational diffusion.
        turned: share of groups and origins whose overlap at the last lag is below one half.
    """

    groups: int
    lags: IntArray
    correlation: FloatArray
    turned: float


def bonded_groups(system: AtomicSystem, members: BoolArray) -> list[tuple[IntArray, FloatArray]]:
    """Find finite groups of two or more bonded atoms; networks are left out.

    Two atoms are bonded when they are closer than 1.2 times the sum of their covalent radii (Cordero et al., Dalton
    Trans. 2832, 2008).

    Args:
        system: the cell.
        members: mask of the atoms considered, shape (N,).

    Returns:
        For each group the indices of its atoms, shape (n,), and their positions in Angstrom, not broken across the
        cell, shape (n, 3).
    """
    atoms = np.flatnonzero(members)
    if not len(atoms):
        return []
    reach = BOND_REACH * covalent_radii[system.numbers[atoms]]
    pairs = pairs_within(system.positions_A[atoms], system.lattice_A, 2 * float(reach.max()))
    pairs = pairs.where(pairs.distances_A < reach[pairs.edge_index].sum(axis=0))
    bonds: list[list[tuple[int, FloatArray]]] = [[] for _ in atoms]
    for (atom, other), vector in zip(pairs.edge_index.T.tolist(), pairs.vectors_A, strict=True):
        bonds[atom].append((other, vector))
    visited: set[int] = set()
    groups = []
    for start in range(len(atoms)):
        if start in visited:
            continue
        body, finite = _connected(start, bonds)
        visited |= set(body)
        if finite and 1 < len(body) <= MOST_ATOMS:
            places = system.positions_A[atoms[start]] + np.array(list(body.values()))
            groups.append((atoms[list(body)], places))
    return groups


def orientation(
    displacements_A: FloatArray, groups: list[tuple[IntArray, FloatArray]], *, numbers: IntArray
) -> Orientation | None:
    """Compute the autocorrelation of the orientation of bonded groups.

    A group is the 3n numbers of its atoms' positions from their centroid, scaled to unit length; its overlap with
    itself later is their scalar product.

    Args:
        displacements_A: of all atoms from the frame in which the groups were found, shape (F, N, 3).
        groups: from `bonded_groups`.
        numbers: atomic numbers, shape (N,).

    Returns:
        The correlation, or None where no group persists through the run.
    """
    half = max(1, (len(displacements_A) - 1) // 2)
    lags = np.unique(np.round(np.geomspace(1, half, LAGS)).astype(np.int64))
    curves, turned = [], []
    for atoms, places in groups:
        bodies = places + displacements_A[:, atoms]
        if _broken(bodies, places, covalent_radii[numbers[atoms]]):
            continue
        arms = (bodies - bodies.mean(axis=1, keepdims=True)).reshape(len(bodies), -1)
        arms /= np.linalg.norm(arms, axis=1, keepdims=True)
        overlaps = [np.einsum("fa,fa->f", arms[lag:], arms[:-lag]) for lag in lags.tolist()]
        curves.append([float(overlap.mean()) for overlap in overlaps])
        turned.append(float((overlaps[-1] < TURNED_OVERLAP).mean()))
    if not curves:
        return None
    return Orientation(
        groups=len(curves),
        lags=lags,
        correlation=np.mean(curves, axis=0),
        turned=float(np.mean(turned)),
    )


def _connected(start: int, bonds: list[list[tuple[int, FloatArray]]]) -> tuple[dict[int, FloatArray], bool]:
    """Return the atoms of a group with positions relative to one; False where the group meets its own image."""
    finite = True
    places: dict[int, FloatArray] = {start: np.zeros(3)}
    queue = deque([start])
    while queue:
        atom = queue.popleft()
        for other, vector in bonds[atom]:
            place = places[atom] + vector
            if other not in places:
                places[other] = place
                queue.append(other)
            elif np.abs(places[other] - place).max() > SAME_PLACE_A:
                finite = False
    return places, finite


def _broken(bodies: FloatArray, start: FloatArray, radii: FloatArray) -> bool:
    """Return True if a bond of the first frame is broken in the last."""
    reach = radii[:, None] + radii[None, :]

    def distances(body: FloatArray) -> FloatArray:
        lengths: FloatArray = np.linalg.norm(body[:, None] - body[None, :], axis=-1)
        return lengths

    bonds = distances(start) < BOND_REACH * reach
    return bool((distances(bodies[-1])[bonds] > BROKEN_REACH * reach[bonds]).any())
