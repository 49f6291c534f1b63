"""Rings of a bond network: King's criterion, without shortcuts.

At each node and each pair of its bonds: the shortest closed path that uses both (King, Nature 213, 1112 (1967)). Those
with a shortcut, two nodes that are nearer to each other through the network than along the ring, are two smaller rings
taken together and are not counted (Franzblau, Phys. Rev. B 44, 4925 (1991)). For a four-connected net the sizes at the
six angles of a node, with the number of equally short rings, are its vertex symbol (O'Keeffe and Hyeong, Zeolites 19,
370 (1997)), which is tabulated for crystals.
"""

from collections import Counter
from dataclasses import dataclass
from itertools import combinations
from typing import TypeAlias

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import IntArray
from vitrion_workflows.analysis.network import HOME, BondNetwork, Image, Site

SMALLEST_LIMIT = 3

Ring: TypeAlias = tuple[Site, ...]


@dataclass(frozen=True, eq=False)
class Rings:
    """Rings of a network.

    Attributes:
        nodes: number of nodes.
        angle_nodes: node of each angle, shape (A,).
        angle_sizes: nodes of the shortest closed path through it, shape (A,); 0 where none is found up to the limit, 2
            where both bonds lead to the same neighbour (edge sharing).
        angle_counts: number of equally short rings, shape (A,); 0 where each has a shortcut.
        distinct: number of different rings of each size in the cell.
    """

    nodes: int
    angle_nodes: IntArray
    angle_sizes: IntArray
    angle_counts: IntArray
    distinct: dict[int, int]

    def per_node(self) -> dict[int, float]:
        """Return the number of different rings of each size for each node."""
        return {size: count / self.nodes for size, count in self.distinct.items()}

    def mean_size(self) -> float:
        """Return the mean size of different rings; NaN without any."""
        if not self.distinct:
            return float("nan")
        return sum(size * count for size, count in self.distinct.items()) / sum(self.distinct.values())

    def vertex_symbol(self, node: int) -> tuple[tuple[int, int], ...]:
        """Return size and number of the shortest rings at each angle of a node, in rising order."""
        own = self.angle_nodes == node
        return tuple(sorted(zip(self.angle_sizes[own].tolist(), self.angle_counts[own].tolist(), strict=True)))


def king_rings(network: BondNetwork, *, largest: int = 12) -> Rings:
    """Find the shortest rings through each pair of bonds of each node.

    Args:
        network: see `bond_network`.
        largest: size up to which rings are searched.

    Raises:
        InputError: a limit below 3.
    """
    if largest < SMALLEST_LIMIT:
        raise InputError(f"rings have at least {SMALLEST_LIMIT} nodes: a limit of {largest} finds none")
    nodes: list[int] = []
    sizes: list[int] = []
    counts: list[int] = []
    is_ring: dict[Ring, bool] = {}
    distances = _Distances(network)
    for node in range(len(network)):
        for rings in _at_angles(network, node, largest):
            names = [_canonical(ring) for ring in rings]
            for name, ring in zip(names, rings, strict=True):
                if name not in is_ring:
                    is_ring[name] = not _has_shortcut(ring, distances)
            nodes.append(node)
            sizes.append(len(rings[0]) if rings else 0)
            counts.append(sum(is_ring[name] for name in names))
    distinct = Counter(len(ring) for ring, counted in is_ring.items() if counted)
    return Rings(len(network), np.array(nodes), np.array(sizes), np.array(counts), dict(sorted(distinct.items())))


def _at_angles(network: BondNetwork, node: int, largest: int) -> list[list[Ring]]:
    centre: Site = (node, HOME)
    neighbours = network.around(centre)
    shortest = {
        first: _paths(network, first, wanted=set(neighbours[index + 1 :]) - {first}, avoid=centre, longest=largest - 1)
        for index, first in enumerate(neighbours)
    }
    rings: list[list[Ring]] = []
    for first, second in combinations(neighbours, 2):
        if first == second:
            rings.append([(centre, first)])
        else:
            paths = shortest[first].get(second) or shortest[second].get(first, [])
            rings.append([(centre, *path) for path in paths])
    return rings


def _paths(
    network: BondNetwork, start: Site, *, wanted: set[Site], avoid: Site, longest: int
) -> dict[Site, list[tuple[Site, ...]]]:
    """Return all shortest paths of at most `longest` nodes from a site to each wanted one, avoiding another."""
    depth = {start: 1}
    before: dict[Site, set[Site]] = {start: set()}
    front = [start]
    missing = set(wanted)
    while front and missing and depth[front[0]] < longest:
        ahead: list[Site] = []
        level = depth[front[0]] + 1
        for site in front:
            for other in network.around(site):
                if other == avoid:
                    continue
                if other not in depth:
                    depth[other] = level
                    before[other] = {site}
                    ahead.append(other)
                elif depth[other] == level:
                    before[other].add(site)
        front = ahead
        missing -= set(ahead)
    return {goal: _walk_back(before, goal) for goal in wanted if goal in depth}


class _Distances:
    """Sites near each node, by the number of bonds between."""

    def __init__(self, network: BondNetwork) -> None:
        self._network = network
        self._near: dict[tuple[int, int], dict[Site, int]] = {}

    def within(self, node: int, bonds: int) -> dict[Site, int]:
        """Return the distance in bonds of each site within a number of bonds from a node of the home cell."""
        key = (node, bonds)
        if key not in self._near:
            depth: dict[Site, int] = {(node, HOME): 0}
            front = list(depth)
            for level in range(1, bonds + 1):
                ahead = dict.fromkeys(other for site in front for other in self._network.around(site))
                front = [site for site in ahead if site not in depth]
                depth.update(dict.fromkeys(front, level))
            self._near[key] = depth
        return self._near[key]


def _has_shortcut(ring: Ring, distances: _Distances) -> bool:
    size = len(ring)
    for first, (node, home) in enumerate(ring):
        near = distances.within(node, size // 2 - 1)
        for second in range(first + 2, size):
            along = min(second - first, size - second + first)
            other, image = ring[second]
            if near.get((other, _moved(image, home)), along) < along:
                return True
    return False


def _walk_back(before: dict[Site, set[Site]], goal: Site) -> list[tuple[Site, ...]]:
    if not before[goal]:
        return [(goal,)]
    return [(*path, goal) for previous in sorted(before[goal]) for path in _walk_back(before, previous)]


def _canonical(ring: Ring) -> Ring:
    # The same ring is met at each of its nodes, shifted by a lattice translation: the least of its shifted forms.
    return min(tuple(sorted((node, _moved(image, home)) for node, image in ring)) for _, home in ring)


def _moved(image: Image, home: Image) -> Image:
    return image[0] - home[0], image[1] - home[1], image[2] - home[2]
