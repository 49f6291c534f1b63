"""Atoms -> cell: means, so that a supercell predicts what its cell does."""

import torch
from torch import Tensor


def sum_at(values: Tensor, index: Tensor, size: int) -> Tensor:
    """Sums of the rows of `values` (E, ...) that share an index, shape (size, ...)."""
    out = values.new_zeros((size, *values.shape[1:]))
    return out.index_add(0, index, values)


def mean_pool(values: Tensor, batch: Tensor, graphs: int, *, mask: Tensor | None = None) -> Tensor:
    """Mean over the atoms of each graph.

    Args:
        values: one row an atom, shape (N, F).
        batch: graph of each atom, shape (N,).
        graphs: number of graphs B.
        mask: atoms that count, shape (N,), for example the mobile ions; all where None.

    Returns:
        Means, shape (B, F); zero for a graph of which no atom counts.
    """
    weight = torch.ones_like(batch, dtype=values.dtype) if mask is None else mask.to(values.dtype)
    total = sum_at(values * weight[:, None], batch, graphs)
    count = sum_at(weight, batch, graphs)
    return total / count.clamp(min=1.0)[:, None]
