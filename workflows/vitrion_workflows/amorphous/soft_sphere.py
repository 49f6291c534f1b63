"""Pushing overlapping atoms apart before a potential, which knows nothing of such distances, sees them."""

import numpy as np
from ase.data import covalent_radii

from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.amorphous.neighbours import Pairs, pairs_within

CONTACT_RATIO = 0.85  # of the sum of covalent radii; below every bond of the compounds measured in cell-gates.md
MOST_SWEEPS = 300
LARGEST_MOVE_A = 0.25
COINCIDENT_A = 1e-6


def push_apart(system: AtomicSystem, *, contact_ratio: float = CONTACT_RATIO, seed: int = 0) -> AtomicSystem:
    """Move atoms until no pair is closer than a share of its covalent radii, or the sweeps are spent.

    Gradient descent on the soft-sphere energy sum (d0 - d)^2 / 2 over pairs closer than d0 = ratio (r_i + r_j),
    every sweep one step, no atom moving more than 0.25 A in it. Positions without overlap come back unchanged.

    Args:
        system: the cell.
        contact_ratio: wanted least distance over the sum of covalent radii.
        seed: direction in which exactly coincident atoms part.

    Returns:
        A cell with the same lattice and order of atoms.
    """
    rng = np.random.default_rng(seed)
    radii = covalent_radii[system.numbers]
    positions = system.positions_A.copy()
    for _ in range(MOST_SWEEPS):
        moved = AtomicSystem(system.numbers, positions, system.lattice_A)
        push = _overlap_forces(pairs_within(moved, 2.0 * contact_ratio * float(radii.max())), radii, contact_ratio, rng)
        if push is None:
            return moved
        lengths = np.linalg.norm(push, axis=1, keepdims=True)
        positions = positions + push * np.minimum(1.0, LARGEST_MOVE_A / np.maximum(lengths, COINCIDENT_A))
    return AtomicSystem(system.numbers, positions, system.lattice_A)


def _overlap_forces(
    pairs: Pairs, radii: FloatArray, contact_ratio: float, rng: np.random.Generator
) -> FloatArray | None:
    contact = contact_ratio * (radii[pairs.first] + radii[pairs.second])
    overlap = (pairs.distances_A < contact) & (pairs.first != pairs.second)
    if not overlap.any():
        return None
    first, distances = pairs.first[overlap], pairs.distances_A[overlap]
    directions = pairs.vectors_A[overlap] / np.maximum(distances, COINCIDENT_A)[:, None]
    coincident = distances < COINCIDENT_A
    directions[coincident] = rng.normal(size=(int(coincident.sum()), 3))
    # A hair beyond contact, so that the descent arrives instead of creeping up to it.
    depth = (contact[overlap] - distances) * 0.55 + 1e-3
    forces = np.zeros((len(radii), 3))
    np.add.at(forces, first, -directions * depth[:, None])
    return forces
