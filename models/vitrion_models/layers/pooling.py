"""Pooling of atoms to cells: means, so that a supercell has the prediction of its cell."""

import torch
from torch import Tensor


def sum_at(values: Tensor, index: Tensor, size: int) -> Tensor:
    """Return the sums of the rows of `values` (E, ...) with equal `index` (E,), shape (size, ...)."""
    out = values.new_zeros((size, *values.shape[1:]))
    return out.index_add(0, index, values)


def mean_pool(values: Tensor, batch: Tensor, graphs: int, *, mask: Tensor | None = None) -> Tensor:
    """Return the mean over the atoms of each graph.

    Args:
        values: one row an atom, shape (N, F).
        batch: graph of each atom, shape (N,).
        graphs: number of graphs B.
        mask: atoms to average over, shape (N,), for example the mobile ions; all if None.

    Returns:
        Means, shape (B, F); zero for a graph without such an atom.
    """
    weight = torch.ones_like(batch, dtype=values.dtype) if mask is None else mask.to(values.dtype)
    total = sum_at(values * weight[:, None], batch, graphs)
    count = sum_at(weight, batch, graphs)
    return total / count.clamp(min=1.0)[:, None]
