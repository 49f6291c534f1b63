"""Structures from pymatgen's JSON, without letting the file name any class to be imported."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.json.values import array_of, number_of
from vitrion_workflows.formats.occupancies import Occupancies, combine
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.formats.species import SpeciesName, parse_species
from vitrion_workflows.schemas.isotopes import MASS_PROPERTY

AXES = 3


def structure_from_dict(document: Any) -> Structure:
    """Return a structure from pymatgen's ``as_dict``; see `read_document`."""
    return read_document(document).structure


def read_document(document: Any) -> StructureEntry:
    """Return a structure from pymatgen's ``as_dict``: lattice, species, positions, and masses of isotopes.

    pymatgen's own decoder would import whatever class a site's properties name, which a downloaded file must not
    decide.

    Raises:
        InputError: it is not a structure, not periodic in three directions, or a site is no atom.
    """
    sites = document.get("sites") if isinstance(document, dict) else None
    if not isinstance(sites, list):
        raise InputError("no pymatgen structure in it (no sites)")
    if not sites:
        raise InputError("no atoms in it (its list of sites is empty)")
    lattice = _lattice(document.get("lattice"))
    remarks: list[str] = []
    species = [_occupancies(site, index, remarks) for index, site in enumerate(sites, start=1)]
    positions = [
        array_of(site.get("abc"), (AXES,), name=f"the position (abc) of site {index}")
        for index, site in enumerate(sites, start=1)
    ]
    structure = Structure(lattice, species, positions)
    masses = [_mass(site, index) for index, site in enumerate(sites, start=1)]
    if any(mass is not None for mass in masses):
        structure.add_site_property(MASS_PROPERTY, masses)
    return StructureEntry(structure=structure, remarks=(*remarks, *_remarks(document, sites)))


def _lattice(lattice: Any) -> Lattice:
    if not isinstance(lattice, dict) or "matrix" not in lattice:
        raise InputError("the lattice is absent (a molecule?): give a periodic structure")
    pbc = list(lattice.get("pbc") or [True] * AXES)
    if pbc != [True] * AXES:
        raise InputError(f"its periodicity is {pbc}: give a structure that is periodic along three vectors")
    return Lattice(array_of(lattice["matrix"], (AXES, AXES), name="the matrix of the lattice"))


def _occupancies(site: Any, index: int, remarks: list[str]) -> Occupancies:
    parts = site.get("species") if isinstance(site, dict) else None
    if not isinstance(parts, list) or not parts:
        raise InputError(f"site {index} has no species: remove it, or name its atom")
    occupancies = combine([_part(part, index) for part in parts], place=f"site {index}", remarks=remarks)
    if not occupancies:
        raise InputError(f"site {index} holds a vacancy only: remove it")
    return occupancies


def _part(part: Any, index: int) -> tuple[SpeciesName, float]:
    if not isinstance(part, dict) or "element" not in part:
        raise InputError(f"a species of site {index} has no element: name it")
    with naming(f"site {index}"):
        name = parse_species(str(part["element"]))
    if (charge := part.get("oxidation_state")) is not None:
        name = replace(name, charge_e=number_of(charge, name=f"the oxidation state of site {index}"))
    return name, number_of(part.get("occu", 1.0), name=f"the occupancy of site {index}")


def _mass(site: Mapping[str, Any], index: int) -> float | None:
    if not _has_properties(site) or (mass := site["properties"].get(MASS_PROPERTY)) is None:
        return None
    mass_u = number_of(mass, name=f"{MASS_PROPERTY} of site {index}")
    if not mass_u > 0:
        raise InputError(f"{MASS_PROPERTY} of site {index} is {mass_u:g}: give a positive number")
    return mass_u


def _has_properties(site: Mapping[str, Any]) -> bool:
    return isinstance(site.get("properties"), dict)


def _remarks(document: Mapping[str, Any], sites: list[dict[str, Any]]) -> tuple[str, ...]:
    names = {
        name
        for site in sites
        if _has_properties(site)
        for name, value in site["properties"].items()
        if value is not None and name != MASS_PROPERTY
    }
    remarks = [f"site properties are not kept: {', '.join(sorted(names))[:80]}"] if names else []
    if document.get("charge"):
        remarks.append(f"the charge of the cell, {document['charge']!r:.20}, is not kept")
    return tuple(remarks)
