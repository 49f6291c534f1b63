"""Atomic environments: pair distances, shells, angles and radial fingerprints, for comparing cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.spatial.distance import cdist

from vitrion_models.graphs import NeighbourList, neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray, IntArray

REACH_A = 6.0
BIN_A = 0.05
SMOOTHING_A = 0.12
FINGERPRINT_REACH_A = 5.0
FINGERPRINT_WIDTH_A = 0.2
LONGEST_SHELL = 1.6  # of the first peak's distance


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A cell with all its pairs within `REACH_A`."""

    system: AtomicSystem
    edges: NeighbourList

    @classmethod
    def of(cls, system: AtomicSystem) -> "Surroundings":
        """Return the surroundings of every atom of a cell."""
        return cls(system, neighbour_list(system, REACH_A))

    def between(self, centre: int, other: int) -> IntArray:
        """Return the indices of the edges from one element (atomic number) to another, shape (e,)."""
        kinds = self.system.numbers[self.edges.edge_index]
        edges: IntArray = np.flatnonzero((kinds[0] == centre) & (kinds[1] == other))
        return edges


def pair_distances_A(cells: Sequence[Surroundings], centre: int, other: int) -> FloatArray:
    """Return all distances between two elements over several cells, Angstrom, both directions, shape (e,)."""
    return np.concatenate([cell.edges.distances_A[cell.between(centre, other)] for cell in cells])


def partial_rdf(cells: Sequence[Surroundings], centre: int, other: int) -> tuple[FloatArray, FloatArray]:
    """Return the partial radial distribution function, mean over cells.

    g_ab(r) = n_ab(r) V / (4 pi r^2 dr N_a N_b), with n_ab the number of directed pairs in the bin.

    Returns:
        Bin centres in Angstrom and g, both of shape (bins,).
    """
    edges = np.arange(0.0, REACH_A + 0.5 * BIN_A, BIN_A)
    shells = 4.0 / 3.0 * np.pi * np.diff(edges**3)
    curves = []
    for cell in cells:
        numbers = cell.system.numbers
        ideal = np.sum(numbers == centre) * np.sum(numbers == other) / cell.system.volume_A3
        counts, _ = np.histogram(cell.edges.distances_A[cell.between(centre, other)], edges)
        curves.append(counts / (shells * ideal))
    return 0.5 * (edges[1:] + edges[:-1]), np.mean(curves, axis=0)


def first_shell_A(cells: Sequence[Surroundings], centre: int, other: int) -> float | None:
    """Return the radius of the first shell, Angstrom: minimum of g(r) behind its first peak; None without a peak."""
    radius, raw = partial_rdf(cells, centre, other)
    kernel = np.exp(-0.5 * (np.arange(-6, 7) * BIN_A / SMOOTHING_A) ** 2)
    smooth = np.convolve(raw, kernel / kernel.sum(), mode="same")
    rising = np.flatnonzero((smooth[1:-1] >= smooth[:-2]) & (smooth[1:-1] > smooth[2:]) & (smooth[1:-1] > 1.0)) + 1
    if not len(rising):
        return None
    peak = rising[0]
    behind = np.flatnonzero((radius > radius[peak]) & (radius < LONGEST_SHELL * radius[peak]))
    return float(radius[behind[smooth[behind].argmin()]]) if len(behind) else None


def coordination_numbers(cells: Sequence[Surroundings], centre: int, other: int, shell_A: float) -> IntArray:
    """Return the number of neighbours `other` within the shell of each atom `centre`, over all cells, shape (n,)."""
    counts = []
    for cell in cells:
        chosen = cell.between(centre, other)
        near = chosen[cell.edges.distances_A[chosen] < shell_A]
        total = np.bincount(cell.edges.edge_index[0, near], minlength=len(cell.system))
        counts.append(total[cell.system.numbers == centre])
    return np.concatenate(counts)


def bond_angles_deg(cells: Sequence[Surroundings], centre: int, other: int, shell_A: float) -> FloatArray:
    """Return the angles other-centre-other within the shell, degrees, each once, over all cells, shape (n,)."""
    angles = [np.empty(0)]
    for cell in cells:
        chosen = cell.between(centre, other)
        near = chosen[cell.edges.distances_A[chosen] < shell_A]
        arms = cell.edges.vectors_A[near] / cell.edges.distances_A[near, None]
        owners = cell.edges.edge_index[0, near]
        for owner in np.unique(owners):
            own = arms[owners == owner]
            first, second = np.triu_indices(len(own), k=1)
            cosines = np.clip(np.sum(own[first] * own[second], axis=1), -1.0, 1.0)
            angles.append(np.degrees(np.arccos(cosines)))
    return np.concatenate(angles)


def radial_fingerprints(cell: Surroundings, kinds: Sequence[int]) -> FloatArray:
    """Return the smoothed radial density of each element around each atom, weighted by 1/r, shape (N, kinds x bins)."""
    centres = np.arange(1.0, FINGERPRINT_REACH_A, FINGERPRINT_WIDTH_A)
    prints = np.zeros((len(cell.system), len(kinds), len(centres)))
    near = cell.edges.distances_A < FINGERPRINT_REACH_A
    owner, neighbour = cell.edges.edge_index[:, near]
    distance = cell.edges.distances_A[near]
    fade = (1.0 - distance / FINGERPRINT_REACH_A) / distance
    bumps = fade[:, None] * np.exp(-0.5 * ((distance[:, None] - centres) / FINGERPRINT_WIDTH_A) ** 2)
    column = np.searchsorted(np.asarray(kinds), cell.system.numbers[neighbour])
    np.add.at(prints, (owner, column), bumps)
    return prints.reshape(len(cell.system), -1)


def environment_distance(cell: Surroundings, other: Surroundings) -> float:
    """Return the mean distance of the atoms of one cell to their most similar atoms in another; 0 for a copy.

    Distances are between radial fingerprints: invariant to rotation, translation, order of atoms and supercells. Both
    cells must hold the same elements.
    """
    kinds = np.unique(cell.system.numbers).tolist()
    mine, theirs = radial_fingerprints(cell, kinds), radial_fingerprints(other, kinds)
    nearest = [
        cdist(mine[cell.system.numbers == kind], theirs[other.system.numbers == kind]).min(axis=1) for kind in kinds
    ]
    return float(np.mean(np.concatenate(nearest)))
