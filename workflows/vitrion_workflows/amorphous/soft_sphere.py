"""Soft-sphere relaxation: separate overlapping atoms before a potential evaluates distances it was not trained on."""

from dataclasses import replace

import numpy as np
from ase.data import covalent_radii

from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray

# 0.85 of the sum of covalent radii, by atomic numbers: below the usual bonds of all pairs.
SOFT_CONTACTS_A: FloatArray = 0.85 * (covalent_radii[:, None] + covalent_radii)
MOST_SWEEPS = 300
LARGEST_MOVE_A = 0.25
COINCIDENT_A = 1e-6


def push_apart(system: AtomicSystem, *, contacts_A: FloatArray = SOFT_CONTACTS_A, seed: int = 0) -> AtomicSystem:
    """Move atoms until no pair is closer than the contact of its elements, or the sweeps are spent.

    Gradient descent on the soft-sphere energy sum (d0 - d)^2 / 2 over pairs closer than their contact d0, every sweep
    one step, no atom moving more than 0.25 A in it. Positions without overlap are returned unchanged.

    Args:
        system: the cell, N atoms.
        contacts_A: least distances to reach, by both atomic numbers, shape (Z, Z).
        seed: seed of the directions in which coincident atoms part.

    Returns:
        A cell with the same lattice and order of atoms.
    """
    rng = np.random.default_rng(seed)
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
