"""Isotopes of the sites of a structure: masses, and symbols that name them.

The sites of a structure with isotopes have the site property `mass_u`. pymatgen knows deuterium and tritium as
elements, too, and forgets them in ``as_dict``; they are read here and written as hydrogen of their mass.

Symbols of isotopes: ``D``, ``T``, and for others the mass in thousandths of u, ``Li@6.015``.
"""

from collections import defaultdict
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from ase.data import atomic_masses, atomic_numbers

from vitrion_models.errors import InputError

if TYPE_CHECKING:
    from pymatgen.core.composition import Composition
    from pymatgen.core.sites import Site

MASS_PROPERTY = "mass_u"
SEPARATOR = "@"
# Atomic masses in u, AME 2020 (Chinese Physics C 45, 030003 (2021)).
NAMED_MASSES_U = {"D": 2.014102, "T": 3.016049}
NAMED_TOLERANCE_U = 0.005  # pymatgen's are those of the nuclei, 0.0005 u less; hydrogen of repartitioned mass has 3.024
# Tables of standard weights differ by less (Li 6.94 and 6.941, Zn 65.38 and 65.409, Se 78.96 and 78.971), and so do
# elements of practically one isotope (12C, 16O); 7Li (0.08 u), 28Si (0.11 u) and 32S (0.09 u) differ by more.
TOLERANCE_U = 0.02
TOLERANCE_RELATIVE = 1e-3
# Nuclei weigh 1 to 300 u; dynamics with masses of convenience stays within these.
LIGHTEST_U, HEAVIEST_U = 0.1, 1000.0
# VASP's data sets give natural lithium a mass of its own (POMASS), near that of 7Li.
VASP_LITHIUM_U = 7.010
VASP_TOLERANCE_U = 0.002


def isotope_symbol(element: str, mass_u: float) -> str:
    """Return the symbol of an isotope; that of the element where the mass is its standard weight within tolerance.

    Args:
        element: chemical symbol.
        mass_u: mass of the atom.

    Raises:
        InputError: no atom has such a mass.
    """
    if not LIGHTEST_U <= mass_u <= HEAVIEST_U:
        raise InputError(f"{element} has a mass of {mass_u:g} u: give one of {LIGHTEST_U:g} to {HEAVIEST_U:g} u")
    standard = float(atomic_masses[atomic_numbers[element]])
    if abs(mass_u - standard) <= max(TOLERANCE_U, TOLERANCE_RELATIVE * standard):
        return element
    if element == "Li" and abs(mass_u - VASP_LITHIUM_U) <= VASP_TOLERANCE_U:
        return element
    if element == "H":
        for name, mass in NAMED_MASSES_U.items():
            if abs(mass_u - mass) <= NAMED_TOLERANCE_U:
                return name
    return f"{element}{SEPARATOR}{mass_u:.3f}"


@cache
def element_of(symbol: str) -> str:
    """Return the chemical symbol of an isotope or element: ``H`` for ``D``, ``Li`` for ``Li@6.015``."""
    return "H" if symbol in NAMED_MASSES_U else symbol.partition(SEPARATOR)[0]


@cache
def mass_of(symbol: str) -> float:
    """Return the mass of an isotope, or the standard weight of an element, in u."""
    if symbol in NAMED_MASSES_U:
        return NAMED_MASSES_U[symbol]
    element, _, mass = symbol.partition(SEPARATOR)
    return float(mass) if mass else float(atomic_masses[atomic_numbers[element]])


def isotope_amounts(composition: "Composition") -> dict[str, float]:
    """Return the amount of each element or isotope of a composition, by symbol.

    Oxidation states are an annotation: the same cell with and without them is one cell.
    """
    from pymatgen.core.periodic_table import Element  # noqa: PLC0415 - pymatgen is slow to import

    amounts: dict[str, float] = {}
    for species, amount in composition.items():
        if isinstance(species, Element):
            symbol = _symbol_of(species)
        else:
            # pymatgen's vacancies and other dummies have no element.
            element = getattr(species, "element", None)
            symbol = str(species.symbol) if element is None else _symbol_of(element)
        amounts[symbol] = amounts.get(symbol, 0.0) + float(amount)
    return amounts


@cache
def _symbol_of(element: Any) -> str:
    # pymatgen: the symbol of deuterium is H, its name D.
    return str(element.name)


def site_occupancies(site: "Site") -> dict[str, float]:
    """Return the occupancy of each element or isotope of a site, by symbol.

    Raises:
        InputError: one mass for a site of several elements.
    """
    occupancies = isotope_amounts(site.species)
    mass_u = site.properties.get(MASS_PROPERTY)
    if mass_u is None:
        return occupancies
    if len(elements := {element_of(symbol) for symbol in occupancies}) > 1:
        raise InputError(f"the site {site.species_string} has one mass for {len(elements)} elements: leave it out")
    (element,) = elements
    return {isotope_symbol(element, float(mass_u)): sum(occupancies.values())}


def formulas(amounts: Mapping[str, float]) -> tuple[str, str]:
    """Return the full and the reduced formula, as pymatgen writes them: ``Li12 P4 S16`` and ``Li3PS4``.

    Deuterium and tritium are D and T; other isotopes are their element.

    Args:
        amounts: of each element or isotope, by symbol.
    """
    from pymatgen.core.composition import Composition, reduce_formula  # noqa: PLC0415 - pymatgen is slow to import
    from pymatgen.core.periodic_table import Element  # noqa: PLC0415
    from pymatgen.util.string import formula_double_format  # noqa: PLC0415

    shown: defaultdict[str, float] = defaultdict(float)
    for symbol, amount in amounts.items():
        shown[symbol.partition(SEPARATOR)[0]] += amount
    if not NAMED_MASSES_U.keys() & shown.keys():
        composition = Composition(shown)
        return str(composition.formula), str(composition.reduced_formula)
    ordered = sorted(shown, key=lambda symbol: (Element(symbol).X, symbol))
    full = " ".join(f"{symbol}{formula_double_format(shown[symbol], ignore_ones=False)}" for symbol in ordered)
    if all(amount == round(amount) for amount in shown.values()):
        return full, str(reduce_formula({symbol: round(amount) for symbol, amount in shown.items()})[0])
    return full, full.replace(" ", "")
