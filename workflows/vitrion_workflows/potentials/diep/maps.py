"""DIEP's maps: density times potential of two or three atoms on a small planar grid.

S. A. Tawfik et al., Digital Discovery (2024): a map is ``h^2 n(p) v(p)`` at the grid points p, with n the sum of
Gaussians ``exp(-r^2 / s) / (pi s)`` at the atoms and v the sum of ``sqrt(Z) / sqrt(r^2 + e^2)``. For speed, Gaussians
are products of a function of x and one of y, the gradient is analytic, and the map of a triangle is evaluated once for
the two ordered pairs of bonds that share it.

Importing this module imports torch.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

# Lengths closer than this are equal; part of the trained model.
TIE_A = 1e-6
HEAVIER_THAN_ALL = 128
# Atoms 0, 1, 2 are the end of a bond, the centre, and the end of the other bond. For the longest side 0-1, 1-2 or 2-0:
# the first, second and third atom of the frame, and the sides from the first and the second to the third.
_ATOMS = ((0, 1, 0), (1, 2, 2), (2, 0, 1))
_LEGS = ((2, 0, 0), (1, 2, 1))


@dataclass(frozen=True, eq=False)
class Grid:
    """The grid and the constants of a map.

    Attributes:
        axis_A: coordinates along both axes, shape (K,); point ``row * K + column`` lies at (axis[column], axis[row]).
        spread_A2: width s of the Gaussians.
        softening_A: softening length e of the potentials.
    """

    axis_A: Tensor
    spread_A2: float
    softening_A: float

    @property
    def area_A2(self) -> float:
        """Return the area h^2 of a grid cell."""
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
    """Count the rows of a map: all, or for two atoms, which lie on the axis, those below and on it."""
    return len(grid.axis_A) if y.shape[1] > 2 else len(grid.axis_A) // 2 + 1  # noqa: PLR2004 - a bond's two atoms


def maps(x: Tensor, y: Tensor, charge: Tensor, grid: Grid) -> Tensor:
    """Evaluate the maps of M groups of two or three atoms, differentiable with respect to the coordinates.

    Args:
        x: first coordinates in A, shape (M, 2) or (M, 3).
        y: second coordinates in A, the same shape; zero for two atoms, whose map is symmetric: half of it is returned.
        charge: effective charges sqrt(Z), the same shape.
        grid: the grid.

    Returns:
        Maps of R rows and K columns, row by row, shape (M, R K).
    """
    values: Tensor = _Maps.apply(x, y, charge, grid)  # type: ignore[no-untyped-call]
    return values


def fold_mirror(matrix: Tensor, points: int) -> Tensor:
    """Convert a matrix for complete maps, shape (K K, F), to one for the half maps of two atoms, shape (R K, F)."""
    rows = matrix.view(points, points, -1)
    half = rows[: points // 2 + 1].clone()
    half[: points // 2] += rows[points // 2 + 1 :].flip(0)
    return half.reshape(-1, matrix.shape[1])


def triangle_frames(squares_A2: Tensor, numbers: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return planar coordinates of triangles in the canonical frame of the model, from their sides.

    The longest side lies along x (of equal ones that with the higher atomic numbers); its end with the shorter leg (of
    equal legs the higher number) is first, at negative x; the third atom lies at y >= 0; the centroid is the origin.

    Args:
        squares_A2: squared sides 0-1, 1-2 and 2-0, double precision, shape (T, 3).
        numbers: atomic numbers of atoms 0, 1 and 2, shape (T, 3).

    Returns:
        x and y in A, single precision, and the atomic numbers in that order, shape (T, 3) each.
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


class _PartnerSums(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, pair_maps: Tensor, table: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
        ctx.save_for_backward(pair_maps, table, *indices)
        return _sum_partners(pair_maps, table, indices)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        pair_maps, table, *indices = ctx.saved_tensors
        gradient = gradients[0].contiguous()
        left, right = indices[0], indices[1]
        of_pair_maps = gradient.index_select(0, left).mul_(table.index_select(0, right))
        of_pair_maps.add_(gradient.index_select(0, right).mul_(table.index_select(0, left)))
        return of_pair_maps, _sum_partners(pair_maps, gradient, tuple(indices)), None


def _sum_partners(pair_maps: Tensor, table: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
    left, right, all_pairs, left_starts, by_right, right_starts = indices
    sums = torch.embedding_bag(
        table.index_select(0, right).mul_(pair_maps), all_pairs, left_starts, False, 0, False, None, True
    )[0]
    sums.add_(
        torch.embedding_bag(
            table.index_select(0, left).mul_(pair_maps), by_right, right_starts, False, 0, False, None, True
        )[0]
    )
    return sums


def sum_partners(pair_maps: Tensor, table: Tensor, indices: tuple[Tensor, ...]) -> Tensor:
    """Sum (map of the pair) x (row of the partner) over the partners of each edge, shape (S, P).

    Args:
        pair_maps: one map for each unordered pair of edges, shape (M, P).
        table: one row for each edge, shape (S, P).
        indices: left and right edge of each pair, left < right, sorted; 0 ... M - 1; start of the pairs of each left
            edge; pairs sorted by their right edge; start of the pairs of each right edge.
    """
    sums: Tensor = _PartnerSums.apply(pair_maps, table, indices)  # type: ignore[no-untyped-call]
    return sums
