"""Crystal network: periodic graph -> embedding by message passing."""

from typing import Any

import torch
from torch import Tensor, nn

from vitrion_models.graphs import element_table
from vitrion_models.layers.message import InvariantLayer
from vitrion_models.layers.pooling import mean_pool
from vitrion_models.layers.radial import BesselBasis

# Neighbours within the default cutoff of an ionic solid or melt; only a scale.
MEAN_NEIGHBOURS = 25.0


class CrystalNetwork(nn.Module):
    """Batch of B graphs -> embeddings, shape (B, width).

    Atoms start from tabulated properties of their element and a flag for the mobile species, exchange messages filtered
    by distance, and are averaged over the cell and over the mobile ions: invariant to rotation, translation, order and
    supercell.

    Attributes:
        width: features of an atom and of the embedding.
    """

    elements: Tensor

    def __init__(self, *, width: int, basis_count: int, layers: int, cutoff_A: float) -> None:
        super().__init__()
        self.width = width
        table = torch.tensor(element_table(), dtype=torch.float32)
        self.register_buffer("elements", table)
        self.basis = BesselBasis(basis_count, cutoff_A)
        self.embed = nn.Linear(table.shape[1] + 1, width)
        self.interactions = nn.ModuleList(
            InvariantLayer(width, basis_count, mean_neighbours=MEAN_NEIGHBOURS) for _ in range(layers)
        )
        self.mix = nn.Linear(2 * width, width)

    def forward(self, graphs: Any) -> Tensor:
        """Return the embeddings of a batch of B graphs made by `vitrion_models.graphs.batching`, shape (B, width)."""
        mobile = graphs.mobile.to(self.elements.dtype)
        x = self.embed(torch.cat([self.elements[graphs.numbers], mobile[:, None]], dim=1))
        basis = self.basis(graphs.distances_A)
        for interaction in self.interactions:
            x = interaction(x, graphs.edge_index, basis)
        count = int(graphs.num_graphs)
        pooled = [mean_pool(x, graphs.batch, count), mean_pool(x, graphs.batch, count, mask=graphs.mobile)]
        return nn.functional.silu(self.mix(torch.cat(pooled, dim=1)))
