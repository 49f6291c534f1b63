"""Edge vectors as a differentiable function of positions, for models that move atoms."""

import torch
from torch import Tensor


def edge_vectors(positions_A: Tensor, lattice_A: Tensor, edge_index: Tensor, shifts: Tensor, batch: Tensor) -> Tensor:
    """Vectors from each centre to its neighbour's image, differentiable in positions and lattice.

    Args:
        positions_A: shape (N, 3), all graphs of a batch one after the other.
        lattice_A: lattice vectors as rows, shape (B, 3, 3).
        edge_index: centres and neighbours, shape (2, E).
        shifts: whole-number lattice translations of the neighbours, shape (E, 3).
        batch: graph of each atom, shape (N,).

    Returns:
        Vectors in Angstrom, shape (E, 3).
    """
    centre, neighbour = edge_index
    translation = torch.einsum("ei,eij->ej", shifts.to(positions_A), lattice_A[batch[centre]])
    return positions_A[neighbour] - positions_A[centre] + translation
