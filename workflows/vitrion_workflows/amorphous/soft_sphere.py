"""Soft-sphere relaxation: separate overlapping atoms before a potential evaluates distances it was not trained on."""

from dataclasses import replace

import numpy as np
from ase.data import covalent_radii

from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray

CONTACT_RATIO = 0.85  # of the sum of covalent radii; below every bond of the compounds measured in cell-gates.md
MOST_SWEEPS = 300
LARGEST_MOVE_A = 0.25
COINCIDENT_A = 1e-6


def push_apart(system: AtomicSystem, *, contact_ratio: float = CONTACT_RATIO, seed: int = 0) -> AtomicSystem:
    """Move atoms until no pair is closer than a share of its covalent radii, or the sweeps are spent.

    Gradient descent on the soft-sphere energy sum (d0 - d)^2 / 2 over pairs closer than d0 = ratio (r_i + r_j),
    every sweep one step, no atom moving more than 0.25 A in it. Positions without overlap are returned unchanged.

    Args:
        system: the cell, N atoms.
        contact_ratio: least distance to reach, over the sum of covalent radii.
        seed: seed of the directions in which coincident atoms part.

    Returns:
        A cell with the same lattice and order of atoms.
    """
    rng = np.random.default_rng(seed)
    contacts_A = contact_ratio * (covalent_radii[:, None] + covalent_radii)
    for _ in range(MOST_SWEEPS):
        displacements = _displacements_A(system, contacts_A, rng)
        if displacements is None:
            return system
        lengths = np.linalg.norm(displacements, axis=1, keepdims=True)
        displacements *= np.minimum(1.0, LARGEST_MOVE_A / np.maximum(lengths, COINCIDENT_A))
        system = replace(system, positions_A=system.positions_A + displacements)
    return system


def _displacements_A(system: AtomicSystem, contacts_A: FloatArray, rng: np.random.Generator) -> FloatArray | None:
    # Sum of the pushes on each atom, shape (N, 3); None without overlap.
    pairs = neighbour_list(system, contacts_A)
    pairs = pairs.where(pairs.edge_index[0] != pairs.edge_index[1])
    if not len(pairs):
        return None
    distances_A = pairs.distances_A
    directions = pairs.vectors_A / np.maximum(distances_A, COINCIDENT_A)[:, None]
    coincident = distances_A < COINCIDENT_A
    directions[coincident] = rng.normal(size=(int(coincident.sum()), 3))
    # A hair beyond contact, so that the descent arrives instead of creeping up to it.
    depths_A = (contacts_A[tuple(system.numbers[pairs.edge_index])] - distances_A) * 0.55 + 1e-3
    displacements = np.zeros((len(system), 3))
    np.add.at(displacements, pairs.edge_index[0], -directions * depths_A[:, None])
    return displacements
