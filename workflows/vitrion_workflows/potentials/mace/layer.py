"""One layer of a MACE model, folded: all constants of the trained model are computed once for each element.

A tensor product with the one-hot vector of an element is a linear map; successive linear maps are multiplied together.
The matrices are read from mace-torch's modules by applying these to unit vectors, in double precision. Features are
arrays (atom, component, channel), with the components m of all degrees l in sequence.

Importing this module imports torch.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vitrion_workflows.potentials.mace.contraction import Coefficients, gradient_coefficients, polynomials
from vitrion_workflows.potentials.mace.convolution import PaddedEdges, Path, sum_messages

# weights[target][source] is the matrix between two blocks of irreps, shape (C, C'); None where degree or parity differ.
BlockWeights = list[list[Tensor | None]]
# Index of each element present and the slice of its atoms, atoms being sorted by element.
ElementSlices = list[tuple[int, slice]]


def components_of(irreps: Any) -> list[slice]:
    """Return the slice of the components of each block of e3nn irreps in an array (atom, component, channel)."""
    ends = [sum(block.ir.dim for block in irreps[: index + 1]) for index in range(len(irreps))]
    return [slice(end - block.ir.dim, end) for end, block in zip(ends, irreps, strict=True)]


def read_weights(function: Callable[[Tensor], Tensor], irreps_in: Any, irreps_out: Any) -> BlockWeights:
    """Read the weights of an equivariant linear map from its values at unit vectors.

    By Schur's lemma the map is one matrix between the channels of each pair of blocks of equal degree and parity, the
    same for all components: the first component of each channel is enough.

    Args:
        function: takes shape (K, dimension of irreps_in), returns (K, dimension of irreps_out), in double precision.
        irreps_in: e3nn irreps of the input.
        irreps_out: e3nn irreps of the output.
    """
    weights: BlockWeights = [[None] * len(irreps_in) for _ in irreps_out]
    for source, (block, place) in enumerate(zip(irreps_in, irreps_in.slices(), strict=True)):
        rows = torch.zeros(block.mul, irreps_in.dim, dtype=torch.float64)
        channels = torch.arange(block.mul)
        rows[channels, place.start + channels * block.ir.dim] = 1.0
        values = function(rows)
        for target, (output, columns) in enumerate(zip(irreps_out, irreps_out.slices(), strict=True)):
            if output.ir == block.ir:
                weights[target][source] = values[:, columns].view(block.mul, output.mul, -1)[:, :, 0].contiguous()
    return weights


class BlockMap:
    """An equivariant linear map of features; output blocks without an input block are zero."""

    def __init__(self, weights: BlockWeights, irreps_in: Any, irreps_out: Any, device: str) -> None:
        """Store the weights of `read_weights` in single precision."""
        sources = components_of(irreps_in)
        self._shapes = [(block.ir.dim, block.mul) for block in irreps_out]
        self._terms = [
            [(sources[source], weight.float().to(device)) for source, weight in enumerate(row) if weight is not None]
            for row in weights
        ]

    def __call__(self, features: Tensor) -> Tensor:
        """Map features of shape (N, M, C) to shape (N, M', C')."""
        blocks = []
        for shape, terms in zip(self._shapes, self._terms, strict=True):
            # One product of two matrices, where torch would do many small ones.
            parts = [
                (chosen.reshape(-1, len(weight)) @ weight).view(*chosen.shape[:2], -1)
                for chosen, weight in ((features[:, source], weight) for source, weight in terms)
            ]
            blocks.append(sum(parts[1:], parts[0]) if parts else features.new_zeros(len(features), *shape))
        return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=1)


@dataclass(frozen=True, eq=False)
class _Element:
    # Constants of one element: matrices from messages, shape (C', paths C); coefficients of the contraction; map of the
    # self-connection in a residual layer.
    mixing: list[Tensor]
    coefficients: Coefficients
    self_connection: BlockMap | None


class MaceLayer:
    """Interaction (convolution) and product (symmetric contraction) of one layer."""

    def __init__(self, interaction: Any, product: Any, *, elements: int, device: str) -> None:
        """Fold a layer.

        Args:
            interaction: mace-torch's block, in double precision on the CPU, of a kind named in `folding`.
            product: likewise.
            elements: number of elements of the model.
            device: device on which the layer is evaluated.
        """
        self._interaction, self._product, self._device = interaction, product, device
        self._attributes = torch.eye(elements, dtype=torch.float64)
        self._residual = "Residual" in type(interaction).__name__
        self.has_density = hasattr(interaction, "density_fn")
        convolution = interaction.conv_tp
        self._up = BlockMap(
            read_weights(interaction.linear_up, interaction.node_feats_irreps, convolution.irreps_in1),
            interaction.node_feats_irreps,
            convolution.irreps_in1,
            device,
        )
        self._targets = interaction.irreps_out
        self._paths, scales = _paths_of(convolution, self._targets, device)
        self._mixing = self._mixing_of(interaction, convolution, scales)
        self._outputs = product.symmetric_contractions.irreps_out
        self._out = BlockMap(
            read_weights(product.linear, self._outputs, self._outputs), self._outputs, self._outputs, device
        )
        self._elements: dict[int, _Element] = {}

    def __call__(
        self,
        features: Tensor,
        *,
        radial: Tensor,
        harmonics: Tensor,
        density: Tensor | None,
        padded: PaddedEdges,
        elements: ElementSlices,
    ) -> Tensor:
        """Evaluate the layer for N atoms sorted by element.

        Args:
            features: shape (N, M, C).
            radial: values of the radial networks of B bonds, shape (B, paths C).
            harmonics: harmonics at the places of `padded`, shape (N D, (l_max + 1)^2).
            density: density of neighbours in layers that divide by it, shape (N,).
            padded: edges.
            elements: index of each element present and the slice of its atoms.

        Returns:
            New features, shape (N, M', C').
        """
        present = [(self._element(element), atoms) for element, atoms in elements]
        messages = sum_messages(
            self._up(features), radial=radial, harmonics=harmonics, padded=padded, paths=self._paths
        )
        inputs = torch.cat([self._mixed(target, rows, present) for target, rows in enumerate(messages)], dim=1)
        if density is not None:
            inputs = inputs / (density + 1.0)
        values = polynomials(inputs, [(atoms, element.coefficients) for element, atoms in present])
        outcome = self._out(values.permute(2, 1, 0))
        if self._residual and self._product.use_sc:
            kept = [
                element.self_connection(features[atoms])
                for element, atoms in present
                if element.self_connection is not None
            ]
            outcome = outcome + torch.cat(kept)
        return outcome

    def flat(self, features: Tensor) -> Tensor:
        """Return new features in e3nn's order, block by block and channel by channel, shape (N, M' C')."""
        blocks = [features[:, part].transpose(1, 2).flatten(1) for part in components_of(self._outputs)]
        return blocks[0] if len(blocks) == 1 else torch.cat(blocks, dim=1)

    def _mixed(self, target: int, rows: Tensor, present: "list[tuple[_Element, slice]]") -> Tensor:
        # Messages of one target, shape (2 l + 1, N, paths, C), to shape (C', 2 l + 1, N).
        components, atoms = rows.shape[:2]
        if self._residual:  # the same map for all elements
            mixing = present[0][0].mixing[target]
            return (mixing @ rows.reshape(components * atoms, -1).T).view(-1, components, atoms)
        parts = rows.split([part.stop - part.start for _, part in present], dim=1)
        mixed = [
            (element.mixing[target] @ part.reshape(components * part.shape[1], -1).T).view(
                -1, components, part.shape[1]
            )
            for (element, _), part in zip(present, parts, strict=True)
        ]
        return mixed[0] if len(mixed) == 1 else torch.cat(mixed, dim=2)

    def _mixing_of(self, interaction: Any, convolution: Any, scales: list[float]) -> list[Tensor]:
        # Matrix from the messages of each target, double precision, shape (paths C, C').
        weights = read_weights(interaction.linear, convolution.irreps_out, self._targets)
        divisor = 1.0 if self.has_density else float(interaction.avg_num_neighbors)
        mixing = []
        for target, row in enumerate(weights):
            parts = [
                weight * (scale / divisor)
                for path, scale, instruction in zip(self._paths, scales, convolution.instructions, strict=True)
                if path.target == target and (weight := row[instruction.i_out]) is not None
            ]
            mixing.append(torch.cat(parts))
        return mixing

    def _element(self, element: int) -> _Element:
        if element not in self._elements:
            with torch.no_grad():
                self._elements[element] = self._folded(element)
        return self._elements[element]

    def _folded(self, element: int) -> _Element:
        interaction, contraction = self._interaction, self._product.symmetric_contractions
        attributes = self._attributes[element]
        irreps_in = interaction.node_feats_irreps if self._residual else self._targets
        irreps_out = interaction.skip_tp.irreps_out if self._residual else self._targets
        skip_weights = read_weights(
            lambda rows: interaction.skip_tp(rows, attributes.expand(len(rows), -1)), irreps_in, irreps_out
        )
        mixing, self_connection = self._mixing, None
        if self._residual:
            self_connection = BlockMap(skip_weights, irreps_in, irreps_out, self._device)
        else:
            # Without a residual the product with the element acts on the messages themselves.
            diagonal = [[weight for weight in row if weight is not None] for row in skip_weights]
            mixing = [weight @ further for weight, (further,) in zip(mixing, diagonal, strict=True)]
        row = 0 if getattr(self._product, "use_agnostic_product", False) else element
        blocks = list(contraction.contractions)
        couplings = [[block.U_tensors(degree + 1) for degree in range(block.correlation)] for block in blocks]
        weights = [[weight[row] for weight in (*reversed(block.weights), block.weights_max)] for block in blocks]
        return _Element(
            mixing=[weight.T.float().contiguous().to(self._device) for weight in mixing],
            coefficients=tuple(part.float().to(self._device) for part in gradient_coefficients(couplings, weights)),
            self_connection=self_connection,
        )


def _paths_of(convolution: Any, targets: Any, device: str) -> tuple[list[Path], list[float]]:
    # Couplings, read from the values at unit vectors of the first channel, and the scale of the scalar ones.
    irreps, harmonics, outcome = convolution.irreps_in1, convolution.irreps_in2, convolution.irreps_out
    sources, degrees = components_of(irreps), components_of(harmonics)
    paths: list[Path] = []
    scales = []
    for instruction in convolution.instructions:
        feature, degree, output = irreps[instruction.i_in1], harmonics[instruction.i_in2], outcome[instruction.i_out]
        count = degree.ir.dim * feature.ir.dim
        left = torch.zeros(count, irreps.dim, dtype=torch.float64)
        right = torch.zeros(count, harmonics.dim, dtype=torch.float64)
        rows = torch.arange(count)
        left[rows, irreps.slices()[instruction.i_in1].start + rows % feature.ir.dim] = 1.0
        right[rows, harmonics.slices()[instruction.i_in2].start + rows // feature.ir.dim] = 1.0
        values = convolution(left, right, torch.ones(count, convolution.weight_numel, dtype=torch.float64))
        begin = outcome.slices()[instruction.i_out].start
        coupling = values[:, begin : begin + output.ir.dim].reshape(degree.ir.dim, -1)
        scalar = feature.ir.l == 0
        target = next(index for index, block in enumerate(targets) if block.ir == output.ir)
        paths.append(
            Path(
                features=sources[instruction.i_in1],
                harmonics=degrees[instruction.i_in2],
                coupling=None if scalar else coupling.float().to(device),
                target=target,
                place=sum(path.target == target for path in paths),
            )
        )
        scales.append(float(coupling[0, 0]) if scalar else 1.0)
    return paths, scales
