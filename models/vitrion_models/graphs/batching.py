"""Systems -> graphs and batches of torch_geometric."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch_geometric.data import Batch, Data

from vitrion_models.graphs.neighbours import neighbour_list
from vitrion_models.system import AtomicSystem


def crystal_graph(
    system: AtomicSystem,
    *,
    cutoff_A: float,
    mobile_number: int | None = None,
    dtype: torch.dtype = torch.float32,
) -> Data:
    """Return the graph of one system.

    Args:
        system: cell, slab or molecule of N atoms.
        cutoff_A: radius of the neighbour list.
        mobile_number: atomic number of the mobile species, flagged in ``mobile``; None flags no atom.
        dtype: floating type of positions, vectors and lattice.

    Returns:
        Data with ``numbers`` (N,), ``positions_A`` (N, 3), ``lattice_A`` (1, 3, 3), ``edge_index`` (2, E), ``shifts``
        (E, 3), ``vectors_A`` (E, 3), ``distances_A`` (E,) and ``mobile`` (N,), True for the mobile species.

    Raises:
        InputError: the cutoff is not a positive number, or two atoms coincide.
    """
    neighbours = neighbour_list(system, cutoff_A)
    neighbours.require_distinct_atoms()
    mobile = np.zeros(len(system), dtype=bool) if mobile_number is None else system.numbers == mobile_number
    return Data(
        numbers=torch.from_numpy(system.numbers.copy()),
        # Copies: a cell's arrays may be read-only (a database's), and a graph must not share them.
        positions_A=torch.tensor(system.positions_A, dtype=dtype),
        lattice_A=torch.tensor(system.lattice_A, dtype=dtype)[None],
        edge_index=torch.from_numpy(neighbours.edge_index),
        shifts=torch.from_numpy(neighbours.shifts),
        vectors_A=torch.as_tensor(neighbours.vectors_A, dtype=dtype),
        distances_A=torch.as_tensor(neighbours.distances_A, dtype=dtype),
        mobile=torch.from_numpy(mobile),
        num_nodes=len(system),
    )


def collate(graphs: Sequence[Data]) -> Any:
    """Return one batch of several graphs; its ``batch`` (N,) is the index of the graph of each atom."""
    return Batch.from_data_list(list(graphs))
