"""Statements of a JSON document on its structure: numbers of sites, elements and formulas, each checked against it."""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.json.values import array_of, number_of
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.formats.species import parse_species
from vitrion_workflows.schemas.isotopes import element_of
from vitrion_workflows.structure.formula import element_amounts

# Shares of elements: exact without partial occupancies; "within reasonable approximation", however an implementation
# rounds, with them (OPTIMADE 1.2, chemical_formula_reduced).
EXACT, APPROXIMATE = 1e-6, 0.02
AMOUNT_TOLERANCE = 0.01  # atoms of the cell
LONGEST_SHOWN = 60
Amounts = Mapping[str, float]


@dataclass(frozen=True)
class _Sites:
    """Content of the sites: amounts of elements, and the tolerance of a stated share of one."""

    amounts: Amounts
    tolerance: float

    @property
    def shown(self) -> str:
        """Amounts of the elements, for messages."""
        return f"the sites, which hold {_shown(self.amounts)}"


def check_statements(document: Mapping[str, Any], structure: Structure, *, n_sites: int) -> None:
    """Check what a document of OPTIMADE or the Materials Project says of its structure; null says nothing.

    Args:
        document: with any of the fields of `CHECKS`.
        structure: its atoms; isotopes count as their element.
        n_sites: number of its sites, vacant ones included.

    Raises:
        InputError: a statement contradicts the structure or is of another type; the message names the field.
    """
    sites = _Sites(
        _summed(structure.composition.get_el_amt_dict()), tolerance=EXACT if structure.is_ordered else APPROXIMATE
    )
    for field, check in CHECKS.items():
        if (stated := document.get(field)) is not None:
            with naming(field):
                check(stated, sites)
    if (stated := document.get("nsites")) is not None and (isinstance(stated, bool) or stated != n_sites):
        raise InputError(f"nsites is {stated!r:.20}, {n_sites} sites are listed: one of them is wrong")
    names, ratios = document.get("elements"), document.get("elements_ratios")
    if names is not None and ratios is not None:
        shares = array_of(ratios, (len(names),), name="elements_ratios").tolist()
        with naming("elements_ratios"):
            _check_shares(dict(zip(names, shares, strict=True)), replace(sites, tolerance=APPROXIMATE))


def _check_count(stated: Any, sites: _Sites) -> None:
    if isinstance(stated, bool) or stated != len(sites.amounts):
        raise InputError(f"{stated!r:.20} contradicts {sites.shown}")


def _check_elements(stated: Any, sites: _Sites) -> None:
    names = stated if isinstance(stated, list) else []
    if len(names) != len(sites.amounts) or any(name not in names for name in sites.amounts):
        raise InputError(f"{str(stated)[:LONGEST_SHOWN]} contradicts {sites.shown}")


def _check_system(stated: Any, sites: _Sites) -> None:
    _check_elements(str(stated).split("-"), sites)


def _check_formula(stated: Any, sites: _Sites) -> None:
    _check_shares(_stated_amounts(stated), sites)


def _check_composition(stated: Any, sites: _Sites) -> None:
    expected = _stated_amounts(stated)
    if any(
        abs(expected.get(each, 0.0) - sites.amounts.get(each, 0.0)) > AMOUNT_TOLERANCE
        for each in {*expected, *sites.amounts}
    ):
        raise InputError(f"{_shown(expected)} contradicts {sites.shown}")


def _check_shares(stated: Amounts, sites: _Sites) -> None:
    total, of_sites = sum(stated.values()), sum(sites.amounts.values())
    differ = total <= 0 or any(
        abs(stated.get(each, 0.0) / total - amount / of_sites) > sites.tolerance
        for each, amount in sites.amounts.items()
    )
    if differ or not stated.keys() <= sites.amounts.keys():
        raise InputError(f"{_shown(stated)} contradicts {sites.shown}")


def _stated_amounts(stated: Any) -> Amounts:
    """Return amounts from a formula or from pymatgen's dictionary of species.

    Raises:
        InputError: neither of them, or an amount that is not positive.
    """
    if isinstance(stated, str):
        return _summed(element_amounts(stated))
    if not isinstance(stated, dict) or not stated:
        raise InputError(f"{str(stated)[:LONGEST_SHOWN]} is no composition: give an amount for each element")
    named = {name: number_of(amount, name=f"the amount of {name[:LONGEST_SHOWN]}") for name, amount in stated.items()}
    if min(named.values()) <= 0:
        raise InputError(f"{_shown(named)} has an amount that is not positive: correct it")
    return _summed(named)


def _summed(named: Amounts) -> Amounts:
    """Return the amounts of elements, of all their ions and isotopes together."""
    amounts: defaultdict[str, float] = defaultdict(float)
    for name, amount in named.items():
        if symbol := parse_species(name).symbol:
            amounts[element_of(symbol)] += amount
    return dict(amounts)


def _shown(amounts: Amounts) -> str:
    return " ".join(f"{name}{amount:g}" for name, amount in sorted(amounts.items()))[:LONGEST_SHOWN]


CHECKS: Mapping[str, Callable[[Any, _Sites], None]] = {
    "nelements": _check_count,
    "elements": _check_elements,
    "chemsys": _check_system,
    "chemical_formula_reduced": _check_formula,
    "chemical_formula_hill": _check_formula,
    "formula_pretty": _check_formula,
    "composition": _check_composition,
    "composition_reduced": _check_formula,
}
