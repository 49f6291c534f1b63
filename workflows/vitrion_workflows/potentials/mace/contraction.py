"""MACE's symmetric contraction as polynomials: of each atom and channel, in the components of its messages.

The contraction (I. Batatia et al., NeurIPS 35, 11423, 2022, eqs. 10 and 11) of correlation n is, for an element and a
channel, a polynomial of degree n whose coefficients are fixed once the model is trained. mace-torch forms them from
coupling coefficients and weights, without use of the symmetry under exchange of factors, for each atom at each step.
Here they are formed once for an element. What is evaluated is the polynomials' gradient: a product of a matrix of
coefficients with all monomials of one degree less. It gives the values, too (Euler's theorem).

Importing this module imports torch.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement, product
from typing import Any

import torch
from torch import Tensor

# Of an element: for each degree from 1, shape (C, O I, monomials of one degree less).
Coefficients = tuple[Tensor, ...]


def coefficients_of(couplings: Sequence[Sequence[Tensor]], weights: Sequence[Sequence[Tensor]]) -> Coefficients:
    """Coefficients of the gradient of one element's polynomials.

    Args:
        couplings: for each block of outputs, by degree from 1, mace-torch's U matrix: shape (2 l + 1, I, ..., I, K),
            without its first dimension where l is 0.
        weights: for each block of outputs, by degree from 1: shape (K, C).

    Returns:
        By degree, shape (C, O I, M): outputs of all blocks one after the other; monomials in the order of
        `combinations_with_replacement`.
    """
    degrees = len(couplings[0])
    return tuple(
        torch.cat([_gradient(block[n], weight[n], n + 1) for block, weight in zip(couplings, weights, strict=True)], 1)
        for n in range(degrees)
    )


def _gradient(coupling: Tensor, weight: Tensor, degree: int) -> Tensor:
    inputs, channels = coupling.shape[-2], weight.shape[1]
    full = (coupling @ weight).reshape(-1, *(inputs,) * degree, channels)
    slope = torch.stack([full.movedim(1 + factor, 1) for factor in range(degree)]).sum(0)
    names = {name: row for row, name in enumerate(combinations_with_replacement(range(inputs), degree - 1))}
    column = [names[tuple(sorted(name))] for name in product(range(inputs), repeat=degree - 1)]
    gathered = full.new_zeros(len(names), channels, len(full) * inputs)
    flat = slope.reshape(len(full) * inputs, -1, channels).permute(1, 2, 0)
    gathered.index_add_(0, torch.tensor(column), flat)
    return gathered.permute(1, 2, 0).contiguous()


class _Polynomials(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, groups: Sequence[tuple[slice, Coefficients]]) -> Tensor:
        channels, components, _ = inputs.shape
        by_degree = _monomials(inputs, max(len(coefficients) for _, coefficients in groups))
        values, slopes = [], []
        for chosen, coefficients in groups:
            slope, value = coefficients[0], coefficients[0]
            for degree, matrix in enumerate(coefficients[1:], start=2):
                part = torch.bmm(matrix, by_degree[degree - 2][:, :, chosen])
                slope, value = slope + part, value + part / degree
            shape = (channels, -1, components, slope.shape[-1])
            here = inputs[:, None, :, chosen]
            slopes.append(slope.view(shape))
            values.append((value.view(shape) * here).sum(2))
        ctx.save_for_backward(*slopes)
        ctx.groups = [chosen for chosen, _ in groups]
        ctx.shape = inputs.shape
        return torch.cat(values, dim=2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        total = gradients[0].new_empty(ctx.shape)
        for chosen, slope in zip(ctx.groups, ctx.saved_tensors, strict=True):
            total[:, :, chosen] = (slope * gradients[0][:, :, None, chosen]).sum(1)
        return total, None


def _monomials(inputs: Tensor, degrees: int) -> list[Tensor]:
    # Of degree 1, 2, ...; those of a degree whose first factor is at least i stand at its end.
    channels, components, atoms = inputs.shape
    found, widths = [inputs], [1] * components
    for _ in range(2, degrees):
        lower, tails = found[-1], [sum(widths[first:]) for first in range(components)]
        higher, begin = inputs.new_empty(channels, sum(tails), atoms), 0
        for first, tail in enumerate(tails):
            torch.mul(lower[:, -tail:], inputs[:, first : first + 1], out=higher[:, begin : begin + tail])
            begin += tail
        found.append(higher)
        widths = tails
    return found


def polynomials(inputs: Tensor, groups: Sequence[tuple[slice, Coefficients]]) -> Tensor:
    """Polynomials of every atom and channel, differentiable once.

    Args:
        inputs: shape (C, I, N).
        groups: atoms of one element, consecutive, and the element's coefficients; together all atoms in their order.

    Returns:
        Shape (C, O, N).
    """
    values: Tensor = _Polynomials.apply(inputs, groups)  # type: ignore[no-untyped-call]
    return values
