"""Parse formulas, and count the atoms of each element in a cell of integer formula units."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pymatgen.core.composition import Composition

from vitrion_models.errors import InputError
from vitrion_workflows.structure.formula import element_amounts

LARGEST_EXCESS = 2.0  # a cell may hold up to twice the requested atoms, when one formula unit is that large


@contextmanager
def _pymatgen_silenced() -> Iterator[None]:
    # pymatgen orders elements by electronegativity and warns about those without one.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def parse_formula(formula: str) -> Composition:
    """Return the composition of a formula, see `element_amounts`, in elements: D and T count as hydrogen.

    Raises:
        InputError: the text is not a formula.
    """
    amounts = element_amounts(formula)
    with _pymatgen_silenced():
        return Composition(amounts).element_composition


def cell_contents(formula: str, *, n_atoms: int) -> dict[str, int]:
    """Count the atoms of each element in the cell of integer formula units nearest to a target size.

    Args:
        formula: any formula; fractional amounts are scaled to integers.
        n_atoms: target number of atoms.

    Returns:
        Element symbol -> number of atoms.

    Raises:
        InputError: bad formula, fewer than one atom, or a formula unit more than twice the size of the cell.
    """
    if n_atoms < 1:
        raise InputError(f"a cell needs at least one atom, not {n_atoms}")
    composition = parse_formula(formula)
    with _pymatgen_silenced():
        reduced, _ = composition.get_integer_formula_and_factor()
    unit = Composition(reduced)
    unit_size = round(unit.num_atoms)
    if unit_size > LARGEST_EXCESS * n_atoms:
        raise InputError(
            f"{formula}: one formula unit has {unit_size} atoms, too many for a cell of {n_atoms}; ask for more atoms",
        )
    units = max(1, round(n_atoms / unit_size))
    return {element.symbol: round(amount) * units for element, amount in unit.items()}
