"""Oxidation states of a composition, and charge compensation by redox-active elements."""

import warnings
from functools import lru_cache

from pymatgen.core.composition import Composition

MOST_ELEMENTS = 8  # the search grows with the product of the elements' states
MOST_ATOMS = 200
METAL = 0.0

# Lowest and highest state of a cation when lithium leaves or enters an oxide, sulphide, phosphate or halide: the redox
# couples of lithium cathodes and anodes, see G. Hautier et al., Chem. Mater. 23, 3495 (2011) for the phosphates.
REDOX_STATES: dict[str, tuple[float, float]] = {
    "Ti": (3, 4),
    "V": (2, 5),
    "Cr": (2, 4),
    "Mn": (2, 4),
    "Fe": (2, 3),
    "Co": (2, 4),
    "Ni": (2, 4),
    "Cu": (1, 2),
    "Nb": (4, 5),
    "Mo": (3, 6),
    "W": (4, 6),
    "Ce": (3, 4),
    "Eu": (2, 3),
    "Sn": (2, 4),
}


@lru_cache(maxsize=4096)
def oxidation_states(formula: str) -> dict[str, float] | None:
    """Return the most probable charge-neutral mean oxidation states, as guessed by pymatgen from known crystals.

    Args:
        formula: a reduced formula.

    Returns:
        Element -> mean state, or None if no assignment is neutral or the search would take too long.
    """
    composition = Composition(formula)
    if len(composition) > MOST_ELEMENTS or composition.num_atoms > MOST_ATOMS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        guesses = composition.oxi_state_guesses(max_sites=-1)
    if not guesses:
        return None
    states = {str(element): float(state) for element, state in guesses[0].items()}
    return None if all(state == METAL for state in states.values()) else states


def total_charge(composition: Composition, states: dict[str, float]) -> float:
    """Return the sum of the formal charges over a composition, in elementary charges."""
    return float(sum(states[element.symbol] * amount for element, amount in composition.items()))


def compensate(composition: Composition, states: dict[str, float]) -> tuple[dict[str, float], str] | None:
    """Compensate the charge of a composition by the oxidation state of one redox-active element.

    Args:
        composition: integer or fractional amounts.
        states: mean oxidation states, which leave a charge.

    Returns:
        The neutral states and a description of the shift, or None if the range of no element is wide enough. Of several
        elements the one with the least shift is taken.
    """
    charge = total_charge(composition, states)
    shifts: list[tuple[float, str, float]] = []
    for element, amount in composition.items():
        lowest, highest = REDOX_STATES.get(element.symbol, (states[element.symbol],) * 2)
        neutral = states[element.symbol] - charge / amount
        if lowest <= neutral <= highest and neutral != states[element.symbol]:
            shifts.append((abs(charge / amount), element.symbol, neutral))
    if not shifts:
        return None
    _, symbol, neutral = min(shifts)
    return {**states, symbol: neutral}, f"{symbol} {states[symbol]:.3g} -> {neutral:.3g}"
