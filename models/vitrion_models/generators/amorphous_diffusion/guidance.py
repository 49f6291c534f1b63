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
UNSEEN_PAIR_SHARE = 0.75  # of the sum of covalent radii, where no training cell holds the pair and none calibrates it


class Guidance(Protocol):
    """Anything that moves a denoised estimate: hard cores here, the gradient of a surrogate elsewhere."""

    def __call__(self, estimate: AtomicSystem, sigma_A: float) -> FloatArray:
        """Displacements in Angstrom to add to the estimate of the clean cell, shape (N, 3)."""


@dataclass(frozen=True)
class HardCores:
    """Least distance of each pair of elements.

    Attributes:
        least_A: for pairs seen in training, keys sorted by atomic number.
        unseen_share: for other pairs, least distance over the sum of covalent radii.
    """

    least_A: Mapping[Pair, float] = field(default_factory=dict)
    unseen_share: float = UNSEEN_PAIR_SHARE

    @classmethod
    def learn(cls, cells: Iterable[AtomicSystem]) -> "HardCores":
        """Shortest distance of each pair over all cells; the shortest share of the radii stands for pairs not seen."""
        least: dict[Pair, float] = {}
        for cell in cells:
            edges = neighbour_list(cell, SEARCH_A)
            edges.require_distinct_atoms()
            ordered = np.sort(cell.numbers[edges.edge_index], axis=0)
            for pair in {(int(low), int(high)) for low, high in ordered.T}:
                among = (ordered[0] == pair[0]) & (ordered[1] == pair[1])
                least[pair] = min(least.get(pair, SEARCH_A), float(edges.distances_A[among].min()))
        shares = [least_A / _radii_sum(pair) for pair, least_A in least.items()]
        return cls(least, min([UNSEEN_PAIR_SHARE, *shares]))

    def distance_A(self, pair: Pair) -> float:
        """Least distance of a pair of atomic numbers."""
        known = self.least_A.get((min(pair), max(pair)))
        return self.unseen_share * _radii_sum(pair) if known is None else known

    def merged(self, other: "HardCores") -> "HardCores":
        """The weaker of two sets of cores: what either has seen may occur."""
        pairs = self.least_A.keys() | other.least_A.keys()
        least = {pair: min(own.least_A.get(pair, np.inf) for own in (self, other)) for pair in pairs}
        return HardCores(least, min(self.unseen_share, other.unseen_share))

    def as_rows(self) -> list[tuple[int, int, float]]:
        """Rows (low Z, high Z, least distance) for JSON, sorted."""
        return [(*pair, least_A) for pair, least_A in sorted(self.least_A.items())]

    @classmethod
    def from_rows(cls, rows: Sequence[tuple[int, int, float]], unseen_share: float) -> "HardCores":
        """Inverse of `as_rows`."""
        return cls({(low, high): least_A for low, high, least_A in rows}, unseen_share)


@dataclass(frozen=True)
class CoreGuidance:
    """Takes away a share of each overlap, half by each of the two atoms (a projection step of position-based dynamics).

    Attributes:
        cores: least distances.
        strength: share of the overlap taken away; 1 is all of it for an isolated pair.
    """

    cores: HardCores
    strength: float

    def __post_init__(self) -> None:
        """Refuse shares that overshoot.

        Raises:
            InputError: the strength lies outside 0 to 1.
        """
        if not 0 <= self.strength <= 1:
            raise InputError(f"a core strength of {self.strength} is no share: give 0 to 1")

    def __call__(self, estimate: AtomicSystem, sigma_A: float) -> FloatArray:
        """Displacements that take overlapping pairs apart, shape (N, 3); independent of the noise."""
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
