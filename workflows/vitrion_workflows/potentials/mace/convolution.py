"""MACE's convolution: features of neighbours times spherical harmonics, summed without storing messages.

The message of an edge is, for each path (l1, l2) -> l3, R[c] sum_{m1 m2} CG[m1, m2, m3] h[m1, c] Y[m2]. A general
tensor product writes and reads it several times. Its sum over an atom's neighbours is a product of matrices: the rows
(R h)[m1, c] of all its edges with the rows K[m1, m3] = sum_{m2} CG Y[m2]. Edges stand in rows of equal length for each
atom, empty places having harmonics of zero.

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
    """One coupling of a feature with a harmonic.

    Attributes:
        features: components of the feature.
        harmonics: harmonics of one degree.
        coupling: shape (2 l2 + 1, (2 l1 + 1)(2 l3 + 1)); None where the feature is a scalar: the harmonic is kept.
        target: which kind of message it adds to.
        place: its place among the paths of that target.
    """

    features: slice
    harmonics: slice
    coupling: Tensor | None
    target: int
    place: int


@dataclass(frozen=True, eq=False)
class Padded:
    """Edges in rows of equal length D for each atom that they end at, atoms in an order of their own.

    Attributes:
        atoms: N.
        bond: bond of each place, any for an empty one, shape (N D,).
        harmonics: row in a table of the harmonics of bonds, of their opposites, and of zeros; shape (N D,).
        sender: atom in that order from which the edge comes, any for an empty place, shape (N D,).
        forward: place of the edge that runs from a bond's second atom to its first, shape (B,).
        backward: place of the opposite edge, shape (B,).
        leaving: places, those of edges that come from atom 0 (in the order of `Edges`) first, shape (E,).
        starts: where in `leaving` each atom's begin, shape (N + 1,).
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
    def of(cls, edges: Edges, order: Tensor) -> "Padded":
        """Edges that end at their first atom, atoms in some order.

        Args:
            edges: pairs.
            order: atoms, shape (N,).
        """
        atoms, bonds = len(order), len(edges.bond_first)
        rank = torch.empty_like(order)
        rank[order] = torch.arange(atoms, device=order.device)
        counts = edges.starts[1:] - edges.starts[:-1]
        widest = max(int(counts.max()), 1)
        # From the first edge of its atom.
        within = torch.arange(len(edges.first), device=order.device) - edges.starts.index_select(0, edges.first)
        place = rank.index_select(0, edges.first) * widest + within
        bond, sender = (place.new_zeros(atoms * widest) for _ in range(2))
        harmonics = place.new_full((atoms * widest,), 2 * bonds)
        bond[place] = edges.bond
        # A vector runs from the edge's second atom to its first: against the bond's for a forward edge.
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
        """Sum of the rows of a bond's two edges, shape (B, F)."""
        return rows.index_select(0, self.forward).add_(rows.index_select(0, self.backward))

    def by_sender(self, rows: Tensor) -> Tensor:
        """Sum of the rows of the edges that come from an atom, shape (N, F)."""
        return sum_rows(rows, self.leaving, self.starts).index_select(0, self.order)


def _kernel(path: Path, harmonics: Tensor, atoms: int) -> Tensor:
    # Shape (N, D (2 l1 + 1), 2 l3 + 1).
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
        plan: tuple[Padded, Sequence[Path]],
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
            # Twice as fast as the product of their transposes.
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


def messages_of(
    features: Tensor,
    *,
    radial: Tensor,
    harmonics: Tensor,
    padded: Padded,
    paths: Sequence[Path],
) -> tuple[Tensor, ...]:
    """Messages of the atoms, differentiable once.

    Args:
        features: shape (N, M, C).
        radial: factors of the paths, in their order, of each bond, shape (B, P C).
        harmonics: shape (N D, (l_max + 1)^2), zero at empty places.
        padded: edges.
        paths: couplings; targets are numbered from 0 and each has a path.

    Returns:
        For each target shape (2 l3 + 1, N, paths of the target, C).
    """
    plan = (padded, paths)
    messages: tuple[Tensor, ...] = _Messages.apply(radial, harmonics, features, plan)  # type: ignore[no-untyped-call]
    return messages
