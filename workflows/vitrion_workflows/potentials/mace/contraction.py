"""MACE's symmetric contraction as polynomials in the components of the messages of an atom.

The contraction (I. Batatia et al., NeurIPS 35, 11423, 2022, eqs. 10 and 11) of correlation n is, for each element and
channel, a polynomial of degree n whose coefficients are fixed once the model is trained. mace-torch forms them from
coupling coefficients and weights for each atom at each step, without the symmetry under exchange of factors. Here they
are formed once for each element. The gradient of the polynomials is evaluated, as a matrix of coefficients times all
monomials of one degree less; the values follow from it by Euler's theorem, degree x value = gradient . inputs.

Importing this module imports torch.
"""

from collections.abc import Sequence
from itertools import combinations_with_replacement, product
from typing import Any

import torch
from torch import Tensor

# Coefficients of one element by degree from 1, shape (C, O I, monomials of one degree less) each: C channels, O
# outputs, I components of the messages.
Coefficients = tuple[Tensor, ...]


def gradient_coefficients(couplings: Sequence[Sequence[Tensor]], weights: Sequence[Sequence[Tensor]]) -> Coefficients:
    """Return the coefficients of the gradient of the polynomials of one element.

    Args:
        couplings: for each block of outputs, by degree from 1, mace-torch's U matrix: shape (2 l + 1, I, ..., I, K),
            without its first dimension where l is 0.
        weights: for each block of outputs, by degree from 1: shape (K, C).

    Returns:
        By degree, shape (C, O I, M): outputs of all blocks in sequence; M monomials in the order of
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
    monomials = {factors: row for row, factors in enumerate(combinations_with_replacement(range(inputs), degree - 1))}
    column = [monomials[tuple(sorted(factors))] for factors in product(range(inputs), repeat=degree - 1)]
    gathered = full.new_zeros(len(monomials), channels, len(full) * inputs)
    flat = slope.reshape(len(full) * inputs, -1, channels).permute(1, 2, 0)
    gathered.index_add_(0, torch.tensor(column), flat)
    return gathered.permute(1, 2, 0).contiguous()


class _Polynomials(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, inputs: Tensor, by_element: Sequence[tuple[slice, Coefficients]]) -> Tensor:
        channels, components, _ = inputs.shape
        by_degree = _monomials(inputs, max(len(coefficients) for _, coefficients in by_element))
        values, slopes = [], []
        for atoms, coefficients in by_element:
            slope, value = coefficients[0], coefficients[0]
            for degree, matrix in enumerate(coefficients[1:], start=2):
                part = torch.bmm(matrix, by_degree[degree - 2][:, :, atoms])
                slope, value = slope + part, value + part / degree
            shape = (channels, -1, components, slope.shape[-1])
            slopes.append(slope.view(shape))
            values.append((value.view(shape) * inputs[:, None, :, atoms]).sum(2))
        ctx.save_for_backward(*slopes)
        ctx.atoms = [atoms for atoms, _ in by_element]
        ctx.shape = inputs.shape
        return torch.cat(values, dim=2)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        total = gradients[0].new_empty(ctx.shape)
        for atoms, slope in zip(ctx.atoms, ctx.saved_tensors, strict=True):
            total[:, :, atoms] = (slope * gradients[0][:, :, None, atoms]).sum(1)
        return total, None


def _monomials(inputs: Tensor, degrees: int) -> list[Tensor]:
    # Monomials by degree from 1, shape (C, M, N) each; those whose first factor is at least i are the last of a degree.
    channels, components, atoms = inputs.shape
    by_degree, widths = [inputs], [1] * components
    for _ in range(2, degrees):
        lower, tails = by_degree[-1], [sum(widths[first:]) for first in range(components)]
        higher, begin = inputs.new_empty(channels, sum(tails), atoms), 0
        for first, tail in enumerate(tails):
            torch.mul(lower[:, -tail:], inputs[:, first : first + 1], out=higher[:, begin : begin + tail])
            begin += tail
        by_degree.append(higher)
        widths = tails
    return by_degree


def polynomials(inputs: Tensor, by_element: Sequence[tuple[slice, Coefficients]]) -> Tensor:
    """Evaluate the polynomials of all N atoms and C channels, differentiable once.

    Args:
        inputs: components of the messages, shape (C, I, N), atoms sorted by element.
        by_element: for each element present the slice of its atoms and its coefficients; together all atoms.

    Returns:
        Outputs, shape (C, O, N).
    """
    values: Tensor = _Polynomials.apply(inputs, by_element)  # type: ignore[no-untyped-call]
    return values
