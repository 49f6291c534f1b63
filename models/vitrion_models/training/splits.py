"""Grouped splits: rows of one group stay on one side.

Four temperatures of one compound, or two cells of one composition, are strongly correlated. Splitting them at random
measures memory: on the AIMD table random rows look nearly twice as good as held-out compounds.
"""

import hashlib
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import IntArray


def grouped_folds(groups: Sequence[str], *, folds: int, seed: int) -> IntArray:
    """Return the fold of each row; rows of one group share a fold.

    The largest groups are placed first, each into the fold with fewest rows; a hash of the group's name and the seed
    breaks ties, so the order of the rows does not matter.

    Args:
        groups: group of each row, n of them.
        folds: number of folds, at least 2.
        seed: of the order of equal groups.

    Returns:
        Fold of each row, 0 <= fold < `folds`, shape (n,).

    Raises:
        InputError: fewer groups than folds.
    """
    names, counts = np.unique(np.asarray(groups, dtype=str), return_counts=True)
    if len(names) < folds:
        raise InputError(f"{folds} folds need at least as many groups; there are {len(names)}")
    order = sorted(range(len(names)), key=lambda k: (-counts[k], _hash(str(names[k]), seed)))
    filled = [0] * folds
    chosen: dict[str, int] = {}
    for k in order:
        fold = min(range(folds), key=lambda index: (filled[index], index))
        filled[fold] += int(counts[k])
        chosen[str(names[k])] = fold
    return np.array([chosen[str(group)] for group in groups], dtype=np.int64)


def grouped_split(groups: Sequence[str], *, test_fraction: float, seed: int) -> tuple[IntArray, IntArray]:
    """Return the training rows and the test rows; no group is on both sides.

    A hash of the group's name and the seed draws it into the test set, so a group keeps its side when others are added:
    a frozen test set stays frozen while the data grow.

    Args:
        groups: group of each row.
        test_fraction: expected share of groups in the test set, between 0 and 1. At least one group is on each side.
        seed: of the draw.

    Returns:
        Indices of training rows and of test rows, both sorted, shapes (n_train,) and (n_test,).

    Raises:
        InputError: fewer than two groups, or a fraction outside (0, 1).
    """
    if not 0.0 < test_fraction < 1.0:
        raise InputError(f"test fraction {test_fraction}: give a number between 0 and 1")
    names = sorted(set(groups))
    if len(names) <= 1:
        raise InputError("a grouped split needs at least two groups")
    draws = {name: _hash(name, seed) / 2**64 for name in names}
    test = {name for name in names if draws[name] < test_fraction}
    if not test:
        test = {min(names, key=draws.__getitem__)}
    if len(test) == len(names):
        test.discard(max(names, key=draws.__getitem__))
    in_test = np.array([group in test for group in groups])
    return np.flatnonzero(~in_test), np.flatnonzero(in_test)


def assert_disjoint(train_groups: Iterable[str], test_groups: Collection[str]) -> None:
    """Check that no group is on both sides of a split.

    Raises:
        InputError: a group is; the message names it.
    """
    shared = sorted(set(train_groups) & set(test_groups))
    if shared:
        raise InputError(
            f"group {shared[0]!r} is in the training and in the test set ({len(shared)} shared): split by group",
        )


def _hash(name: str, seed: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}:{name}".encode()).digest()[:8], "big")
