"""Comparison of generated with reference cells: structure, diversity, and copies of training cells."""

from collections.abc import Sequence
from itertools import combinations_with_replacement, permutations

import numpy as np
from ase.data import chemical_symbols
from pydantic import BaseModel, ConfigDict
from scipy.stats import wasserstein_distance

from vitrion_models.errors import InputError
from vitrion_models.generators.environments import (
    Surroundings,
    bond_angles_deg,
    coordination_numbers,
    environment_distance,
    first_shell_A,
    pair_distances_A,
)
from vitrion_models.system import AtomicSystem, IntArray


class GeneratorMetrics(BaseModel):
    """Structural differences of generated from reference cells. No single one of these numbers is enough.

    Attributes:
        rdf_wasserstein_A: for each pair of elements, Wasserstein distance between the distributions of pair distances
            up to 6 Angstrom, each weighted by 1/r^2 as in g(r).
        minimum_distance_ratio: smallest, over pairs, of the shortest generated over the shortest reference distance.
        coordination_distance: for each centre-neighbour pair with a first shell in the reference, total variation
            (0 to 1) between the distributions of coordination numbers.
        mean_coordination: the same pairs' mean coordination numbers, generated and reference.
        angle_wasserstein_deg: the same pairs' Wasserstein distance between neighbour-centre-neighbour angles.
        diversity: mean distance between the environments of different generated cells; None for one cell. Near zero
            if all samples are alike.
        reference_diversity: the same for the reference; None for one cell.
        nearest_training: least distance of a generated cell to a training cell of its elements; None without one. Zero
            is a copy; compare with `reference_diversity`, the distance of independent cells.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rdf_wasserstein_A: dict[str, float]
    minimum_distance_ratio: float
    coordination_distance: dict[str, float]
    mean_coordination: dict[str, tuple[float, float]]
    angle_wasserstein_deg: dict[str, float]
    diversity: float | None
    reference_diversity: float | None
    nearest_training: float | None


def compare(
    generated: Sequence[AtomicSystem],
    reference: Sequence[AtomicSystem],
    *,
    training: Sequence[AtomicSystem] = (),
) -> GeneratorMetrics:
    """Compare generated cells with independent cells of the same elements.

    Args:
        generated: cells drawn by a generator (relaxed or not), or any other cells.
        reference: melt-quenched cells that the generator was not trained on.
        training: its training cells, of any composition.

    Raises:
        InputError: either side is empty, or their elements differ.
    """
    if not generated or not reference:
        raise InputError("a comparison needs at least one generated and one reference cell")
    kinds = sorted({int(number) for cell in reference for number in cell.numbers})
    if any(set(cell.numbers.tolist()) != set(kinds) for cell in [*generated, *reference]):
        raise InputError("generated and reference cells must hold the same elements")
    drawn, truth = [Surroundings.of(cell) for cell in generated], [Surroundings.of(cell) for cell in reference]
    comparable = [Surroundings.of(cell) for cell in training if set(cell.numbers.tolist()) == set(kinds)]
    shells = {
        pair: shell
        for pair in [*permutations(kinds, 2), *((kind, kind) for kind in kinds)]
        if (shell := first_shell_A(truth, *pair)) is not None
    }
    ratios, rdf = _distances(drawn, truth, kinds)
    coordination = {
        _name(pair): (coordination_numbers(drawn, *pair, shell), coordination_numbers(truth, *pair, shell))
        for pair, shell in shells.items()
    }
    return GeneratorMetrics(
        rdf_wasserstein_A=rdf,
        minimum_distance_ratio=min(ratios),
        coordination_distance={name: _total_variation(*sides) for name, sides in coordination.items()},
        mean_coordination={name: (float(a.mean()), float(b.mean())) for name, (a, b) in coordination.items()},
        angle_wasserstein_deg=_angles(drawn, truth, shells),
        diversity=_spread(drawn),
        reference_diversity=_spread(truth),
        nearest_training=min((environment_distance(cell, old) for cell in drawn for old in comparable), default=None),
    )


def _distances(
    drawn: Sequence[Surroundings], truth: Sequence[Surroundings], kinds: Sequence[int]
) -> tuple[list[float], dict[str, float]]:
    ratios, rdf = [], {}
    for pair in combinations_with_replacement(kinds, 2):
        mine, theirs = pair_distances_A(drawn, *pair), pair_distances_A(truth, *pair)
        if len(mine) and len(theirs):
            ratios.append(float(mine.min() / theirs.min()))
            rdf[_name(pair)] = float(wasserstein_distance(mine, theirs, mine**-2.0, theirs**-2.0))
    if not ratios:
        raise InputError("the cells have no pair of atoms within 6 Angstrom: give denser cells")
    return ratios, rdf


def _angles(
    drawn: Sequence[Surroundings], truth: Sequence[Surroundings], shells: dict[tuple[int, int], float]
) -> dict[str, float]:
    distances = {}
    for pair, shell in shells.items():
        mine, theirs = bond_angles_deg(drawn, *pair, shell), bond_angles_deg(truth, *pair, shell)
        if len(mine) and len(theirs):
            distances[_name(pair)] = float(wasserstein_distance(mine, theirs))
    return distances


def _spread(cells: Sequence[Surroundings]) -> float | None:
    if len(cells) == 1:
        return None
    return float(np.mean([environment_distance(first, second) for first, second in permutations(cells, 2)]))


def _total_variation(mine: IntArray, theirs: IntArray) -> float:
    longest = int(max(mine.max(), theirs.max())) + 1
    shares = [np.bincount(side, minlength=longest) / len(side) for side in (mine, theirs)]
    return float(0.5 * np.abs(shares[0] - shares[1]).sum())


def _name(pair: tuple[int, int]) -> str:
    return "-".join(chemical_symbols[number] for number in pair)
