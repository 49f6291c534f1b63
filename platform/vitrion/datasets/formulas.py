"""Formulas as data sets print them, brought to one spelling."""

import warnings

from pymatgen.core.composition import Composition

from vitrion_models.errors import InputError


def composition(formula: str) -> Composition:
    """A formula's composition.

    Raises:
        InputError: it cannot be read, is empty or names an unknown element.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pymatgen warns of elements without an electronegativity
            parsed = Composition(formula, strict=True)
    except (ValueError, KeyError) as fault:
        raise InputError(f"{formula!r} is no chemical formula") from fault
    if not parsed:
        raise InputError(f"{formula!r} is no chemical formula")
    return parsed


def reduced(formula: str) -> str:
    """Reduced formula in pymatgen's order; fractional amounts stay as they are."""
    parsed = composition(formula)
    whole = all(abs(amount - round(amount)) < 1e-6 for amount in parsed.values())  # noqa: PLR2004 - printed digits
    return str(parsed.reduced_formula if whole else parsed.formula.replace(" ", ""))


def chemical_system(formula: str) -> str:
    """Elements in alphabetical order joined by hyphens."""
    return str(composition(formula).chemical_system)
