"""Whole amounts: reduced integer formulas, and how many formula units make a cell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from pymatgen.core.composition import Composition

from vitrion_models.errors import InputError

FINEST_DENOMINATOR = 100  # of the amounts of disordered crystals
FEWEST_ATOMS, MOST_ATOMS = 48, 64


@dataclass(frozen=True)
class FormulaUnits:
    """A cell's size.

    Attributes:
        count: formula units in the cell.
        atoms: atoms in the cell.
    """

    count: int
    atoms: int


def reduced_whole(amounts: Mapping[str, Fraction]) -> str | None:
    """Reduced formula with whole amounts of exact fractions; None when nothing is left."""
    positive = {element: amount for element, amount in amounts.items() if amount > 0}
    if not positive:
        return None
    scale = math.lcm(*(amount.denominator for amount in positive.values()))
    whole = {element: int(amount * scale) for element, amount in positive.items()}
    shared = math.gcd(*whole.values())
    # pymatgen's reduced formula keeps pairs of gases and peroxides (O2, Li2O2): the amounts here are reduced already.
    return str(Composition({element: amount // shared for element, amount in whole.items()}).reduced_formula)


def reduced_formula(formula: Composition | str) -> str:
    """Reduced formula with whole amounts.

    Raises:
        InputError: the text is no formula.
    """
    try:
        composition = Composition(formula, strict=True)
    except (ValueError, KeyError) as fault:
        raise InputError(f"{formula!r} is no chemical formula") from fault
    amounts = {
        element.symbol: Fraction(amount).limit_denominator(FINEST_DENOMINATOR)
        for element, amount in composition.items()
    }
    whole = reduced_whole(amounts)
    if whole is None:
        raise InputError(f"{formula!r} is no chemical formula")
    return whole


def formula_units(formula: str, *, fewest: int = FEWEST_ATOMS, most: int = MOST_ATOMS) -> FormulaUnits:
    """How many formula units make a cell within a window of sizes; the largest cell is taken.

    Args:
        formula: with whole amounts.
        fewest: least number of atoms.
        most: greatest number of atoms.

    Raises:
        InputError: amounts are not whole, or no multiple of the formula lies in the window.
    """
    composition = Composition(formula)
    if not composition or any(abs(amount - round(amount)) > 0 for amount in composition.values()):
        raise InputError(f"{formula}: whole amounts are needed to fill a cell")
    unit = round(composition.num_atoms)
    count = most // unit
    if count * unit < fewest or count == 0:
        raise InputError(f"{formula} has {unit} atoms: no multiple lies within {fewest} to {most}, widen the window")
    return FormulaUnits(count=count, atoms=count * unit)
