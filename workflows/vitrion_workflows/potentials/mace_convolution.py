"""MACE's convolution of scalar features with spherical harmonics, summed over neighbours without storing messages.

The message of an edge is w[l, c] h[c] Y[l, m]: one row of C (l_max + 1)^2 numbers an edge, written and read several
times by the general tensor product. The sum over an atom's neighbours is a product of matrices, (w h)^T Y, whose
factors are (l_max + 1) and C times smaller. mace-torch calls any `conv_tp` that says so (`conv_fusion`) with the edges.

Importing this module imports torch.
"""

from typing import Any

import torch
from torch import Tensor, nn

PROBED_EDGES = 3
TOLERANCE = 1e-5


class _Padded(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, pad: Tensor, place: Tensor) -> Tensor:
        ctx.save_for_backward(place)
        return rows.index_select(0, pad)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        (place,) = ctx.saved_tensors
        return gradients[0].index_select(0, place), None, None


class ScalarConvolution(nn.Module):
    """Sum over the edges that end at each atom of weight x (feature of its other atom) x spherical harmonic.

    Edges must be in the order of the atoms they end at.
    """

    scales: Tensor

    def __init__(self, scales: Tensor, channels: int) -> None:
        """Take the place of a tensor product.

        Args:
            scales: factor of each degree l = 0, 1, ... of the product that is replaced, shape (l_max + 1,).
            channels: features of an atom, C.
        """
        super().__init__()
        self.register_buffer("scales", scales)
        self._channels = channels
        self._degrees = len(scales)

    def forward(self, features: Tensor, harmonics: Tensor, weights: Tensor, edge_index: Tensor) -> Tensor:
        """Messages of the atoms.

        Args:
            features: shape (N, C).
            harmonics: shape (E, (l_max + 1)^2).
            weights: shape (E, (l_max + 1) C), degree by degree.
            edge_index: atom that an edge comes from and atom it ends at, shape (2, E).

        Returns:
            Shape (N, C (l_max + 1)^2), degree by degree, channel by channel.
        """
        sender, receiver = edge_index
        atoms, edges = len(features), len(receiver)
        if not edges:
            return features.new_zeros(atoms, self._channels * self._degrees**2)
        counts = torch.bincount(receiver, minlength=atoms)
        widest = int(counts.max())
        begins = counts.cumsum(0) - counts
        place = receiver * widest + torch.arange(edges, device=receiver.device) - begins.index_select(0, receiver)
        pad = torch.zeros(atoms * widest, dtype=torch.int64, device=receiver.device)
        pad[place] = torch.arange(edges, device=receiver.device)
        filled = features.new_zeros(atoms * widest, 1)
        filled[place] = 1.0
        sent = features.index_select(0, sender)
        rows = (weights.view(edges, self._degrees, -1) * sent[:, None, :]).view(edges, -1)
        left: Tensor = _Padded.apply(rows, pad, place)  # type: ignore[no-untyped-call]
        right: Tensor = _Padded.apply(harmonics, pad, place)  # type: ignore[no-untyped-call]
        right = (right * filled).view(atoms, widest, -1)
        products = torch.bmm(left.view(atoms, widest, -1).transpose(1, 2), right)
        products = products.view(atoms, self._degrees, self._channels, -1)
        return torch.cat(
            [
                (products[:, degree, :, degree**2 : (degree + 1) ** 2] * self.scales[degree]).flatten(1)
                for degree in range(self._degrees)
            ],
            dim=1,
        )


def fuse(interaction: Any) -> bool:
    """Replace an interaction's tensor product where this module can do its work; True where it was replaced.

    Whether it can is found by asking both for the same messages.
    """
    product: Any = getattr(interaction, "conv_tp", None)
    features = getattr(product, "irreps_in1", None)
    harmonics = getattr(product, "irreps_in2", None)
    if hasattr(interaction, "conv_fusion") or features is None or harmonics is None:
        return False
    degrees = round(harmonics.dim**0.5)
    if features.lmax or degrees**2 != harmonics.dim or product.weight_numel != degrees * features.dim:
        return False
    generator = torch.Generator().manual_seed(0)
    reference = next(interaction.parameters())
    shapes = [(1, features.dim), (PROBED_EDGES, harmonics.dim), (PROBED_EDGES, product.weight_numel)]
    given = [torch.rand(shape, generator=generator).to(reference) + 0.5 for shape in shapes]
    edges = torch.zeros(2, PROBED_EDGES, dtype=torch.int64, device=reference.device)
    with torch.no_grad():
        wanted = product(given[0].expand(PROBED_EDGES, -1), given[1], given[2]).sum(0)
        ours = ScalarConvolution(torch.ones(degrees).to(reference), features.dim)(*given, edges)[0]
        if wanted.shape != ours.shape:
            return False
        blocks = [features.dim * (2 * degree + 1) for degree in range(degrees)]
        scales = torch.stack([(w / o).mean() for w, o in zip(wanted.split(blocks), ours.split(blocks), strict=True)])
        factors = torch.repeat_interleave(scales, torch.tensor(blocks, device=scales.device))
        if not torch.allclose(ours * factors, wanted, rtol=TOLERANCE, atol=0):
            return False
    interaction.conv_tp = ScalarConvolution(scales, features.dim)
    interaction.conv_fusion = True
    return True
