"""DIEP's maps: the density-times-potential of two or three atoms on a small grid, and the frame they are drawn in.

S. A. Tawfik et al., Digital Discovery (2024): a map is ``h^2 n(p) v(p)`` at the grid's points p, with n the sum of
Gaussians ``exp(-r^2 / s) / (pi s)`` at the atoms and v that of ``sqrt(Z) / sqrt(r^2 + e^2)``. Written anew for speed:
the Gaussians are products of a function of x and one of y, the gradient is written out, and a triangle is drawn once
for all the (up to two) ordered pairs of bonds that share it.

Importing this module imports torch.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Lengths nearer than this count as equal; part of the trained model.
TIE_A = 1e-6
HEAVIER_THAN_ALL = 128
# Atoms 0, 1, 2 are a bond's end, the centre, and the other bond's end. Sides 0-1, 1-2, 2-0: which atoms come first,
# second and third when that side is the longest, and which sides join the first and the second to the third.
_ATOMS = ((0, 1, 0), (1, 2, 2), (2, 0, 1))
_LEGS = ((2, 0, 0), (1, 2, 1))


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid and the constants of a map.

    Attributes:
        axis_A: coordinates along either axis, shape (K,); point ``row * K + column`` lies at (axis[column], axis[row]).
        spread_A2: s of the Gaussians.
        softening_A: e of the potentials.
    """

    axis_A: Tensor
    spread_A2: float
    softening_A: float

    @property
    def area_A2(self) -> float:
        """Area of a grid cell."""
        return float(self.axis_A[1] - self.axis_A[0]) ** 2


class _Maps(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Tensor, y: Tensor, charge: Tensor, grid: Grid) -> Tensor:
        axis = grid.axis_A
        across, along = axis - x[:, :, None], axis[: grid_rows(grid, y)] - y[:, :, None]
        across2, along2 = across * across, along * along
        across_gauss = torch.exp(across2 * (-1 / grid.spread_A2)) * (1 / (math.pi * grid.spread_A2))
        along_gauss = torch.exp(along2 * (-1 / grid.spread_A2))
        inverse = (along2 + grid.softening_A**2)[:, :, :, None] + across2[:, :, None, :]
        inverse = inverse.rsqrt_()
        density = along_gauss[:, 0, :, None] * across_gauss[:, 0, None, :]
        potential = charge[:, 0, None, None] * inverse[:, 0]
        for atom in range(1, x.shape[1]):
            density.addcmul_(along_gauss[:, atom, :, None], across_gauss[:, atom, None, :])
            potential.addcmul_(charge[:, atom, None, None], inverse[:, atom])
        ctx.save_for_backward(across, along, across_gauss, along_gauss, inverse, density, potential, charge)
        ctx.grid = grid
        return (density * potential).mul_(grid.area_A2).flatten(1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        across, along, across_gauss, along_gauss, inverse, density, potential, charge = ctx.saved_tensors
        incoming = gradients[0].view_as(density) * ctx.grid.area_A2
        to_density, to_potential = incoming * potential, incoming * density
        of_x, of_y = torch.empty_like(across[:, :, 0]), torch.empty_like(across[:, :, 0])
        steep = 2 / ctx.grid.spread_A2
        for atom in range(across.shape[1]):
            pull = inverse[:, atom] ** 3
            pull.mul_(to_potential).mul_(charge[:, atom, None, None])
            pull.addcmul_(along_gauss[:, atom, :, None] * to_density, across_gauss[:, atom, None, :], value=steep)
            of_x[:, atom] = (pull.sum(1) * across[:, atom]).sum(1)
            of_y[:, atom] = (pull.sum(2) * along[:, atom]).sum(1)
        return of_x, of_y, None, None


def grid_rows(grid: Grid, y: Tensor) -> int:
    """Rows that a map needs: all, or those below and on the axis where all atoms lie on it (two of them)."""
    return len(grid.axis_A) if y.shape[1] > 2 else len(grid.axis_A) // 2 + 1  # noqa: PLR2004 - a bond's two atoms


def maps(x: Tensor, y: Tensor, charge: Tensor, grid: Grid) -> Tensor:
    """Maps of some groups of atoms, differentiable by coordinates.

    Args:
        x: first coordinates, shape (M, 2) or (M, 3).
        y: second coordinates, the same shape; zero for two atoms, whose map is its own mirror image: half is given.
        charge: effective charges, the same shape.
        grid: the grid.

    Returns:
        Shape (M, R K), row by row.
    """
    drawn: Tensor = _Maps.apply(x, y, charge, grid)  # type: ignore[no-untyped-call]
    return drawn


def fold(matrix: Tensor, points: int) -> Tensor:
    """A matrix that acts on whole maps, shape (P, F), as one that acts on the half that `maps` gives of two atoms."""
    rows = matrix.view(points, points, -1)
    half = rows[: points // 2 + 1].clone()
    half[: points // 2] += rows[points // 2 + 1 :].flip(0)
    return half.reshape(-1, matrix.shape[1])


def triangle_frames(squares_A2: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Planar coordinates of triangles in the model's canonical frame, from their sides alone.

    The longest side lies along x (of equal ones that of the higher atomic numbers); its end with the shorter leg (of
    equal legs the higher number) comes first, at negative x; the third atom lies at y >= 0; the centroid is the origin.

    Args:
        squares_A2: squared sides 0-1, 1-2 and 2-0, double precision, shape (T, 3).
        numbers: atomic numbers of atoms 0, 1 and 2, shape (T, 3).

    Returns:
        x, y (shape (T, 3), single precision) and atomic numbers in that order.
    """
    with torch.no_grad():
        lengths = squares_A2.sqrt()
        ends = torch.stack([numbers, numbers.roll(-1, 1)])
        heavy, light = ends.max(0).values, ends.min(0).values
        rank = ((lengths / TIE_A).round().long() * HEAVIER_THAN_ALL + heavy) * HEAVIER_THAN_ALL + light
        longest = rank.argmax(1)
        first, second, third = (torch.tensor(row, device=longest.device)[longest][:, None] for row in _ATOMS)
        to_first, to_second = (torch.tensor(row, device=longest.device)[longest][:, None] for row in _LEGS)
        excess = lengths.gather(1, to_first) - lengths.gather(1, to_second)
        heavier = numbers.gather(1, second) > numbers.gather(1, first)
        swap = torch.where(excess.abs() <= TIE_A, heavier, excess > TIE_A)
        first, second = torch.where(swap, second, first), torch.where(swap, first, second)
        to_first, to_second = torch.where(swap, to_second, to_first), torch.where(swap, to_first, to_second)
    base2 = squares_A2.gather(1, longest[:, None])[:, 0]
    leg2, other2 = squares_A2.gather(1, to_first)[:, 0], squares_A2.gather(1, to_second)[:, 0]
    base = base2.sqrt()
    x = (leg2 - other2) / (2 * base)
    y = ((leg2 - (x + base / 2) ** 2).clamp_min(0) + TIE_A**2).sqrt()
    planar_x = torch.stack([-base / 2 - x / 3, base / 2 - x / 3, x * (2 / 3)], dim=1)
    planar_y = torch.stack([-y / 3, -y / 3, y * (2 / 3)], dim=1)
    order = torch.cat([first, second, third], dim=1)
    return planar_x.float(), planar_y.float(), numbers.gather(1, order)


class _Meet(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, drawn: Tensor, table: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
        ctx.save_for_backward(drawn, table, *indices)
        return _meet(drawn, table, indices)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        drawn, table, *indices = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        left, right = indices[0], indices[1]
        of_drawn = gradient.index_select(0, left).mul_(table.index_select(0, right))
        of_drawn.add_(gradient.index_select(0, right).mul_(table.index_select(0, left)))
        return of_drawn, _meet(drawn, gradient, tuple(indices)), None


def _meet(drawn: Tensor, table: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
    left, right, everything, left_starts, by_right, right_starts = indices
    met = torch.embedding_bag(
        table.index_select(0, right).mul_(drawn), everything, left_starts, False, 0, False, None, True
    )[0]
    met.add_(
        torch.embedding_bag(
            table.index_select(0, left).mul_(drawn), by_right, right_starts, False, 0, False, None, True
        )[0]
    )
    return met


def meet(drawn: Tensor, table: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
    """For each edge the sum over its partners of (map of the pair) x (the partner's row), shape (S, P).

    Args:
        drawn: one map for each unordered pair of edges, shape (M, P).
        table: a row for each edge, shape (S, P).
        indices: left and right edge of each pair, left < right, in that order; 0 ... M - 1; where each left edge's
            pairs start; the pairs in the order of their right edges; where each right edge's start.
    """
    met: Tensor = _Meet.apply(drawn, table, indices)  # type: ignore[no-untyped-call]
    return met
