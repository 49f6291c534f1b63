"""Equivariant network that estimates the score of a noised cell."""

import math

import torch
from torch import Tensor, nn

from vitrion_models.generators.amorphous_diffusion.config import AmorphousDiffusionConfig
from vitrion_models.generators.amorphous_diffusion.graph import NoisyBatch
from vitrion_models.graphs import element_table
from vitrion_models.layers.linear import zero_linear
from vitrion_models.layers.message import EquivariantLayer
from vitrion_models.layers.pooling import mean_pool, sum_at
from vitrion_models.layers.radial import GaussianBasis, polynomial_envelope

SIGMA_FEATURES = 16
SOFTENING_A = 0.2
TYPICAL_NEIGHBOURS = 16.0


class Denoiser(nn.Module):
    """Scaled score sigma grad log p(x; sigma) of noised coordinates, from a polarisable message-passing network.

    After PaiNN (Schuett, Unke, Gastegger, arXiv 2102.03150): atoms carry scalars and vectors; messages mix them with
    edge directions; no cross product occurs, so the output is E(3)-equivariant. The output is a combination of the
    atoms' vectors and central forces of each pair, and zero before training. Inputs are physical features of the
    elements (plus a learned correction that starts at zero, so that elements absent from the training have a sensible
    embedding), the mean composition, the number density and sigma. The mean over each cell is subtracted: the density
    of a translation-invariant ensemble has no net score.

    Args:
        config: widths, blocks and radial functions.
    """

    elements: Tensor

    def __init__(self, config: AmorphousDiffusionConfig) -> None:
        super().__init__()
        width = config.channels
        table = torch.as_tensor(element_table().copy(), dtype=torch.get_default_dtype())
        self.register_buffer("elements", table, persistent=False)
        self.element = nn.Sequential(nn.Linear(table.shape[1], width), nn.SiLU(), nn.Linear(width, width))
        self.element_correction = nn.Embedding(len(table), width)
        nn.init.zeros_(self.element_correction.weight)
        self.context = nn.Linear(width + SIGMA_FEATURES + 1, width)
        self.radial = GaussianBasis(config.radial_functions, config.cutoff_A)
        self.blocks = nn.ModuleList(
            EquivariantLayer(width, config.radial_functions, mean_neighbours=TYPICAL_NEIGHBOURS)
            for _ in range(config.blocks)
        )
        self.pair = PairForce(width, config.radial_functions)
        self.gate = nn.Sequential(nn.Linear(width, width), nn.SiLU(), zero_linear(width, width))

    def forward(self, batch: NoisyBatch) -> Tensor:
        """Return the scaled score of each atom, dimensionless, shape (N, 3)."""
        distance = torch.sqrt(batch.vectors_A.square().sum(-1))
        # Softened directions: at high noise atoms nearly coincide, where the direction of an edge is discontinuous.
        direction = batch.vectors_A / torch.sqrt(distance.square() + SOFTENING_A**2)[:, None]
        radial = self.radial(distance) * polynomial_envelope(distance / batch.reach_A, 1.0)[:, None]
        scalars = self._embed(batch)
        vectors = scalars.new_zeros(len(scalars), 3, scalars.shape[1])
        for block in self.blocks:
            scalars, vectors = block(scalars, vectors, batch.edge_index, radial, direction)
        field = (vectors * self.gate(scalars)[:, None, :]).sum(-1) + self.pair(scalars, batch, radial, direction)
        centred: Tensor = field - mean_pool(field, batch.cell, len(batch.sigma_A))[batch.cell]
        return centred

    def _embed(self, batch: NoisyBatch) -> Tensor:
        kinds = self.element(self.elements[batch.numbers]) + self.element_correction(batch.numbers)
        surroundings = torch.cat(
            [
                mean_pool(kinds, batch.cell, len(batch.sigma_A)),
                noise_features(batch.sigma_A),
                batch.log_density[:, None] + 3.0,
            ],
            dim=-1,
        )
        embedded: Tensor = kinds + self.context(surroundings)[batch.cell]
        return embedded


class PairForce(nn.Module):
    """Central force along each edge, from the final scalars of both atoms and the distance; zero before training."""

    def __init__(self, width: int, radial_functions: int) -> None:
        super().__init__()
        self.send = nn.Linear(width, width)
        self.receive = nn.Linear(width, width)
        self.strength = zero_linear(width, radial_functions)

    def forward(self, scalars: Tensor, batch: NoisyBatch, radial: Tensor, direction: Tensor) -> Tensor:
        """Return the sum of the forces on each atom, shape (N, 3).

        Args:
            scalars: features of the atoms, shape (N, F).
            batch: graph with E edges.
            radial: radial basis of the edges, shape (E, K).
            direction: softened unit vectors of the edges, shape (E, 3).
        """
        centre, neighbour = batch.edge_index
        pair = nn.functional.silu(self.receive(scalars)[centre] + self.send(scalars)[neighbour])
        force = (self.strength(pair) * radial).sum(-1, keepdim=True) * direction
        return sum_at(force, centre, len(scalars))


def noise_features(sigma_A: Tensor) -> Tensor:
    """Return Gaussian features of log sigma between 0.02 and 20 Angstrom, shape (B, 16), for sigma of shape (B,)."""
    low, high = math.log(0.02), math.log(20.0)
    centres = torch.linspace(low, high, SIGMA_FEATURES, dtype=sigma_A.dtype)
    step = (high - low) / (SIGMA_FEATURES - 1)
    return torch.exp(-0.5 * ((sigma_A.log()[:, None] - centres) / step).square())
