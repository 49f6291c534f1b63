"""Screened repulsion of nuclei at short distances, which a neuroevolution potential adds to its network."""

from dataclasses import dataclass

import numpy as np
import torch

from vitrion_models.system import FloatArray, IntArray

COULOMB_eV_A = 14.399645
SCREENING_PER_A = 2.134563  # times (Z_i^0.23 + Z_j^0.23)
EXPONENT = 0.23
FACTORS = np.array([0.18175, 0.50986, 0.28022, 0.02817])
RATES = np.array([3.1998, 0.94229, 0.4029, 0.20162])


@dataclass(frozen=True, eq=False)
class Repulsion:
    """Energy of C structures, forces on A atoms and strain derivatives.

    Attributes:
        energies_eV: shape (C,).
        forces_eV_per_A: shape (A, 3).
        virials_eV: derivative of the energy with respect to strain, shape (C, 3, 3).
    """

    energies_eV: torch.Tensor
    forces_eV_per_A: torch.Tensor
    virials_eV: torch.Tensor

    def to(self, dtype: torch.dtype, device: str) -> "Repulsion":
        """Return the same numbers in another precision or on another device."""
        tensors = (self.energies_eV, self.forces_eV_per_A, self.virials_eV)
        return Repulsion(*(tensor.to(dtype=dtype, device=device) for tensor in tensors))


def repulsion(
    edges: IntArray, vectors: FloatArray, numbers: IntArray, cells: IntArray, radii_A: tuple[float, float]
) -> Repulsion:
    """Evaluate the universal potential of Ziegler, Biersack and Littmark, switched off between two distances.

    Args:
        edges: both directions of each pair, shape (2, P).
        vectors: from the first to the second atom, shape (P, 3), in A.
        numbers: atomic numbers, shape (A,).
        cells: structure of each atom, shape (A,).
        radii_A: distances at which the cosine switch begins and ends.
    """
    inner, outer = radii_A
    distances = np.linalg.norm(vectors, axis=1)
    near = distances < outer
    edges, vectors, r = edges[:, near], vectors[near], distances[near]
    charges = numbers[edges]
    scale = SCREENING_PER_A * (charges.astype(float) ** EXPONENT).sum(axis=0)
    terms = FACTORS * np.exp(-RATES * (scale * r)[:, None])
    coulomb = COULOMB_eV_A * charges.prod(axis=0) / r
    bare, bare_slope = terms.sum(axis=1), -(terms * RATES).sum(axis=1) * scale
    phase = np.pi * np.clip((r - inner) / (outer - inner), 0, 1)
    switch, switch_slope = 0.5 * (1 + np.cos(phase)), -0.5 * np.pi / (outer - inner) * np.sin(phase)
    energies = 0.5 * coulomb * bare * switch
    slopes = 0.5 * coulomb * (bare_slope * switch + bare * switch_slope - bare * switch / r)
    gradients = (slopes / r)[:, None] * vectors
    forces, virials = np.zeros((len(numbers), 3)), np.zeros((int(cells.max()) + 1, 3, 3))
    np.add.at(forces, edges[0], gradients)
    np.add.at(forces, edges[1], -gradients)
    owners = cells[edges[0]]
    np.add.at(virials, owners, vectors[:, :, None] * gradients[:, None, :])
    totals = np.bincount(owners, weights=energies, minlength=len(virials))
    return Repulsion(*(torch.as_tensor(array) for array in (totals, forces, virials)))
