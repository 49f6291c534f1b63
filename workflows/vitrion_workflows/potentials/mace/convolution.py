"""MACE's convolution: features of neighbours times spherical harmonics, summed without storing the messages of edges.

The message of an edge is, for each path (l1, l2) -> l3, R[c] sum_{m1 m2} CG[m1, m2, m3] h[m1, c] Y[m2], with radial
functions R, Clebsch-Gordan coefficients CG, features h and harmonics Y. A general tensor product writes and reads it
several times. Its sum over the neighbours of an atom is a product of two matrices: the rows (R h)[m1, c] of all edges
of the atom and the rows K[m1, m3] = sum_{m2} CG Y[m2]. Edges are padded to rows of equal length for each atom; the
harmonics of the padding are zero.

Importing this module imports torch.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from vitrion_workflows.potentials.graph.edge_sums import sum_rows
from vitrion_workflows.potentials.graph.neighbours import Edges


@dataclass(frozen=True, eq=False)
class Path:
    """Coupling of a feature of degree l1 with the harmonics of degree l2 to a message of degree l3.

    Attributes:
        features: components of the feature.
        harmonics: components of the harmonics.
        coupling: coefficients, shape (2 l2 + 1, (2 l1 + 1)(2 l3 + 1)); None where the feature is a scalar and the
            message is the harmonic itself.
        target: index of the block of messages to which it contributes.
        place: its index among the paths of that block.
    """

    features: slice
    harmonics: slice
    coupling: Tensor | None
    target: int
    place: int


@dataclass(frozen=True, eq=False)
class PaddedEdges:
    """Edges in rows of equal length D, one row for each atom at which they end; atoms in an order of their own.

    Attributes:
        atoms: number of atoms N.
        bond: bond at each place, arbitrary for padding, shape (N D,).
        harmonics: row in a table of the harmonics of bonds, of reversed bonds, and of zeros, shape (N D,).
        sender: atom (in that order) at which the edge starts, arbitrary for padding, shape (N D,).
        forward: place of the edge from the second atom of a bond to its first, shape (B,).
        backward: place of the reverse edge, shape (B,).
        leaving: places sorted by the atom (in the order of `Edges`) at which their edge starts, shape (E,).
        starts: index in `leaving` of the first place of each atom, shape (N + 1,).
        order: atoms in the order of `Edges`, shape (N,).
    """

    atoms: int
    bond: Tensor
    harmonics: Tensor
    sender: Tensor
    forward: Tensor
    backward: Tensor
    leaving: Tensor
    starts: Tensor
    order: Tensor

    @classmethod
    def of(cls, edges: Edges, order: Tensor) -> "PaddedEdges":
        """Pad the edges of all atoms.

        Args:
            edges: edges of `SkinLists`; here they end at their first atom.
            order: order of the atoms, shape (N,).
        """
        atoms, bonds = len(order), len(edges.bond_first)
        rank = torch.empty_like(order)
        rank[order] = torch.arange(atoms, device=order.device)
        counts = edges.starts[1:] - edges.starts[:-1]
        widest = max(int(counts.max()), 1)
        # Index of an edge among those of its atom.
        within = torch.arange(len(edges.first), device=order.device) - edges.starts.index_select(0, edges.first)
        place = rank.index_select(0, edges.first) * widest + within
        bond, sender = (place.new_zeros(atoms * widest) for _ in range(2))
        harmonics = place.new_full((atoms * widest,), 2 * bonds)
        bond[place] = edges.bond
        # The vector of an edge runs from its second atom to its first: opposite to that of the bond for a forward edge.
        harmonics[place] = edges.bond + bonds * (edges.sign > 0)
        sender[place] = rank.index_select(0, edges.second)
        return cls(
            atoms=atoms,
            bond=bond,
            harmonics=harmonics,
            sender=sender,
            forward=place.index_select(0, edges.forward),
            backward=place.index_select(0, edges.backward),
            leaving=place.index_select(0, edges.reverse),
            starts=edges.starts,
            order=order,
        )

    def by_bond(self, rows: Tensor) -> Tensor:
        """Sum rows of places, shape (N D, F), over the two edges of each bond, shape (B, F)."""
        return rows.index_select(0, self.forward).add_(rows.index_select(0, self.backward))

    def by_sender(self, rows: Tensor) -> Tensor:
        """Sum rows of places, shape (N D, F), over the edges that start at each atom, shape (N, F)."""
        return sum_rows(rows, self.leaving, self.starts).index_select(0, self.order)


def _kernel(path: Path, harmonics: Tensor, atoms: int) -> Tensor:
    # The matrix K of all atoms, shape (N, D (2 l1 + 1), 2 l3 + 1).
    chosen = harmonics[:, path.harmonics]
    if path.coupling is None:
        return chosen.view(atoms, -1, chosen.shape[1])
    components = path.features.stop - path.features.start
    return (chosen @ path.coupling).view(atoms, -1, path.coupling.shape[1] // components)


class _Messages(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        radial: Tensor,
        harmonics: Tensor,
        features: Tensor,
        plan: tuple[PaddedEdges, Sequence[Path]],
    ) -> tuple[Tensor, ...]:
        padded, paths = plan
        atoms, places, channels = padded.atoms, len(padded.bond), features.shape[2]
        sent = features.index_select(0, padded.sender)
        weights = radial.index_select(0, padded.bond) if len(radial) else radial.new_zeros(places, radial.shape[1])
        weights = weights.view(places, len(paths), channels)
        counts = Counter(path.target for path in paths)
        messages: dict[int, Tensor] = {}
        for index, path in enumerate(paths):
            kernel = _kernel(path, harmonics, atoms)
            rows = weights[:, index, None] * sent[:, path.features]
            part = torch.bmm(kernel.transpose(1, 2), rows.view(atoms, -1, channels)).transpose(0, 1)
            if path.target not in messages:
                messages[path.target] = part.new_empty(len(part), atoms, counts[path.target], channels)
            messages[path.target][:, :, path.place] = part
        ctx.save_for_backward(harmonics, sent, weights)
        ctx.padded, ctx.paths = padded, paths
        return tuple(messages[target] for target in sorted(messages))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        harmonics, sent, weights = ctx.saved_tensors
        padded, channels = ctx.padded, sent.shape[2]
        of_harmonics = torch.zeros_like(harmonics)
        of_weights = torch.empty_like(weights)
        of_sent = torch.zeros_like(sent) if ctx.needs_input_grad[2] else None
        for index, path in enumerate(ctx.paths):
            kernel = _kernel(path, harmonics, padded.atoms)
            weight, chosen = weights[:, index, None], sent[:, path.features]
            arriving = gradients[path.target][:, :, path.place].transpose(0, 1)
            of_rows = torch.bmm(kernel, arriving).view(chosen.shape)
            rows = (weight * chosen).view(padded.atoms, -1, channels)
            # Twice as fast as the product of the transposed matrices.
            of_kernel = torch.bmm(arriving, rows.transpose(1, 2)).transpose(1, 2).reshape(len(harmonics), -1)
            if path.coupling is not None:
                of_kernel = of_kernel @ path.coupling.T
            of_harmonics[:, path.harmonics] += of_kernel
            if of_sent is not None:
                of_sent[:, path.features].addcmul_(of_rows, weight)
            torch.mul(of_rows[:, 0], chosen[:, 0], out=of_weights[:, index])
            for component in range(1, chosen.shape[1]):
                of_weights[:, index].addcmul_(of_rows[:, component], chosen[:, component])
        return (
            padded.by_bond(of_weights.flatten(1)),
            of_harmonics,
            padded.by_sender(of_sent.flatten(1)).view(padded.atoms, *of_sent.shape[1:])
            if of_sent is not None
            else None,
            None,
        )


def sum_messages(
    features: Tensor,
    *,
    radial: Tensor,
    harmonics: Tensor,
    padded: PaddedEdges,
    paths: Sequence[Path],
) -> tuple[Tensor, ...]:
    """Sum the messages over the neighbours of each of N atoms, differentiable once.

    Args:
        features: M components of C channels, shape (N, M, C).
        radial: radial functions of the P paths for each bond, shape (B, P C).
        harmonics: harmonics at each place, zero for padding, shape (N D, (l_max + 1)^2).
        padded: the edges.
        paths: couplings; their targets are numbered from 0 without a gap.

    Returns:
        Messages of each target, shape (2 l3 + 1, N, paths of the target, C).
    """
    plan = (padded, paths)
    messages: tuple[Tensor, ...] = _Messages.apply(radial, harmonics, features, plan)  # type: ignore[no-untyped-call]
    return messages
