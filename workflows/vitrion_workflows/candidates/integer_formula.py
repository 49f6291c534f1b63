"""Reduced formulas with integer amounts, and the number of formula units in a cell."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from pymatgen.core.composition import Composition

from vitrion_models.errors import InputError
from vitrion_workflows.structure.composition import parse_formula

FINEST_DENOMINATOR = 100  # of the amounts of disordered crystals
FEWEST_ATOMS, MOST_ATOMS = 48, 64


@dataclass(frozen=True)
class FormulaUnits:
    """Size of a cell.

    Attributes:
        count: formula units in the cell.
        atoms: atoms in the cell.
    """

    count: int
    atoms: int


def integer_formula(amounts: Mapping[str, Fraction]) -> str | None:
    """Return the reduced formula with integer amounts of exact fractions; None if no amount is positive."""
    positive = {element: amount for element, amount in amounts.items() if amount > 0}
    if not positive:
        return None
    scale = math.lcm(*(amount.denominator for amount in positive.values()))
    integers = {element: int(amount * scale) for element, amount in positive.items()}
    divisor = math.gcd(*integers.values())
    # pymatgen's reduced formula keeps the pairs of gases and peroxides (O2, Li2O2).
    return str(Composition({element: amount // divisor for element, amount in integers.items()}).reduced_formula)


def reduced_formula(formula: Composition | str) -> str:
    """Return the reduced formula with integer amounts.

    Raises:
        InputError: the text is not a formula.
    """
    composition = formula if isinstance(formula, Composition) else parse_formula(formula)
    amounts = {
        element.symbol: Fraction(amount).limit_denominator(FINEST_DENOMINATOR)
        for element, amount in composition.element_composition.items()
    }
    reduced = integer_formula(amounts)
    if reduced is None:
        raise InputError(f"{formula!r} is not a chemical formula: give elements and amounts")
    return reduced


def formula_units(formula: str, *, fewest: int = FEWEST_ATOMS, most: int = MOST_ATOMS) -> FormulaUnits:
    """Count the formula units of the largest cell within a window of sizes.

    Args:
        formula: formula with integer amounts.
        fewest: least number of atoms.
        most: greatest number of atoms.

    Raises:
        InputError: an amount is not an integer, or no multiple of the formula lies in the window.
    """
    composition = Composition(formula)
    if not composition or any(abs(amount - round(amount)) > 0 for amount in composition.values()):
        raise InputError(f"{formula}: amounts must be integers: give the formula of one formula unit")
    unit = round(composition.num_atoms)
    count = most // unit
    if count * unit < fewest or count == 0:
        raise InputError(f"{formula} has {unit} atoms: no multiple lies within {fewest} to {most}, widen the window")
    return FormulaUnits(count=count, atoms=count * unit)
