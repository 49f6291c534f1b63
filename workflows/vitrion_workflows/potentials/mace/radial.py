"""Smooth functions of a distance as piecewise polynomials: values and slopes from a table.

The radial functions of a MACE layer depend on the distance alone (and, in models with a transformed distance, on the
two elements): a network of several layers, evaluated for each pair at each step. Here it is evaluated once, in double
precision, at the Chebyshev nodes of each interval; a step sums six rows of a table. Intervals are halved until the
polynomials agree with the function to single precision, also between the nodes.

Importing this module imports torch.
"""

import math
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

DEGREE = 5
FEWEST_INTERVALS = 64
MOST_INTERVALS = 1024
# Relative to the greatest value and the greatest slope.
TOLERANCE = 1e-7
# Bessel functions are 0 / 0 at zero distance.
LEAST_DISTANCE_A = 1e-4

Function = Callable[[Tensor], Tensor]


class RadialTable:
    """Functions of the distance, one set for each kind of pair."""

    def __init__(self, functions: Callable[[int], Function], cutoff_A: float, device: str) -> None:
        """Start with an empty table.

        Args:
            functions: returns the functions of a kind, which take K distances in A, double precision, shape (K,), and
                return shape (K, F).
            cutoff_A: greatest distance.
            device: device on which the table is evaluated.
        """
        self._functions, self._cutoff_A = functions, cutoff_A
        self._tabulated: set[int] = set()
        self._rows = torch.empty(0, 0, device=device)
        self._begins = torch.empty(0, dtype=torch.int64, device=device)
        self._intervals = torch.empty(0, dtype=torch.float64, device=device)
        self._powers = torch.arange(DEGREE + 1, device=device)

    def require(self, kinds: Iterable[int]) -> None:
        """Tabulate the kinds that are missing."""
        for kind in sorted(set(kinds) - self._tabulated):
            rows = fitted(self._functions(kind), self._cutoff_A).to(self._rows)
            missing = max(kind + 1 - len(self._begins), 0)
            self._begins = torch.cat([self._begins, self._begins.new_zeros(missing)])
            self._intervals = torch.cat([self._intervals, self._intervals.new_zeros(missing)])
            self._begins[kind] = len(self._rows)
            self._intervals[kind] = len(rows) // (DEGREE + 1)
            self._rows = torch.cat([self._rows, rows]) if self._tabulated else rows
            self._tabulated.add(kind)

    def __call__(self, distances_A: Tensor, kinds: Tensor) -> tuple[Tensor, Tensor]:
        """Evaluate values and slopes.

        Args:
            distances_A: double precision, less than the cutoff, shape (B,).
            kinds: kind of each pair, passed to `require` before, shape (B,).

        Returns:
            Values and derivatives with respect to the distance, single precision, each of shape (B, F).
        """
        intervals = self._intervals.index_select(0, kinds)
        place = distances_A * (intervals / self._cutoff_A)
        interval = torch.minimum(place.floor(), intervals - 1)
        rows = self._begins.index_select(0, kinds) + interval.long() * (DEGREE + 1)
        rows = rows[:, None] + self._powers
        within = 2.0 * (place - interval) - 1.0
        raised = torch.cat([torch.ones_like(within)[:, None], within[:, None].expand(-1, DEGREE).cumprod(1)], dim=1)
        slopes = torch.zeros_like(raised)
        slopes[:, 1:] = raised[:, :-1] * self._powers[1:] * (2.0 / self._cutoff_A * intervals)[:, None]
        return self._sums(rows, raised), self._sums(rows, slopes)

    def _sums(self, rows: Tensor, weights: Tensor) -> Tensor:
        if not len(rows):
            return self._rows.new_zeros(0, self._rows.shape[1])
        weights = weights.to(self._rows.dtype)
        sums: Tensor = torch.nn.functional.embedding_bag(rows, self._rows, mode="sum", per_sample_weights=weights)
        return sums


def fitted(function: Function, cutoff_A: float) -> Tensor:
    """Fit piecewise polynomials to F functions of the distance.

    Returns:
        Coefficients in double precision, shape (I (DEGREE + 1), F): for each of I intervals those of the powers 0, 1,
        ... of a coordinate from -1 to 1.
    """
    coefficients = _interpolated(function, cutoff_A, FEWEST_INTERVALS)
    while len(coefficients) < MOST_INTERVALS:
        finer = _interpolated(function, cutoff_A, 2 * len(coefficients))
        if _agree(coefficients, finer):
            break
        coefficients = finer
    return coefficients.flatten(0, 1)


def _interpolated(function: Function, cutoff_A: float, intervals: int) -> Tensor:
    count = DEGREE + 1
    nodes = torch.cos(math.pi * (torch.arange(count, dtype=torch.float64) + 0.5) / count)
    values = _on_intervals(function, nodes, cutoff_A, intervals)
    coefficients: Tensor = torch.linalg.inv(torch.vander(nodes, increasing=True)) @ values
    return coefficients


def _on_intervals(function: Function, within: Tensor, cutoff_A: float, intervals: int) -> Tensor:
    middles = torch.arange(intervals, dtype=torch.float64) + 0.5
    distances = (middles[:, None] + 0.5 * within) * (cutoff_A / intervals)
    values = function(distances.flatten().clamp(min=LEAST_DISTANCE_A))
    return values.view(intervals, len(within), -1)


def _agree(coefficients: Tensor, finer: Tensor) -> bool:
    # Values and slopes between the nodes, against polynomials of intervals half as wide.
    finer = finer.unflatten(0, (-1, 2))
    at = torch.tensor([-0.9, -0.4, 0.1, 0.6], dtype=torch.float64)
    for slope in (False, True):
        coarse = torch.stack([_powers(0.5 * (at - 1), slope=slope), _powers(0.5 * (at + 1), slope=slope)])
        expected = torch.einsum("pk,ihkf->ihpf", _powers(at, slope=slope) * (2 if slope else 1), finer)
        coarse_values = torch.einsum("hpk,ikf->ihpf", coarse, coefficients)
        if float((coarse_values - expected).abs().max()) > TOLERANCE * float(expected.abs().max()):
            return False
    return True


def _powers(within: Tensor, *, slope: bool) -> Tensor:
    raised = torch.vander(within, DEGREE + 1, increasing=True)
    if not slope:
        return raised
    lowered = torch.zeros_like(raised)
    lowered[:, 1:] = raised[:, :-1] * torch.arange(1, DEGREE + 1)
    return lowered
