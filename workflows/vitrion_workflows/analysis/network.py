"""Bond network of a cell: atoms joined directly or through a bridging atom, image by image."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, IntArray
from vitrion_workflows.analysis.bonds import members, neighbours

Image: TypeAlias = tuple[int, int, int]
Site: TypeAlias = tuple[int, Image]
"""A node and its lattice translation."""

HOME: Image = (0, 0, 0)


@dataclass(frozen=True, eq=False)
class BondNetwork:
    """An infinite periodic graph.

    Attributes:
        atoms: index in the cell of each node, shape (M,).
        bonds: for each node its neighbours as node and lattice translation; one that is reached over two bridges
            is listed twice.
    """

    atoms: IntArray
    bonds: tuple[tuple[Site, ...], ...]

    def __len__(self) -> int:
        return len(self.bonds)

    def around(self, site: Site) -> list[Site]:
        """Return the neighbours of a node in any image."""
        node, (x, y, z) = site
        return [(other, (x + u, y + v, z + w)) for other, (u, v, w) in self.bonds[node]]


def bond_network(
    system: AtomicSystem, *, node: str | None = None, bridge: str | None = None, cutoff_A: float
) -> BondNetwork:
    """Build the network of one species, bonded directly or over a bridging species.

    Args:
        system: the cell; of any size, also a primitive one.
        node: chemical symbol of the nodes, for example Si; all atoms when None.
        bridge: chemical symbol of the bridging species, for example O; without it nodes within the cutoff are bonded.
        cutoff_A: greatest length of a bond, node to node or node to bridge.

    Raises:
        InputError: unknown or absent species, a bridge that is the node, or a cutoff that is not positive.
    """
    if bridge is not None and bridge == node:
        raise InputError(f"{bridge} cannot bridge atoms of its own kind: leave the bridge out")
    chosen = np.flatnonzero(members(system, node))
    numbering = {int(atom): index for index, atom in enumerate(chosen)}
    bonds: list[list[Site]] = [[] for _ in chosen]
    if bridge is None:
        for atom, other, image in _bonded(system, cutoff_A, node, node):
            bonds[numbering[atom]].append((numbering[other], image))
    else:
        ends: dict[int, list[Site]] = {}
        for atom, other, image in _bonded(system, cutoff_A, bridge, node):
            ends.setdefault(atom, []).append((numbering[other], image))
        for joined in ends.values():
            for index, (first, origin) in enumerate(joined):
                rest = joined[:index] + joined[index + 1 :]
                bonds[first].extend((second, _between(origin, image)) for second, image in rest)
    return BondNetwork(chosen, tuple(map(tuple, bonds)))


def _bonded(
    system: AtomicSystem, cutoff_A: float, centre: str | None, other: str | None
) -> list[tuple[int, int, Image]]:
    pairs = neighbours(system, cutoff_A, centre=centre, neighbour=other)
    images = [(u, v, w) for u, v, w in pairs.shifts.tolist()]
    return list(zip(*pairs.edge_index.tolist(), images, strict=True))


def _between(origin: Image, image: Image) -> Image:
    return image[0] - origin[0], image[1] - origin[1], image[2] - origin[2]
