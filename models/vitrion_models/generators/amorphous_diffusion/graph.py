"""Noised cells -> graph of the denoiser, with a bounded number of neighbours."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class NoisyBatch:
    """Several noised cells as one graph.

    Attributes:
        numbers: atomic numbers, shape (N,).
        edge_index: receiving atom (row 0) and sending atom (row 1) of each edge, shape (2, E).
        vectors_A: from the centre to the neighbour's image, shape (E, 3).
        reach_A: cutoff of the receiving atom, for each edge, shape (E,).
        cell: cell of each atom, shape (N,).
        sigma_A: noise of each cell, shape (B,).
        log_density: logarithm of the number density in atoms per cubic Angstrom, shape (B,).
    """

    numbers: Tensor
    edge_index: Tensor
    vectors_A: Tensor
    reach_A: Tensor
    cell: Tensor
    sigma_A: Tensor
    log_density: Tensor


def noisy_batch(
    cells: Sequence[AtomicSystem],
    sigmas_A: Sequence[float] | FloatArray,
    *,
    cutoff_A: float,
    max_neighbours: int,
    dtype: torch.dtype = torch.float32,
) -> NoisyBatch:
    """Return one graph of several noised cells.

    An atom with more than `max_neighbours` within the cutoff keeps those nearer than the first excluded one, and that
    distance becomes its reach. The denoiser's envelope vanishes at the reach, so edges enter and leave at weight zero
    and the output is continuous.

    Args:
        cells: noised cells.
        sigmas_A: noise of each, Angstrom, shape (B,).
        cutoff_A: longest edge.
        max_neighbours: largest number of edges into one atom.
        dtype: floating type of the result.
    """
    edge_indices, vectors, reaches, offset = [], [], [], 0
    for cell in cells:
        edges = neighbour_list(cell, cutoff_A)
        centre, distance = edges.edge_index[0], edges.distances_A
        reach = _reach(centre, distance, atoms=len(cell), cutoff_A=cutoff_A, bound=max_neighbours)
        kept = distance < reach[centre]
        edge_indices.append(edges.edge_index[:, kept] + offset)
        vectors.append(edges.vectors_A[kept])
        reaches.append(reach[centre[kept]])
        offset += len(cell)
    return NoisyBatch(
        numbers=torch.from_numpy(np.concatenate([cell.numbers for cell in cells])),
        edge_index=torch.from_numpy(np.concatenate(edge_indices, axis=1)),
        vectors_A=torch.as_tensor(np.concatenate(vectors), dtype=dtype),
        reach_A=torch.as_tensor(np.concatenate(reaches), dtype=dtype),
        cell=torch.from_numpy(np.repeat(np.arange(len(cells)), [len(cell) for cell in cells])),
        sigma_A=torch.as_tensor(np.asarray(sigmas_A, dtype=float), dtype=dtype),
        log_density=torch.as_tensor(np.log([len(cell) / cell.volume_A3 for cell in cells]), dtype=dtype),
    )


def _reach(centre: IntArray, distance: FloatArray, *, atoms: int, cutoff_A: float, bound: int) -> FloatArray:
    """Return the cutoff of each atom: the common one, or the distance of its first neighbour beyond the bound."""
    order = np.lexsort((distance, centre))
    first = np.searchsorted(centre[order], np.arange(atoms))
    counts = np.bincount(centre, minlength=atoms)
    reach = np.full(atoms, cutoff_A)
    crowded = np.flatnonzero(counts > bound)
    reach[crowded] = distance[order][first[crowded] + bound]
    return reach
