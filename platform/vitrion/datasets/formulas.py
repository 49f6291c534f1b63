"""Chemical formulas of data sets, in one spelling."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pymatgen.core.composition import Composition

from vitrion_models.errors import InputError


@contextmanager
def _electronegativities_absent() -> Iterator[None]:
    # pymatgen orders elements by electronegativity and warns of those without one (He, Og).
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def composition(formula: str) -> Composition:
    """Return the composition of a formula.

    Raises:
        InputError: the formula cannot be read, is empty or names an unknown element.
    """
    try:
        with _electronegativities_absent():
            parsed = Composition(formula, strict=True)
    except (ValueError, KeyError) as fault:
        raise InputError(f"{formula!r} is not a chemical formula") from fault
    if not parsed:
        raise InputError(f"{formula!r} is not a chemical formula")
    return parsed


def reduced(formula: str) -> str:
    """Return the reduced formula in pymatgen's order; fractional amounts are kept."""
    parsed = composition(formula)
    is_integer = all(abs(amount - round(amount)) < 1e-6 for amount in parsed.values())  # noqa: PLR2004 - printed digits
    with _electronegativities_absent():
        return str(parsed.reduced_formula if is_integer else parsed.formula.replace(" ", ""))


def chemical_system(formula: str) -> str:
    """Return the elements in alphabetical order, joined by hyphens."""
    return str(composition(formula).chemical_system)
