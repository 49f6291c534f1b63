"""Message passing over directed edges: an invariant and an equivariant layer.

Edges run as in `vitrion_models.graphs`: ``edge_index[0]`` is the centre that receives, ``edge_index[1]`` the neighbour
that sends, ``vectors`` point from the centre to the neighbour's image.
"""

import torch
from torch import Tensor, nn

from vitrion_models.layers.pooling import sum_at


class InvariantLayer(nn.Module):
    """Continuous-filter convolution with a residual update (SchNet, Schuett et al., arXiv 1706.08566).

    ``x_i <- x_i + U( sum_j W(e_ij) * (V x_j) / sqrt(n) )``: W is linear in the radial basis, which already carries the
    smooth cutoff; n is a constant number of neighbours that keeps sums of order one.

    Attributes:
        width: features F of an atom.
        basis_count: radial functions K.
        mean_neighbours: n.
    """

    def __init__(self, width: int, basis_count: int, *, mean_neighbours: float) -> None:
        super().__init__()
        self.width = width
        self.basis_count = basis_count
        self.mean_neighbours = mean_neighbours
        self.send = nn.Linear(width, width, bias=False)
        self.filter = nn.Linear(basis_count, width, bias=False)
        self.update = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    def forward(self, x: Tensor, edge_index: Tensor, basis: Tensor) -> Tensor:
        """Return the atom features after one step of message passing.

        Args:
            x: atom features, shape (N, F).
            edge_index: shape (2, E).
            basis: radial basis of the edges, shape (E, K).

        Returns:
            New atom features, shape (N, F).
        """
        centre, neighbour = edge_index
        messages = self.filter(basis) * self.send(x)[neighbour]
        received = sum_at(messages, centre, len(x)) / self.mean_neighbours**0.5
        updated: Tensor = x + self.update(received)
        return updated


class EquivariantLayer(nn.Module):
    """Messages between scalars and vectors, then their mixing on each atom (PaiNN, Schuett et al., arXiv 2102.03150).

    Scalars are invariant under rotation and inversion, vectors rotate with the cell. A displacement is a linear
    combination of an atom's vectors.

    Attributes:
        width: scalar features F of an atom, and number of its vectors.
        basis_count: radial functions K.
        mean_neighbours: constant that keeps sums over neighbours of order one.
    """

    def __init__(self, width: int, basis_count: int, *, mean_neighbours: float) -> None:
        super().__init__()
        self.width = width
        self.basis_count = basis_count
        self.mean_neighbours = mean_neighbours
        self.send = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, 3 * width))
        self.filter = nn.Linear(basis_count, 3 * width, bias=False)
        self.mix = nn.Linear(width, 2 * width, bias=False)
        self.update = nn.Sequential(nn.Linear(2 * width, width), nn.SiLU(), nn.Linear(width, 3 * width))

    def forward(
        self,
        scalars: Tensor,
        vectors: Tensor,
        edge_index: Tensor,
        basis: Tensor,
        directions: Tensor,
    ) -> tuple[Tensor, Tensor]:
        """Return scalars and vectors after one step of message passing and mixing.

        Args:
            scalars: shape (N, F).
            vectors: shape (N, 3, F).
            edge_index: shape (2, E).
            basis: radial basis of the edges with a smooth cutoff, shape (E, K).
            directions: unit vectors of the edges, shape (E, 3).

        Returns:
            New scalars (N, F) and vectors (N, 3, F).
        """
        centre, neighbour = edge_index
        scale = self.mean_neighbours**-0.5
        gates = self.filter(basis) * self.send(scalars)[neighbour]
        to_scalars, along, carry = gates.split(self.width, dim=1)
        arrows = directions[:, :, None] * along[:, None, :] + vectors[neighbour] * carry[:, None, :]
        scalars = scalars + scale * sum_at(to_scalars, centre, len(scalars))
        vectors = vectors + scale * sum_at(arrows, centre, len(scalars))
        return self._mixed(scalars, vectors)

    def _mixed(self, scalars: Tensor, vectors: Tensor) -> tuple[Tensor, Tensor]:
        left, right = self.mix(vectors).split(self.width, dim=2)
        # The constant keeps the gradient of the length finite at a zero vector.
        length = torch.sqrt((right**2).sum(dim=1) + 1e-8)
        gates = self.update(torch.cat([scalars, length], dim=1))
        add, inner, stretch = gates.split(self.width, dim=1)
        return scalars + add + inner * (left * right).sum(dim=1), vectors + left * stretch[:, None, :]
