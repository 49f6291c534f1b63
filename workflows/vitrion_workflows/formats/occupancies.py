"""Occupation of one site: elements, isotopes and ions with their shares, checked alike in every format."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypeAlias

from pymatgen.core.periodic_table import Element, Species

from vitrion_models.errors import InputError
from vitrion_workflows.formats.species import HYDROGEN_ISOTOPES, SpeciesName

Occupancies: TypeAlias = dict[Element | Species, float]

# Refined occupancies of a shared site may exceed one by their error; more than that is a fault of the file.
FULL_OCCUPANCY = 1.05
ROUNDED_OCCUPANCY = 1.005


def combine(parts: Iterable[tuple[SpeciesName, float]], *, place: str, remarks: list[str]) -> Occupancies:
    """Return the occupancies of a site; vacancies count in their sum and are no atoms, so that it may be empty.

    Args:
        parts: species with their occupancies.
        place: of the site, for messages.
        remarks: receives one for a sum that is scaled down to one.

    Raises:
        InputError: an occupancy is not above 0, or their sum exceeds one by more than `FULL_OCCUPANCY` allows.
    """
    listed = list(parts)
    for _, occupancy in listed:
        if not 0 < occupancy <= FULL_OCCUPANCY:
            raise InputError(f"{place}: its occupancy is {occupancy:g}: give a number above 0 and up to 1")
    total = sum(occupancy for _, occupancy in listed)
    if total > FULL_OCCUPANCY:
        raise InputError(f"{place}: the occupancies of this position add up to {total:g}: correct them")
    if total > ROUNDED_OCCUPANCY:
        remarks.append(f"the occupancy of {place} is {total:g} and is scaled to 1")
    occupancies: defaultdict[Element | Species, float] = defaultdict(float)
    for name, occupancy in listed:
        if not name.is_vacancy:
            occupancies[_pymatgen_species(name)] += occupancy / max(total, 1.0)
    return dict(occupancies)


def _pymatgen_species(name: SpeciesName) -> Element | Species:
    # pymatgen forgets that an ion of deuterium is one.
    if name.charge_e is None or name.symbol in HYDROGEN_ISOTOPES:
        return Element(name.symbol)
    return Species(name.symbol, name.charge_e)
