"""Held-out compositions of a generator: whole compositions, never single cells."""

import hashlib
import math
from collections.abc import Sequence
from functools import reduce

import numpy as np
from ase.data import chemical_symbols

from vitrion_models.system import AtomicSystem, IntArray

FEWEST_GROUPS = 4


def composition_group(numbers: IntArray) -> str:
    """Return the reduced composition of atomic numbers (N,), for example ``Li3P1S4``."""
    kinds, counts = np.unique(numbers, return_counts=True)
    divisor = reduce(math.gcd, counts.tolist())
    return "".join(f"{chemical_symbols[kind]}{count // divisor}" for kind, count in zip(kinds, counts, strict=True))


def held_out_groups(groups: Sequence[str], *, fraction: float, inherited: Sequence[str]) -> tuple[str, ...]:
    """Return the compositions to validate on, stable while the data grow.

    Compositions held out by the parent stay held out, so that a warm start never trains on its validation cells; the
    rest follow in the order of the names' sha256, independent of new compositions.

    Args:
        groups: composition of each cell.
        fraction: of the compositions to hold out, at least one of four or more.
        inherited: compositions held out by the parent.
    """
    present = set(groups)
    if len(present) < FEWEST_GROUPS or fraction == 0:
        return ()
    wanted = max(1, round(fraction * len(present)))
    kept = [group for group in inherited if group in present]
    others = sorted(present - set(kept), key=lambda group: hashlib.sha256(group.encode()).hexdigest())
    return tuple(sorted([*kept, *others[: max(0, wanted - len(kept))]]))


def cell_sha256(system: AtomicSystem) -> str:
    """Return the sha256 over the arrays of a cell: its identity inside the training hash."""
    content = hashlib.sha256()
    for array in (system.numbers, system.positions_A, system.lattice_A):
        content.update(np.ascontiguousarray(array).tobytes())
    return content.hexdigest()
