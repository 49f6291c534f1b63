"""DIEP's energy and its gradient with respect to the bond vectors, on the package's weights.

The network is M3GNet (C. Chen and S. P. Ong, Nature Computational Science 2, 718, 2022) with the maps of `maps` instead
of Bessel functions and spherical harmonics. For speed, first layers are split into parts evaluated once for each atom
and a part for each edge; only half of the symmetric map of a bond is evaluated; each triangle is evaluated once.

Importing this module imports torch.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import silu

from vitrion_workflows.potentials.diep.maps import Grid, fold_mirror, maps, sum_partners, triangle_frames
from vitrion_workflows.potentials.graph.edge_sums import bond_gradient, edge_atoms, sum_to_owner, take_by_bond
from vitrion_workflows.potentials.graph.neighbours import Edges


@dataclass(frozen=True, eq=False)
class _Gated:
    # A gated perceptron, core and gate side by side. The first layer is split by the parts of its input.
    parts: tuple[Tensor, ...]
    first_bias: Tensor
    core: tuple[tuple[Tensor, Tensor], ...]
    gate: tuple[tuple[Tensor, Tensor], ...]

    def finish(self, first: Tensor) -> Tensor:
        core, gate = silu(first).chunk(2, dim=1)
        for index, (core_layer, gate_layer) in enumerate(zip(self.core, self.gate, strict=True)):
            if index:
                core, gate = silu(core), silu(gate)
            core = torch.addmm(core_layer[1], core, core_layer[0])
            gate = torch.addmm(gate_layer[1], gate, gate_layer[0])
        return silu(core) * torch.sigmoid(gate)


@dataclass(frozen=True, eq=False)
class _Block:
    edge: _Gated
    node: _Gated
    atom_matrix: Tensor
    atom_bias: Tensor
    bond_matrix: Tensor


class DiepNetwork:
    """The network on one device, in single precision; the frames of triangles in double."""

    def __init__(
        self, state: Mapping[str, Tensor], arguments: Mapping[str, Any], *, numbers: Tensor, device: str
    ) -> None:
        """Arrange the weights.

        Args:
            state: the package's state dictionary.
            arguments: arguments of the model.
            numbers: atomic number of each element type of the model, shape (K,).
            device: ``cpu``, ``cuda`` or ``cuda:1``.
        """
        weights = {
            name.removeprefix("model."): value.to(device=device, dtype=torch.float32) for name, value in state.items()
        }
        self.cutoff_A = float(arguments["cutoff"])
        self._triangle_cutoff_A = float(arguments["threebody_cutoff"])
        half, spacing = float(arguments["grid_half_length"]), float(arguments["base_spacing"])
        self._points = round(2 * half / spacing) + 1
        self._grid = Grid(
            axis_A=torch.linspace(-half, half, self._points, device=device),
            spread_A2=float(arguments["gaussian_sigma"]),
            softening_A=float(arguments["softening_epsilon"]),
        )
        self._width = int(arguments["units"])
        self._types = torch.full((int(numbers.max()) + 1,), -1, dtype=torch.int64)
        self._types[numbers] = torch.arange(len(numbers))
        self._types = self._types.to(device)
        self._embedding = weights["embedding.layer_node_embedding.weight"]
        self._blocks = [_block(weights, index, self._width) for index in range(int(arguments["nblocks"]))]
        # Matrices that act on the map of a bond: its embedding, and the two weights of each block.
        names = [
            f"graph_layers.{index}.conv.{kind}_weight_func.weight"
            for index in range(len(self._blocks))
            for kind in ("edge", "node")
        ]
        names.insert(0, "embedding.layer_edge_embedding.layers.0.weight")
        self._from_map = torch.cat([fold_mirror(weights[name].T.contiguous(), self._points) for name in names], dim=1)
        self._edge_bias = weights["embedding.layer_edge_embedding.layers.0.bias"]
        self._readout = [
            [_linear(weights, f"final_layer.gated.{kind}.{index}") for index in (0, 2, 4, 6)]
            for kind in ("layers", "gates")
        ]
        self._scale_eV = float(state["data_std"])
        self._reference_eV = state["element_refs.property_offset"].to(device=device, dtype=torch.float64)

    def energies(self, numbers: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Compute the energy of each of N atoms, and the gradient of their sum.

        Args:
            numbers: atomic numbers, shape (N,).
            edges: pairs within `cutoff_A`.

        Returns:
            Energies in eV, shape (N,), and gradient with respect to the bond vectors in eV/A, shape (B, 3), both in
            double precision.
        """
        species = self._types.index_select(0, numbers)
        with torch.enable_grad():
            vectors = edges.bond_vectors_A.clone().requires_grad_()
            energies = self._energies(species, numbers, vectors, edges)
            gradient = bond_gradient(energies, vectors, scale=self._scale_eV)
        return energies.detach().double() * self._scale_eV + self._reference_eV.index_select(0, species), gradient

    def _energies(self, species: Tensor, numbers: Tensor, vectors: Tensor, edges: Edges) -> Tensor:
        lengths = torch.linalg.vector_norm(vectors, dim=1)
        by_map = self._bond_maps(lengths, numbers, edges) @ self._from_map
        edge_features, *scales = by_map.split(self._width, dim=1)
        edge_features = silu(edge_features + self._edge_bias)
        triangles = _Triangles(self, vectors, numbers, edges)
        indices = torch.arange(len(edges.first), device=vectors.device), edges.reverse, edges.starts
        atoms = self._embedding.index_select(0, species)
        for index, block in enumerate(self._blocks):
            edge_features = triangles.update_edges(block, atoms, edge_features)
            inputs = edge_features @ block.edge.parts[2] + self._of_atoms(block.edge, atoms, edges, indices)
            edge_features = edge_features + block.edge.finish(inputs) * scales[2 * index]
            inputs = edge_features @ block.node.parts[2] + self._of_atoms(block.node, atoms, edges, indices)
            messages = block.node.finish(inputs) * scales[2 * index + 1]
            atoms = atoms + sum_to_owner(messages, edges.reverse, edges.starts, edges.second)
        return self._read(atoms)

    def _of_atoms(self, gated: _Gated, atoms: Tensor, edges: Edges, indices: tuple[Tensor, Tensor, Tensor]) -> Tensor:
        first = torch.addmm(gated.first_bias, atoms, gated.parts[0])
        return edge_atoms(first, atoms @ gated.parts[1], (edges.first, edges.second, *indices))

    def _bond_maps(self, lengths: Tensor, numbers: Tensor, edges: Edges) -> Tensor:
        half = take_by_bond(0.5 * lengths[:, None].float(), edges.bond, edges.forward, edges.backward)
        x = torch.cat([-half, half], dim=1)
        roots = numbers.float().sqrt()
        charge = torch.stack([roots.index_select(0, edges.first), roots.index_select(0, edges.second)], dim=1)
        bond_maps = maps(x, torch.zeros_like(x), charge, self._grid)
        smooth = envelope(lengths, self.cutoff_A).float()[:, None]
        return bond_maps * take_by_bond(smooth, edges.bond, edges.forward, edges.backward)

    def triangle_maps(self, squares_A2: Tensor, numbers: Tensor) -> Tensor:
        """Evaluate the maps of T triangles, shape (T, P); arguments as in `maps.triangle_frames`."""
        x, y, ordered = triangle_frames(squares_A2, numbers)
        return maps(x, y, ordered.float().sqrt(), self._grid)

    @property
    def triangle_cutoff_A(self) -> float:
        """Return the greatest length of the bonds of triangles."""
        return self._triangle_cutoff_A

    def _read(self, atoms: Tensor) -> Tensor:
        core, gate = atoms, atoms
        for index, (core_layer, gate_layer) in enumerate(zip(*self._readout, strict=True)):
            if index:
                core, gate = silu(core), silu(gate)
            core = torch.addmm(core_layer[1], core, core_layer[0])
            gate = torch.addmm(gate_layer[1], gate, gate_layer[0])
        return (core * torch.sigmoid(gate))[:, 0]


class _Triangles:
    """Unordered pairs of bonds at one atom, and their three-body contribution to the features of the bonds."""

    def __init__(self, network: DiepNetwork, vectors: Tensor, numbers: Tensor, edges: Edges) -> None:
        squares = (vectors * vectors).sum(1)
        lengths = squares.sqrt()
        short = lengths.detach() <= network.triangle_cutoff_A
        self._kept = short.index_select(0, edges.bond).nonzero()[:, 0]
        center = edges.first.index_select(0, self._kept)
        counts = torch.bincount(center, minlength=len(edges.starts) - 1)
        left, right = _pairs(center, counts)
        self._empty = not len(left)
        if self._empty:
            return
        self._end = edges.second.index_select(0, self._kept)
        bond = edges.bond.index_select(0, self._kept)
        self._weight = envelope(lengths, network.triangle_cutoff_A).float().index_select(0, bond)[:, None]
        all_pairs = torch.arange(len(left), device=left.device)
        by_right = torch.argsort(right, stable=True)
        self._indices = (left, right, all_pairs, _starts(left, len(center)), by_right, _starts(right, len(center)))
        along = vectors.index_select(0, bond) * edges.sign.index_select(0, self._kept)[:, None]
        length2 = squares.index_select(0, bond)
        left2, right2 = length2.index_select(0, left), length2.index_select(0, right)
        dots = (along.index_select(0, left) * along.index_select(0, right)).sum(1)
        ends = numbers.index_select(0, self._end)
        corners = [
            ends.index_select(0, left),
            numbers.index_select(0, center).index_select(0, left),
            ends.index_select(0, right),
        ]
        sides = torch.stack([left2, right2, left2 + right2 - 2 * dots], dim=1)
        self._maps = network.triangle_maps(sides, torch.stack(corners, dim=1))

    def update_edges(self, block: _Block, atoms: Tensor, edge_features: Tensor) -> Tensor:
        """Return the edge features, shape (E, F), after the three-body interaction."""
        if self._empty:
            return edge_features
        gates = torch.sigmoid(torch.addmm(block.atom_bias, atoms, block.atom_matrix))
        table = gates.index_select(0, self._end) * self._weight
        sums = sum_partners(self._maps, table, self._indices) * self._weight
        core, gate = (sums @ block.bond_matrix).chunk(2, dim=1)
        return edge_features.index_add(0, self._kept, silu(core) * torch.sigmoid(gate))


def envelope(lengths_A: Tensor, cutoff_A: float) -> Tensor:
    """Return 1 - 10 x^3 + 15 x^4 - 6 x^5 with x = length / cutoff, zero beyond, for lengths of any shape."""
    x = lengths_A / cutoff_A
    return (1 - x**3 * (10 - 15 * x + 6 * x * x)) * (x <= 1)


def _pairs(center: Tensor, counts: Tensor) -> tuple[Tensor, Tensor]:
    # Each edge with the later edges of its atom, in the order (left, right).
    last = counts.cumsum(0).index_select(0, center)
    own = torch.arange(len(center), device=center.device)
    later = last - own - 1
    left = torch.repeat_interleave(later)
    begin = later.cumsum(0) - later
    right = torch.arange(len(left), device=left.device) - begin.index_select(0, left) + left + 1
    return left, right


def _starts(owner: Tensor, owners: int) -> Tensor:
    counts = torch.bincount(owner, minlength=owners)
    return torch.cat([counts.new_zeros(1), counts.cumsum(0)])


def _block(weights: Mapping[str, Tensor], index: int, width: int) -> _Block:
    atoms = f"three_body_interactions.{index}.update_network_atom.layers.0"
    bond = f"three_body_interactions.{index}.update_network_bond"
    both = torch.cat([weights[f"{bond}.layers.0.weight"], weights[f"{bond}.gates.0.weight"]])
    return _Block(
        edge=_gated(weights, f"graph_layers.{index}.conv.edge_update_func", width),
        node=_gated(weights, f"graph_layers.{index}.conv.node_update_func", width),
        atom_matrix=weights[f"{atoms}.weight"].T.contiguous(),
        atom_bias=weights[f"{atoms}.bias"],
        bond_matrix=both.T.contiguous(),
    )


def _gated(weights: Mapping[str, Tensor], name: str, width: int) -> _Gated:
    weight = torch.cat([weights[f"{name}.layers.0.weight"], weights[f"{name}.gates.0.weight"]])
    return _Gated(
        parts=tuple(part.T.contiguous() for part in weight.split(width, dim=1)),
        first_bias=torch.cat([weights[f"{name}.layers.0.bias"], weights[f"{name}.gates.0.bias"]]),
        core=tuple(_linear(weights, f"{name}.layers.{index}") for index in (2, 4)),
        gate=tuple(_linear(weights, f"{name}.gates.{index}") for index in (2, 4)),
    )


def _linear(weights: Mapping[str, Tensor], name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.weight"].T.contiguous(), weights[f"{name}.bias"]
