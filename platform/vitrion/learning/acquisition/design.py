"""The initial design: compositions of the frozen test, and the labels of the first cycle."""

from collections.abc import Mapping, Sequence

import numpy as np

from vitrion.database.records import Arm, Proposal
from vitrion.learning.seeds import derive_seed
from vitrion_models.errors import InputError


def choose_test_formulas(groups: Mapping[str, str], *, count: int, seed: int) -> tuple[str, ...]:
    """Choose whole chemical systems for the frozen test.

    Returns:
        Reduced formulas, sorted; no chemical system is in both test and training.

    Raises:
        InputError: no composition would be left to train on.
    """
    systems = sorted(set(groups.values()))
    order = np.random.default_rng(derive_seed(seed, "frozen-test")).permutation(len(systems))
    chosen: list[str] = []
    for index in order:
        if len(chosen) >= count:
            break
        chosen += [formula for formula, system in groups.items() if system == systems[index]]
    if len(chosen) >= len(groups):
        raise InputError(f"{count} test compositions leave none of {len(groups)} to train on: name more compounds")
    return tuple(sorted(chosen))


def first_proposals(
    sources: Mapping[str, str | None],
    *,
    test_formulas: Sequence[str],
    temperatures_K: Sequence[float],
    initial: int,
    seed: int,
) -> tuple[Proposal, ...]:
    """Return the proposals of the first cycle.

    Each test composition is labelled at the lowest and the highest temperature. The others are visited in random order,
    each with the next temperature of the list, round after round, until there are `initial` proposals.

    Args:
        sources: fingerprint of the crystal of each reduced formula, or None.
        test_formulas: compositions of the frozen test.
        temperatures_K: temperatures at which cells may be labelled.
        initial: number of proposals besides those of the test.
        seed: of the order.
    """
    extremes = sorted({min(temperatures_K), max(temperatures_K)})
    test = [_proposal(sources, formula, kelvin, Arm.TEST) for formula in sorted(test_formulas) for kelvin in extremes]
    training = sorted(set(sources) - set(test_formulas))
    order = np.random.default_rng(derive_seed(seed, "first-design")).permutation(len(training))
    hot_first = sorted(temperatures_K, reverse=True)
    rounds = [
        _proposal(sources, training[place], hot_first[(position + turn) % len(hot_first)], Arm.INITIAL)
        for turn in range(len(hot_first))
        for position, place in enumerate(order)
    ]
    return (*test, *rounds[:initial])


def _proposal(sources: Mapping[str, str | None], formula: str, kelvin: float, arm: Arm) -> Proposal:
    return Proposal(formula=formula, source_fingerprint=sources[formula], temperature_K=kelvin, arm=arm)
