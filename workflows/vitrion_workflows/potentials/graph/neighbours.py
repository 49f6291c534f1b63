"""Neighbour lists with a skin, whose result does not depend on when they were built.

A list holds all pairs within cutoff plus skin and is valid until an atom has moved half the skin. At each call the
distances are computed again, and pairs beyond the cutoff are omitted. Pairs are sorted by (first, second, lattice
shift) with shifts between *unwrapped* positions: pairs, order and vectors are a function of the positions alone, hence
forces are bitwise the same from any list.
"""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vitrion_models.graphs.neighbours import pairs_within
from vitrion_models.system import FloatArray

if TYPE_CHECKING:
    from torch import Tensor

# Between 0.3 and 1 A the cost is flat: fewer searches against more distances.
SKIN_A = 0.6
# Least number of lists in memory; those of cells that are no longer used are dropped.
FEWEST_KEPT = 8


@dataclass(frozen=True, eq=False)
class Edges:
    """Pairs within the cutoff in one cell, or in several with their atoms numbered in sequence; all on one device.

    A *bond* is a pair counted once, an *edge* one of its two directions. Edges are in the order of their first atom.

    Attributes:
        bond_vectors_A: from the first atom of a bond to that image of the second, double precision, shape (B, 3).
        bond_first: first atom, shape (B,).
        bond_second: second atom, shape (B,).
        forward: edge along the bond vector, shape (B,).
        backward: reverse edge, shape (B,).
        first: atom at which an edge starts, ascending, shape (E,).
        second: atom at which it ends, shape (E,).
        bond: bond of an edge, shape (E,).
        reverse: reverse of an edge, shape (E,).
        sign: +1 for forward edges, -1 for backward ones, double precision, shape (E,).
        starts: edges of atom a are those from ``starts[a]`` up to ``starts[a + 1]``, shape (N + 1,).
    """

    bond_vectors_A: "Tensor"
    bond_first: "Tensor"
    bond_second: "Tensor"
    forward: "Tensor"
    backward: "Tensor"
    first: "Tensor"
    second: "Tensor"
    bond: "Tensor"
    reverse: "Tensor"
    sign: "Tensor"
    starts: "Tensor"


@dataclass(frozen=True, eq=False)
class _List:
    # Pairs of one cell within cutoff plus skin. Arrays are named as in Edges.
    reference_A: FloatArray
    arrays: dict[str, NDArray[Any]]
    bonds: int
    edges: int


class SkinLists:
    """Neighbour lists of the cells that a potential evaluates.

    Attributes:
        cutoff_A: greatest distance of a pair.
    """

    def __init__(self, cutoff_A: float, *, device: str, skin_A: float = SKIN_A) -> None:
        self.cutoff_A = cutoff_A
        self._skin_A = skin_A
        self._device = device
        self._lists: OrderedDict[tuple[int, bytes, bytes], _List] = OrderedDict()
        self._joined: OrderedDict[tuple[int, ...], tuple[tuple[_List, ...], dict[str, Tensor]]] = OrderedDict()

    def edges(
        self,
        cells: Sequence[tuple[FloatArray, FloatArray]],
        *,
        slots: Sequence[int] | None = None,
        kept: int = FEWEST_KEPT,
    ) -> Edges:
        """Return the pairs of cells, their atoms numbered in sequence.

        Args:
            cells: for each cell its positions, shape (N, 3), and its lattice vectors as rows, shape (3, 3).
            slots: a number for each cell, which distinguishes the lists of cells of equal size and lattice.
            kept: least number of lists in memory.
        """
        names = tuple(slots if slots is not None else range(len(cells)))
        lists = tuple(self._current(slot, *cell) for slot, cell in zip(names, cells, strict=True))
        joined = self._joined.get(names)
        if joined is None or any(old is not new for old, new in zip(joined[0], lists, strict=True)):
            joined = lists, _join(lists, self._device)
            self._joined[names] = joined
        self._joined.move_to_end(names)
        for memory in (self._lists, self._joined):
            while len(memory) > max(kept, FEWEST_KEPT, len(cells)):
                memory.popitem(last=False)
        positions = cells[0][0] if len(cells) == 1 else np.concatenate([cell[0] for cell in cells])
        return _within(joined[1], positions, self.cutoff_A)

    def _current(self, slot: int, positions_A: FloatArray, lattice_A: FloatArray) -> _List:
        key = (slot, len(positions_A).to_bytes(8, "little"), lattice_A.tobytes())
        current = self._lists.get(key)
        if current is not None:
            moved = positions_A - current.reference_A
            if np.einsum("ix,ix->i", moved, moved).max() < (0.5 * self._skin_A) ** 2:
                self._lists.move_to_end(key)
                return current
        fresh = _build(positions_A, lattice_A, self.cutoff_A + self._skin_A)
        self._lists[key] = fresh
        self._lists.move_to_end(key)
        return fresh


def _build(positions_A: FloatArray, lattice_A: FloatArray, reach_A: float) -> _List:
    pairs = pairs_within(positions_A, lattice_A, reach_A, half=True)
    (first, second), shifts = pairs.edge_index, pairs.shifts
    bonds, atoms = len(first), len(positions_A)
    # Both directions, in the order (first, second, shift).
    starts = np.concatenate([first, second])
    ends = np.concatenate([second, first])
    both = np.concatenate([shifts, -shifts])
    order = np.lexsort((both[:, 2], both[:, 1], both[:, 0], ends, starts))
    place = np.empty(2 * bonds, dtype=np.int64)
    place[order] = np.arange(2 * bonds)
    forward, backward = place[:bonds], place[bonds:]
    reverse = np.empty(2 * bonds, dtype=np.int64)
    reverse[forward], reverse[backward] = backward, forward
    arrays = {
        "shift_A": shifts @ lattice_A,
        "bond_first": first,
        "bond_second": second,
        "forward": forward,
        "first": starts[order],
        "second": ends[order],
        "bond": order % max(bonds, 1),
        "reverse": reverse,
        "sign": np.where(order < bonds, 1.0, -1.0),
        "atoms": np.array([atoms]),
    }
    return _List(positions_A.copy(), arrays, bonds, 2 * bonds)


# The index arrays and what they count, for numbering cells in sequence.
_COUNTS = {"bond_first": "atoms", "bond_second": "atoms", "first": "atoms", "second": "atoms"}
_COUNTS |= {"forward": "edges", "reverse": "edges", "bond": "bonds"}


def _join(lists: Sequence[_List], device: str) -> "dict[str, Tensor]":
    import torch  # noqa: PLC0415 - seconds to import; already imported by the network

    offsets = {"atoms": 0, "edges": 0, "bonds": 0}
    parts: dict[str, list[NDArray[Any]]] = {name: [] for name in lists[0].arrays}
    for pairs in lists:
        for name, array in pairs.arrays.items():
            parts[name].append(array + offsets[_COUNTS[name]] if name in _COUNTS else array)
        offsets["atoms"] += len(pairs.reference_A)
        offsets["edges"] += pairs.edges
        offsets["bonds"] += pairs.bonds
    return {name: torch.from_numpy(np.concatenate(arrays)).to(device) for name, arrays in parts.items()}


def _within(joined: "dict[str, Tensor]", positions_A: FloatArray, cutoff_A: float) -> Edges:
    import torch  # noqa: PLC0415 - as above

    bond_first, bond_second = joined["bond_first"], joined["bond_second"]
    positions = torch.from_numpy(np.ascontiguousarray(positions_A)).to(bond_first.device)
    vectors = positions.index_select(0, bond_second) - positions.index_select(0, bond_first) + joined["shift_A"]
    inside = (vectors * vectors).sum(1) < cutoff_A**2
    bonds = inside.nonzero()[:, 0]
    new_bond = inside.cumsum(0) - 1
    edge_inside = inside.index_select(0, joined["bond"])
    edges = edge_inside.nonzero()[:, 0]
    new_edge = edge_inside.cumsum(0) - 1
    first = joined["first"].index_select(0, edges)
    forward = new_edge.index_select(0, joined["forward"].index_select(0, bonds))
    reverse = new_edge.index_select(0, joined["reverse"].index_select(0, edges))
    starts = torch.zeros(len(positions) + 1, dtype=torch.int64, device=first.device)
    torch.cumsum(torch.bincount(first, minlength=len(positions)), 0, out=starts[1:])
    return Edges(
        bond_vectors_A=vectors.index_select(0, bonds),
        bond_first=bond_first.index_select(0, bonds),
        bond_second=bond_second.index_select(0, bonds),
        forward=forward,
        backward=reverse.index_select(0, forward),
        first=first,
        second=joined["second"].index_select(0, edges),
        bond=new_bond.index_select(0, joined["bond"].index_select(0, edges)),
        reverse=reverse,
        sign=joined["sign"].index_select(0, edges),
        starts=starts,
    )
