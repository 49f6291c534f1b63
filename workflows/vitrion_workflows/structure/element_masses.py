"""Masses of the elements of a compound, where all atoms of an element are one isotope."""

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from ase.data import atomic_numbers
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray, standard_masses_u
from vitrion_workflows.schemas.geometry import explicit_isotopes, isotope_masses, with_masses
from vitrion_workflows.schemas.isotopes import element_of, mass_of, site_occupancies
from vitrion_workflows.structure.formula import element_amounts


def compound_masses(formula: str, twin: Structure | None = None) -> dict[str, float]:
    """Return the mass in u of each element of a compound that is an isotope; none for standard weights.

    Args:
        formula: with D or T for an isotope of hydrogen.
        twin: crystal of the compound, whose isotopes count where the formula names none.

    Raises:
        InputError: an element has atoms of several masses, which a random cell cannot place.
    """
    symbols = set(element_amounts(formula))
    if twin is not None and symbols == {element_of(symbol) for symbol in symbols}:
        symbols = {symbol for site in twin for symbol in site_occupancies(site)}
    isotopes: defaultdict[str, set[str]] = defaultdict(set)
    for symbol in symbols:
        isotopes[element_of(symbol)].add(symbol)
    for element, names in isotopes.items():
        if len(names) > 1:
            raise InputError(f"{formula} has {' and '.join(sorted(names))}: give {element} one mass in a random cell")
    return {element: mass_of(symbol) for element, (symbol,) in isotopes.items() if symbol != element}


def masses_of_elements(numbers: IntArray, masses_u: Mapping[str, float]) -> FloatArray:
    """Return the mass of each atom in u, shape (N,).

    Args:
        numbers: atomic numbers, shape (N,).
        masses_u: of elements by their symbol; the others have their standard weight.
    """
    masses = standard_masses_u(numbers)
    for element, mass_u in masses_u.items():
        masses[numbers == atomic_numbers[element]] = mass_u
    return masses


def with_element_masses(structure: Structure, masses_u: Mapping[str, float]) -> Structure:
    """Return a structure in which all atoms of some elements have another mass; other isotopes are kept.

    Args:
        structure: ordered, where there are masses to set.
        masses_u: of elements by their symbol, in u.

    Raises:
        InputError: an element is not in the structure, a mass is not a positive number, or a site is partially
            occupied.
    """
    if not masses_u:
        return explicit_isotopes(structure)
    if not structure.is_ordered:
        raise InputError(f"{structure.composition.reduced_formula} has partially occupied sites: order it first")
    numbers = np.array(structure.atomic_numbers)
    masses = isotope_masses(structure)
    if masses is None:
        masses = standard_masses_u(numbers)
    for element, mass_u in masses_u.items():
        atoms = numbers == atomic_numbers.get(element, 0)
        if not atoms.any():
            raise InputError(
                f"{structure.composition.reduced_formula} has no {element}: give the mass of an element in it"
            )
        masses[atoms] = mass_u
    return with_masses(structure, masses)
