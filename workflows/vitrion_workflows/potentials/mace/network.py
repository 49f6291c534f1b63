"""A MACE model's energy and its gradient with respect to the bond vectors, in single precision.

The model (I. Batatia et al., NeurIPS 35, 11423, 2022) is folded: radial networks become tables (`radial`), and in each
layer the constants of each element are precomputed (`layer`). Radial functions and harmonics are evaluated once for
each bond. Energies of isolated atoms are added in double precision. Models that cannot be folded are evaluated by
mace-torch's own code (`reference_network`).

Importing this module imports torch.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vitrion_workflows.potentials.graph.edge_sums import sum_to_owner
from vitrion_workflows.potentials.graph.neighbours import Edges
from vitrion_workflows.potentials.mace.convolution import PaddedEdges
from vitrion_workflows.potentials.mace.harmonics import Harmonics
from vitrion_workflows.potentials.mace.layer import ElementSlices, MaceLayer
from vitrion_workflows.potentials.mace.radial import Function, RadialTable
from vitrion_workflows.potentials.mace.reference_network import types_by_number


class MaceNetwork:
    """A folded model on one device."""

    def __init__(self, model: Any, *, head: int, device: str) -> None:
        """Fold a model.

        Args:
            model: a `MACE` or `ScaleShiftMACE` of mace-torch, in any precision, that `can_fold` accepts.
            head: index of the head that is evaluated.
            device: ``cpu``, ``cuda`` or ``cuda:1``.
        """
        self.cutoff_A = float(model.r_max)
        exact = copy.deepcopy(model).double().cpu().eval().requires_grad_(requires_grad=False)
        numbers = exact.atomic_numbers
        self._numbers, count = numbers.to(device), len(numbers)
        self._types = types_by_number(numbers).to(device)
        self._one_hot = torch.eye(count, device=device)
        self._alone_eV = torch.atleast_2d(exact.atomic_energies_fn.atomic_energies)[head].to(device)
        self._head = head
        with torch.no_grad():
            embedded = exact.node_embedding(torch.eye(count, dtype=torch.float64))
            self._embedding = embedded.float()[:, None].to(device)
            self._layers = [
                MaceLayer(interaction, product, elements=count, device=device)
                for interaction, product in zip(exact.interactions, exact.products, strict=True)
            ]
            degree = exact.spherical_harmonics.irreps_out.lmax
            self._harmonics = Harmonics(exact.spherical_harmonics, degree, device)
        self._by_pair = count if hasattr(exact.radial_embedding, "distance_transform") else 0
        # The radial functions of each layer, and the density function of layers that have one.
        functions = []
        for interaction, layer in zip(exact.interactions, self._layers, strict=True):
            functions.append(_radial(exact, interaction, self._by_pair))
            if layer.has_density:
                functions.append(_density(exact, interaction, self._by_pair))
        self._tables = [RadialTable(function, self.cutoff_A, device) for function in functions]
        rounded = model.float().to(device).eval().requires_grad_(requires_grad=False)
        self._readouts = rounded.readouts
        self._scale_shift = getattr(rounded, "scale_shift", None)
        self._repulsion = getattr(rounded, "pair_repulsion_fn", None)

    def energies(self, numbers: Tensor, edges: Edges) -> tuple[Tensor, Tensor]:
        """Compute the energy of each of N atoms, and the gradient of their sum.

        Args:
            numbers: atomic numbers, shape (N,).
            edges: pairs within `cutoff_A`.

        Returns:
            Energies in eV, double precision, shape (N,), and gradient with respect to the bond vectors in eV/A, shape
            (B, 3).
        """
        species = self._types.index_select(0, numbers)
        padded = PaddedEdges.of(edges, species.argsort(stable=True))
        bonds = self._bond_terms(species, edges)
        parity = self._harmonics.parity
        every = torch.cat([bonds.harmonics, bonds.harmonics * parity, parity.new_zeros(1, len(parity))])
        leaves = [every.index_select(0, padded.harmonics), bonds.lengths, *(pair[0] for pair in bonds.functions)]
        with torch.enable_grad():
            for leaf in leaves:
                leaf.requires_grad_()
            atoms = self._interaction_energies(species, leaves, padded, edges)
            gradients = torch.autograd.grad(atoms.sum(), leaves, allow_unused=True, materialize_grads=True)
        by_length = gradients[1]
        for gradient, (_, slopes) in zip(gradients[2:], bonds.functions, strict=True):
            by_length = by_length + (gradient * slopes).sum(1, keepdim=True)
        by_harmonic = (
            gradients[0].index_select(0, padded.backward) + gradients[0].index_select(0, padded.forward) * parity
        )
        by_direction = (bonds.tangents * by_harmonic[:, None]).sum(2)
        tangential = by_direction - (by_direction * bonds.directions).sum(1, keepdim=True) * bonds.directions
        energies = self._alone_eV.index_select(0, species)
        energies[padded.order] += atoms.detach().double()
        return energies, by_length * bonds.directions + tangential / bonds.lengths.detach()

    def _bond_terms(self, species: Tensor, edges: Edges) -> "_BondTerms":
        lengths = edges.bond_vectors_A.norm(dim=1)
        directions = (edges.bond_vectors_A / lengths[:, None]).float()
        harmonics, tangents = self._harmonics(directions)
        kinds = self._pair_kinds(species, edges)
        functions = tuple(table(lengths, kinds) for table in self._tables)
        return _BondTerms(lengths.float()[:, None], directions, harmonics, tangents, functions)

    def _pair_kinds(self, species: Tensor, edges: Edges) -> Tensor:
        # Kind of each bond, shape (B,): 0, or a number for its pair of elements.
        kinds = torch.zeros_like(edges.bond_first)
        if self._by_pair:
            first, second = species.index_select(0, edges.bond_first), species.index_select(0, edges.bond_second)
            kinds = torch.minimum(first, second) * self._by_pair + torch.maximum(first, second)
        present = kinds.unique().tolist() if self._by_pair else [0]
        for table in self._tables:
            table.require(present)
        return kinds

    def _repulsion_energies(self, species: Tensor, lengths: Tensor, edges: Edges) -> Tensor:
        if self._repulsion is None:
            return lengths.new_zeros(len(species))
        of_edges, ends = lengths.index_select(0, edges.bond), torch.stack([edges.second, edges.first])
        energies: Tensor = self._repulsion(of_edges, self._one_hot.index_select(0, species), ends, self._numbers)
        return energies

    def _interaction_energies(self, species: Tensor, leaves: list[Tensor], padded: PaddedEdges, edges: Edges) -> Tensor:
        # Energies of the atoms in the order of `padded`, shape (N,).
        harmonics, lengths, *functions = leaves
        sorted_species = species.index_select(0, padded.order)
        elements, heads = _element_slices(sorted_species), torch.full_like(species, self._head)
        features, values = self._embedding.index_select(0, sorted_species), iter(functions)
        states = []
        for layer in self._layers:
            radial = next(values)
            density = _of_atoms(next(values), edges).index_select(0, padded.order) if layer.has_density else None
            features = layer(
                features, radial=radial, harmonics=harmonics, density=density, padded=padded, elements=elements
            )
            states.append(layer.flat(features))
        total = self._repulsion_energies(species, lengths, edges).index_select(0, padded.order)
        for readout, state in zip(self._readouts, states[-len(self._readouts) :], strict=True):
            total = total + readout(state, heads)[:, self._head]
        return total if self._scale_shift is None else self._scale_shift(total, heads)


@dataclass(frozen=True, eq=False)
class _BondTerms:
    # Quantities of B bonds: lengths, shape (B, 1), unit vectors, shape (B, 3), harmonics and their gradients, values
    # and slopes of the radial functions.
    lengths: Tensor
    directions: Tensor
    harmonics: Tensor
    tangents: Tensor
    functions: tuple[tuple[Tensor, Tensor], ...]


def _of_atoms(of_bonds: Tensor, edges: Edges) -> Tensor:
    # Sum over the bonds of each atom, shape (N,).
    every = of_bonds.index_select(0, edges.bond)
    return sum_to_owner(every, torch.arange(len(every), device=every.device), edges.starts, edges.first)[:, 0]


def _element_slices(sorted_species: Tensor) -> ElementSlices:
    slices, begin = [], 0
    for element, count in enumerate(torch.bincount(sorted_species).tolist()):
        if count:
            slices.append((element, slice(begin, begin + count)))
            begin += count
    return slices


def _edge_features(model: Any, by_pair: int, kind: int, distances: Tensor) -> tuple[Tensor, Tensor | None]:
    # Radial features of bonds of one kind, from two atoms of its elements.
    elements = torch.tensor(divmod(kind, by_pair) if by_pair else (0, 0))
    attributes = torch.nn.functional.one_hot(elements, len(model.atomic_numbers)).double()
    ends = torch.arange(2)[:, None].expand(-1, len(distances))
    features, cutoff = model.radial_embedding(distances[:, None], attributes, ends, model.atomic_numbers)
    return features, cutoff


def _radial(model: Any, interaction: Any, by_pair: int) -> Callable[[int], Function]:
    def of_kind(kind: int) -> Function:
        def weights(distances: Tensor) -> Tensor:
            features, cutoff = _edge_features(model, by_pair, kind, distances)
            values: Tensor = interaction.conv_tp_weights(features)
            return values if cutoff is None else values * cutoff

        return weights

    return of_kind


def _density(model: Any, interaction: Any, by_pair: int) -> Callable[[int], Function]:
    def of_kind(kind: int) -> Function:
        def density(distances: Tensor) -> Tensor:
            features, cutoff = _edge_features(model, by_pair, kind, distances)
            values = torch.tanh(interaction.density_fn(features) ** 2)
            return values if cutoff is None else values * cutoff

        return density

    return of_kind
