"""The crystal graph network: what the arrangement of atoms adds to the head's level and slope."""

from typing import Any

import torch
from torch import Tensor, nn

from vitrion_models.graphs import element_table
from vitrion_models.layers.message import InvariantLayer
from vitrion_models.layers.pooling import mean_pool
from vitrion_models.layers.radial import BesselBasis
from vitrion_models.surrogates.arrhenius_gnn.config import ArrheniusGNNConfig

# Neighbours within the default cutoff of an ionic solid or melt; only a scale.
MEAN_NEIGHBOURS = 25.0
OUTPUTS = 2


class CrystalNetwork(nn.Module):
    """Periodic graph -> corrections to level and raw slope.

    Atoms start from tabulated properties of their element and a mark on the mobile species, exchange messages filtered
    by distance, and are averaged over the cell and over the mobile ions: invariant to rotation, translation, order and
    supercell. The last layer starts at zero: an untrained network corrects nothing.
    """

    elements: Tensor

    def __init__(self, config: ArrheniusGNNConfig) -> None:
        super().__init__()
        table = torch.tensor(element_table(), dtype=torch.float32)
        self.register_buffer("elements", table)
        self.basis = BesselBasis(config.basis_count, config.cutoff_A)
        self.embed = nn.Linear(table.shape[1] + 1, config.width)
        self.interactions = nn.ModuleList(
            InvariantLayer(config.width, config.basis_count, mean_neighbours=MEAN_NEIGHBOURS)
            for _ in range(config.layers)
        )
        self.mix = nn.Linear(2 * config.width, config.width)
        self.out = nn.Linear(config.width, OUTPUTS)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, graphs: Any) -> Tensor:
        """Corrections of a batch of B graphs made by `vitrion_models.graphs.batching`, shape (B, 2)."""
        mobile = graphs.mobile.to(self.elements.dtype)
        x = self.embed(torch.cat([self.elements[graphs.numbers], mobile[:, None]], dim=1))
        basis = self.basis(graphs.distances_A)
        for interaction in self.interactions:
            x = interaction(x, graphs.edge_index, basis)
        count = int(graphs.num_graphs)
        pooled = [mean_pool(x, graphs.batch, count), mean_pool(x, graphs.batch, count, mask=graphs.mobile)]
        corrections: Tensor = self.out(nn.functional.silu(self.mix(torch.cat(pooled, dim=1))))
        return corrections
