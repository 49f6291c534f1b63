"""Hard cores learned from the training cells: pairs that overlap in the denoised estimate are pushed apart."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
from ase.data import covalent_radii

from vitrion_models.errors import InputError
from vitrion_models.graphs import neighbour_list
from vitrion_models.system import AtomicSystem, FloatArray

Pair = tuple[int, int]
SEARCH_A = 4.0
DEFAULT_RATIO = 0.75  # least distance over the sum of covalent radii, where no training cell holds the pair


class Guidance(Protocol):
    """A displacement of the denoised estimate, for example by hard cores or by the gradient of a surrogate."""

    def __call__(self, estimate: AtomicSystem, sigma_A: float) -> FloatArray:
        """Return the displacements to add to the estimate of the clean cell, Angstrom, shape (N, 3)."""


@dataclass(frozen=True)
class HardCores:
    """Least distance of each pair of elements.

    Attributes:
        least_A: of the pairs in the training cells, keys sorted by atomic number.
        default_ratio: least distance over the sum of covalent radii, of all other pairs.
    """

    least_A: Mapping[Pair, float] = field(default_factory=dict)
    default_ratio: float = DEFAULT_RATIO

    @classmethod
    def learn(cls, cells: Iterable[AtomicSystem]) -> "HardCores":
        """Return the shortest distance of each pair over all cells; the smallest ratio to the radii is the default."""
        least: dict[Pair, float] = {}
        for cell in cells:
            edges = neighbour_list(cell, SEARCH_A)
            edges.require_distinct_atoms()
            ordered = np.sort(cell.numbers[edges.edge_index], axis=0)
            for pair in {(int(low), int(high)) for low, high in ordered.T}:
                among = (ordered[0] == pair[0]) & (ordered[1] == pair[1])
                least[pair] = min(least.get(pair, SEARCH_A), float(edges.distances_A[among].min()))
        ratios = [least_A / _radii_sum(pair) for pair, least_A in least.items()]
        return cls(least, min([DEFAULT_RATIO, *ratios]))

    def distance_A(self, pair: Pair) -> float:
        """Return the least distance of a pair of atomic numbers."""
        learned_A = self.least_A.get((min(pair), max(pair)))
        return self.default_ratio * _radii_sum(pair) if learned_A is None else learned_A

    def merged(self, other: "HardCores") -> "HardCores":
        """Return the smaller of the least distances of two sets of cores."""
        pairs = self.least_A.keys() | other.least_A.keys()
        least = {pair: min(own.least_A.get(pair, np.inf) for own in (self, other)) for pair in pairs}
        return HardCores(least, min(self.default_ratio, other.default_ratio))

    def as_rows(self) -> list[tuple[int, int, float]]:
        """Return rows (low Z, high Z, least distance), sorted, for JSON."""
        return [(*pair, least_A) for pair, least_A in sorted(self.least_A.items())]

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[int, int, float]], default_ratio: float) -> "HardCores":
        """Return the cores of rows made by `as_rows`."""
        return cls({(low, high): least_A for low, high, least_A in rows}, default_ratio)


@dataclass(frozen=True)
class CoreGuidance:
    """Removes a fraction of each overlap, half on each of the two atoms (a projection step of position-based dynamics).

    Attributes:
        cores: least distances.
        strength: fraction of the overlap removed, 0 to 1; 1 removes all of it for an isolated pair.
    """

    cores: HardCores
    strength: float

    def __post_init__(self) -> None:
        """Check the strength.

        Raises:
            InputError: the strength lies outside 0 to 1.
        """
        if not 0 <= self.strength <= 1:
            raise InputError(f"core strength {self.strength}: give a fraction from 0 to 1")

    def __call__(self, estimate: AtomicSystem, sigma_A: float) -> FloatArray:
        """Return the displacements that separate overlapping pairs, Angstrom, shape (N, 3), at any noise."""
        del sigma_A
        kinds = np.unique(estimate.numbers)
        table = np.zeros((kinds.max() + 1, kinds.max() + 1))
        for low in kinds:
            table[low, kinds] = [self.cores.distance_A((int(low), int(high))) for high in kinds]
        push = np.zeros_like(estimate.positions_A)
        edges = neighbour_list(estimate, table)
        centre, neighbour = edges.edge_index
        overlap = table[estimate.numbers[centre], estimate.numbers[neighbour]] - edges.distances_A
        close = (overlap > 0) & (centre != neighbour)
        scale = -0.5 * self.strength * overlap[close] / edges.distances_A[close]
        np.add.at(push, centre[close], scale[:, None] * edges.vectors_A[close])
        return push


def _radii_sum(pair: Pair) -> float:
    return float(covalent_radii[pair[0]] + covalent_radii[pair[1]])
