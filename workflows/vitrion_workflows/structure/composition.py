"""Whole formula units: how many atoms of each element a cell of a wanted size holds."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Element

from vitrion_models.errors import InputError

LARGEST_STRETCH = 2.0  # a cell may hold up to twice the atoms asked for, when one formula unit is that large


@contextmanager
def _pymatgen_silenced() -> Iterator[None]:
    # It orders elements by electronegativity, and warns of those that have none.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def parse_formula(formula: str) -> Composition:
    """Composition of a formula with elements of the periodic table and positive amounts.

    Raises:
        InputError: the text is no formula, or names something that is no element.
    """
    try:
        with _pymatgen_silenced():
            composition = Composition(formula)
        known = bool(composition) and all(isinstance(species, Element) for species in composition)
    except (ValueError, KeyError):
        known = False
    if not known:
        raise InputError(f"{formula!r} is no chemical formula: give elements and amounts, for example Li3PS4")
    return composition


def cell_contents(formula: str, *, n_atoms: int) -> dict[str, int]:
    """Atoms of each element in the cell whose size is nearest to the one asked for.

    Args:
        formula: any formula; fractional amounts are brought to whole numbers.
        n_atoms: wanted number of atoms.

    Returns:
        Element symbol -> number of atoms, a whole number of formula units.

    Raises:
        InputError: no formula, no positive number of atoms, or a formula unit more than twice the size of the cell.
    """
    if n_atoms < 1:
        raise InputError(f"a cell needs at least one atom, not {n_atoms}")
    composition = parse_formula(formula)
    with _pymatgen_silenced():
        reduced, _ = composition.get_integer_formula_and_factor()
    unit = Composition(reduced)
    unit_size = round(unit.num_atoms)
    if unit_size > LARGEST_STRETCH * n_atoms:
        raise InputError(
            f"{formula}: one formula unit has {unit_size} atoms, too many for a cell of {n_atoms}; ask for more atoms",
        )
    units = max(1, round(n_atoms / unit_size))
    return {element.symbol: round(amount) * units for element, amount in unit.items()}
