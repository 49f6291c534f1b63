"""CHGNet's energy and its gradient with respect to the bond vectors, on the package's weights.

The network is that of B. Deng et al., Nature Machine Intelligence 5, 1031 (2023), eqs. 1-9, rearranged for speed:

- The first linear layer of a gated perceptron acts on the concatenated features of two atoms and a bond. It is the sum
  of three layers, two evaluated once for each atom and one once for each bond, not for each direction.
- Only bonds shorter than the cutoff of the bond graph change. The others contribute (radial basis) x (one matrix), the
  precomputed product of embedding and layer.
- The angle update after the last bond convolution has no effect and is omitted; so are magnetic moments.
- The gradient is taken with respect to the bond vectors: forces and stress are sums over bonds.

Importing this module imports torch.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import layer_norm, silu

from vitrion_workflows.potentials.graph.edge_sums import (
    bond_gradient,
    edge_totals,
    sum_to_owner,
    take_by_bond,
    take_by_owner,
)
from vitrion_workflows.potentials.graph.neighbours import Edges

# Keeps the slope of the arc cosine finite; part of the trained model.
COSINE_SHRINK = 1 - 1e-6


@dataclass(frozen=True, eq=False)
class _Gate:
    # A gated perceptron after its first linear layer: silu(norm(core)) * sigmoid(norm(gate)).
    hidden: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]] | None
    norms: tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]] | None

    def __call__(self, inputs: Tensor) -> Tensor:
        if self.hidden is None:
            core, gate = inputs.chunk(2, dim=1)
        else:
            (core_matrix, core_bias), (gate_matrix, gate_bias) = self.hidden
            core, gate = silu(inputs).chunk(2, dim=1)
            core = torch.addmm(core_bias, core, core_matrix)
            gate = torch.addmm(gate_bias, gate, gate_matrix)
        if self.norms is not None:
            core, gate = (
                layer_norm(part, (part.shape[1],), *norm) for part, norm in zip((core, gate), self.norms, strict=True)
            )
        output: Tensor = silu(core) * torch.sigmoid(gate)
        return output


@dataclass(frozen=True, eq=False)
class _Conv:
    # One gated layer: matrices of the parts of its input (transposed, core and gate side by side), bias, gate, output.
    parts: tuple[Tensor, ...]
    bias: Tensor
    gate: _Gate
    out: tuple[Tensor, Tensor | None] | None

    def output(self, summed: Tensor) -> Tensor:
        if self.out is None:
            return summed
        matrix, bias = self.out
        return summed @ matrix if bias is None else torch.addmm(bias, summed, matrix)


@dataclass(frozen=True, eq=False)
class _Angles:
    # Ordered pairs of edges of the bond graph that start at one atom.
    left: Tensor
    right: Tensor
    swapped: Tensor
    all_edges: Tensor
    starts: Tensor


class ChgnetNetwork:
    """The network on one device, in single precision."""

    def __init__(self, state: Mapping[str, Tensor], arguments: Mapping[str, Any], *, device: str) -> None:
        """Arrange the weights.

        Args:
            state: the package's state dictionary.
            arguments: arguments of the model.
            device: ``cpu``, ``cuda`` or ``cuda:1``.
        """
        weights = {name: value.to(device=device, dtype=torch.float32) for name, value in state.items()}
        self.cutoff_A = float(arguments["atom_graph_cutoff"])
        self.angle_cutoff_A = float(arguments["bond_graph_cutoff"])
        self._power = int(arguments["cutoff_coeff"])
        self._layers = int(arguments["n_conv"])
        self._width = int(arguments["atom_fea_dim"])
        self._wave_numbers = {
            graph: weights[f"bond_basis_expansion.rbf_expansion_{graph}.frequencies"] for graph in ("ag", "bg")
        }
        self._harmonics = weights["angle_basis_expansion.fourier_expansion.frequencies"]
        self._embedding = weights["atom_embedding.embedding.weight"]
        self.bond_embedding = weights["bond_embedding.weight"].T.contiguous()
        self._atom_weight = weights["bond_weights_ag.weight"].T.contiguous()
        self.bond_weight = weights["bond_weights_bg.weight"].T.contiguous()
        self.angle_embedding = weights["angle_embedding.weight"].T.contiguous()
        self._atom_layers = [
            _conv(weights, f"atom_conv_layers.{index}", "twoBody_atom", self._width) for index in range(self._layers)
        ]
        self.bond_layers = [
            _conv(weights, f"bond_conv_layers.{index}", "twoBody_bond", self._width)
            for index in range(self._layers - 1)
        ]
        self.angle_layers = [
            _conv(weights, f"angle_layers.{index}", "twoBody_bond", self._width) for index in range(self._layers - 2)
        ]
        # From the radial basis of a bond to its constant contribution to each atom layer, and to its weight.
        self._from_basis = torch.cat(
            [self.bond_embedding @ layer.parts[1] for layer in self._atom_layers] + [self._atom_weight], dim=1
        )
        # Dropouts and activations are numbered too: layers are those with weights.
        self._readout = [
            _linear(weights, name.removesuffix(".weight"))
            for name in weights
            if name.startswith("mlp.layers.") and name.endswith(".weight")
        ]
        self._readout_norm = (
            (weights["readout_norm.weight"], weights["readout_norm.bias"]) if "readout_norm.weight" in weights else None
        )
        reference = state["composition_model.fc.weight"].to(device=device, dtype=torch.float64)
        self._reference_eV = reference[0]

    def energies(self, numbers: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Compute the energy of each of N atoms, and the gradient of their sum.

        Args:
            numbers: atomic numbers, shape (N,).
            edges: pairs within `cutoff_A`.

        Returns:
            Energies in eV, double precision, shape (N,), and gradient with respect to the bond vectors in eV/A, single
            precision, shape (B, 3).
        """
        species = numbers - 1
        with torch.enable_grad():
            vectors = edges.bond_vectors_A.to(torch.float32).requires_grad_()
            energies = self._energies(species, vectors, edges)
            gradient = bond_gradient(energies, vectors)
        return energies.detach().double() + self._reference_eV.index_select(0, species), gradient

    def _energies(self, species: Tensor, vectors: Tensor, edges: Edges) -> Tensor:
        lengths = torch.linalg.vector_norm(vectors, dim=1)
        basis = self.radial(lengths, "ag", self.cutoff_A)
        *from_bonds, weight = (basis @ self._from_basis).split([2 * self._width] * self._layers + [self._width], dim=1)
        bonds = _BondGraph(self, vectors, lengths, basis, edges)
        all_edges = torch.arange(len(edges.first), device=vectors.device)
        indices = (
            *(edges.first, edges.second, edges.bond, edges.forward, edges.backward),
            *(all_edges, edges.reverse, edges.starts),
        )
        weight = take_by_bond(weight, edges.bond, edges.forward, edges.backward)
        atoms = self._embedding.index_select(0, species)
        for index, layer in enumerate(self._atom_layers):
            from_bond = bonds.add_changes(from_bonds[index], layer.parts[1])
            inputs = edge_totals(
                torch.addmm(layer.bias, atoms, layer.parts[0]), atoms @ layer.parts[2], from_bond, indices
            )
            messages = layer.gate(inputs) * weight
            atoms = atoms + layer.output(sum_to_owner(messages, all_edges, edges.starts, edges.first))
            if index < self._layers - 1:
                bonds.update(index, atoms)
        return self._read(atoms)

    def radial(self, lengths: Tensor, graph: str, cutoff_A: float) -> Tensor:
        """Return the radial basis of a graph at distances of shape (B,), shape (B, K).

        sqrt(2 / c) sin(k x) / r times a polynomial that reaches zero at x = r / c = 1 with two vanishing derivatives.
        """
        x = lengths / cutoff_A
        p = self._power
        smooth = 1 - (p + 1) * (p + 2) / 2 * x**p + p * (p + 2) * x ** (p + 1) - p * (p + 1) / 2 * x ** (p + 2)
        factor = math.sqrt(2 / cutoff_A) * smooth * (x < 1) / lengths
        return torch.sin(x[:, None] * self._wave_numbers[graph]) * factor[:, None]

    def angular(self, cosines: Tensor) -> Tensor:
        """Return the Fourier basis of angles from their cosines, shape (A,), shape (A, 2 H + 1)."""
        angle = torch.acos(cosines * COSINE_SHRINK)
        waves = angle[:, None] * self._harmonics
        constant = torch.full_like(angle, 1 / math.sqrt(2))[:, None]
        return torch.cat([constant, torch.sin(waves), torch.cos(waves)], dim=1) / math.sqrt(math.pi)

    def _read(self, atoms: Tensor) -> Tensor:
        if self._readout_norm is not None:
            atoms = layer_norm(atoms, (self._width,), *self._readout_norm)
        for matrix, bias in self._readout[:-1]:
            atoms = silu(torch.addmm(bias, atoms, matrix))
        matrix, bias = self._readout[-1]
        return torch.addmm(bias, atoms, matrix)[:, 0]


class _BondGraph:
    """Bonds shorter than the angle cutoff, the angles between them, and their current features."""

    def __init__(self, network: ChgnetNetwork, vectors: Tensor, lengths: Tensor, basis: Tensor, edges: Edges) -> None:
        self._network = network
        short = lengths.detach() < network.angle_cutoff_A
        self._short = short.nonzero()[:, 0]
        self._empty = True
        # Change of the bonds beyond the cutoff where the output layer has a bias (version 0.2.0).
        self._shared: Tensor | None = None
        if not len(self._short):
            return
        renumbered = short.cumsum(0) - 1
        kept = short.index_select(0, edges.bond).nonzero()[:, 0]
        new_edge = torch.full_like(edges.bond, -1)
        new_edge[kept] = torch.arange(len(kept), device=kept.device)
        self._bond = renumbered.index_select(0, edges.bond.index_select(0, kept))
        self._center = edges.first.index_select(0, kept)
        self._ways = tuple(
            new_edge.index_select(0, way.index_select(0, self._short)) for way in (edges.forward, edges.backward)
        )
        counts = torch.bincount(self._center, minlength=len(edges.starts) - 1)
        self._atom_starts = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        self._all_edges = torch.arange(len(kept), device=kept.device)
        self._angles = _angles(self._center, self._atom_starts, counts)
        self._empty = not len(self._angles.left)
        if self._empty:
            return
        lengths, vectors = lengths.index_select(0, self._short), vectors.index_select(0, self._short)
        self._weight = self._to_edges(network.radial(lengths, "bg", network.angle_cutoff_A) @ network.bond_weight)
        sign = edges.sign.index_select(0, kept).to(torch.float32)[:, None]
        directions = self._to_edges(vectors / lengths[:, None]) * sign
        cosines = (self._of_left(directions) * self._of_right(directions)).sum(1)
        self._angle_features = network.angular(cosines) @ network.angle_embedding
        self._start = basis.index_select(0, self._short) @ network.bond_embedding
        self._features = self._start

    def add_changes(self, from_basis: Tensor, matrix: Tensor) -> Tensor:
        """Return the input of all bonds to an atom layer: the constant part, and the changes of short bonds.

        Args:
            from_basis: the constant part, shape (B, F).
            matrix: matrix that acts on the changes, shape (W, F).
        """
        if self._empty or self._features is self._start:
            return from_basis
        changes = self._features - self._start
        if self._shared is not None:
            from_basis = from_basis + self._shared @ matrix
            changes = changes - self._shared
        return from_basis.index_add(0, self._short, changes @ matrix)

    def update(self, index: int, atoms: Tensor) -> None:
        """Convolve the bonds; then update the angles, except after the last convolution."""
        if self._empty:
            return
        layer = self._network.bond_layers[index]
        messages = layer.gate(self._inputs(layer, atoms)) * self._of_left(self._weight) * self._of_right(self._weight)
        by_edge = sum_to_owner(messages, self._angles.all_edges, self._angles.starts, self._angles.left)
        summed = by_edge.index_select(0, self._ways[0]) + by_edge.index_select(0, self._ways[1])
        self._features = self._features + layer.output(summed)
        if layer.out is not None and layer.out[1] is not None:
            self._shared = layer.out[1] if self._shared is None else self._shared + layer.out[1]
        if index < len(self._network.angle_layers):
            layer = self._network.angle_layers[index]
            self._angle_features = self._angle_features + layer.gate(self._inputs(layer, atoms))

    def _inputs(self, layer: _Conv, atoms: Tensor) -> Tensor:
        of_left, of_right, of_angle, of_center = layer.parts
        center = torch.addmm(layer.bias, atoms, of_center)
        left = self._to_edges(self._features @ of_left) + take_by_owner(
            center, self._center, self._all_edges, self._atom_starts
        )
        right = self._to_edges(self._features @ of_right)
        return self._of_left(left) + self._of_right(right) + self._angle_features @ of_angle

    def _to_edges(self, table: Tensor) -> Tensor:
        return take_by_bond(table, self._bond, *self._ways)

    def _of_left(self, table: Tensor) -> Tensor:
        return take_by_owner(table, self._angles.left, self._angles.all_edges, self._angles.starts)

    def _of_right(self, table: Tensor) -> Tensor:
        return take_by_owner(table, self._angles.right, self._angles.swapped, self._angles.starts)


def _angles(center: Tensor, atom_starts: Tensor, counts: Tensor) -> _Angles:
    # Each edge with each other edge of its atom, in the order (left, right).
    partners = counts.index_select(0, center)
    left = torch.repeat_interleave(partners)
    first_partner = partners.cumsum(0) - partners
    right = torch.arange(len(left), device=left.device) - first_partner.index_select(0, left)
    right = right + atom_starts.index_select(0, center).index_select(0, left)
    different = left != right
    left, right = left[different], right[different]
    fewer = partners - 1
    starts = torch.cat([fewer.new_zeros(1), fewer.cumsum(0)])
    # Index of angle (right, left): the start of `right` plus the place of `left` among its partners, without `right`.
    place = left - atom_starts.index_select(0, center).index_select(0, left)
    swapped = starts.index_select(0, right) + place - (left > right).to(place.dtype)
    return _Angles(left, right, swapped, torch.arange(len(left), device=left.device), starts)


def _conv(weights: Mapping[str, Tensor], name: str, gate_name: str, width: int) -> _Conv:
    core, gate = f"{name}.{gate_name}.mlp_core.layers", f"{name}.{gate_name}.mlp_gate.layers"
    hidden = f"{core}.3.weight" in weights
    entry = 0 if hidden else 1
    weight = torch.cat([weights[f"{core}.{entry}.weight"], weights[f"{gate}.{entry}.weight"]])
    bias = torch.cat([weights[f"{core}.{entry}.bias"], weights[f"{gate}.{entry}.bias"]])
    norms = f"{name}.{gate_name}.bn1.weight" in weights
    return _Conv(
        parts=tuple(part.T.contiguous() for part in weight.split(width, dim=1)),
        bias=bias,
        gate=_Gate(
            hidden=(_linear(weights, f"{core}.3"), _linear(weights, f"{gate}.3")) if hidden else None,
            norms=(
                (weights[f"{name}.{gate_name}.bn1.weight"], weights[f"{name}.{gate_name}.bn1.bias"]),
                (weights[f"{name}.{gate_name}.bn2.weight"], weights[f"{name}.{gate_name}.bn2.bias"]),
            )
            if norms
            else None,
        ),
        out=(
            (weights[f"{name}.mlp_out.layers.1.weight"].T.contiguous(), weights.get(f"{name}.mlp_out.layers.1.bias"))
            if f"{name}.mlp_out.layers.1.weight" in weights
            else None
        ),
    )


def _linear(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"].T.contiguous(), weights[f"{name}.bias"]
