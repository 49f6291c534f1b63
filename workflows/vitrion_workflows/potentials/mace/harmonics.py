"""Spherical harmonics of unit vectors as polynomials, and their gradient.

A harmonic of degree l is a homogeneous polynomial of degree l. Its coefficients are fitted once to the values of a
given implementation, whose order, sign and normalization are thereby kept.

Importing this module imports torch.
"""

from collections.abc import Callable
from itertools import combinations_with_replacement

import torch
from torch import Tensor


class Harmonics:
    """Spherical harmonics of degree 0, 1, ... of unit vectors, 2 l + 1 of degree l.

    Attributes:
        parity: (-1)^l of each harmonic, shape ((l_max + 1)^2,).
    """

    def __init__(self, function: Callable[[Tensor], Tensor], greatest_degree: int, device: str) -> None:
        """Fit the coefficients.

        Args:
            function: takes K vectors in double precision, shape (K, 3), returns shape (K, (l_max + 1)^2).
            greatest_degree: l_max.
            device: device on which the harmonics are evaluated.
        """
        terms = [list(combinations_with_replacement(range(3), degree)) for degree in range(greatest_degree + 1)]
        # A monomial is one of the next lower degree times a coordinate.
        self._steps = [
            (
                torch.tensor([terms[degree - 1].index(term[1:]) for term in terms[degree]], device=device),
                torch.tensor([term[0] for term in terms[degree]], device=device),
            )
            for degree in range(1, greatest_degree + 1)
        ]
        every = [term for of_degree in terms for term in of_degree]
        points = torch.randn(200, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        points /= points.norm(dim=1, keepdim=True)
        values = function(points)
        coefficients = points.new_zeros(len(every), values.shape[1])
        begin = 0
        for degree, of_degree in enumerate(terms):
            monomials = torch.stack([points[:, list(term)].prod(1) for term in of_degree], dim=1)
            block = slice(degree**2, (degree + 1) ** 2)
            coefficients[begin : begin + len(of_degree), block] = torch.linalg.pinv(monomials) @ values[:, block]
            begin += len(of_degree)
        self._coefficients = coefficients.float().to(device)
        self._slopes = _derivatives(every, coefficients).float().to(device)
        degrees = torch.repeat_interleave(torch.arange(greatest_degree + 1), 2 * torch.arange(greatest_degree + 1) + 1)
        self.parity = (1.0 - 2.0 * (degrees % 2)).to(device)

    def __call__(self, directions: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate the harmonics and their gradient.

        Args:
            directions: unit vectors, shape (B, 3).

        Returns:
            Values, shape (B, (l_max + 1)^2), and derivatives with respect to the three coordinates, shape
            (B, 3, (l_max + 1)^2). The polynomials agree with the harmonics on the unit sphere only: use the tangential
            part of the gradient.
        """
        coordinates = directions.T.contiguous()
        degree = coordinates.new_ones(1, len(directions))
        monomials = [degree]
        for lower, axis in self._steps:
            degree = degree.index_select(0, lower) * coordinates.index_select(0, axis)
            monomials.append(degree)
        rows = torch.cat(monomials).T
        return rows @ self._coefficients, (rows @ self._slopes).unflatten(1, (3, len(self.parity)))


def _derivatives(terms: list[tuple[int, ...]], coefficients: Tensor) -> Tensor:
    # Coefficients of the derivatives, shape (monomials, 3 harmonics).
    slopes = coefficients.new_zeros(len(terms), 3, coefficients.shape[1])
    for row, term in enumerate(terms):
        for axis in set(term):
            rest = list(term)
            rest.remove(axis)
            slopes[terms.index(tuple(rest)), axis] += term.count(axis) * coefficients[row]
    return slopes.flatten(1)
