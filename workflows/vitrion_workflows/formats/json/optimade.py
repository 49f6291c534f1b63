"""Structures of OPTIMADE, 1.2 (https://specification.optimade.org/en/v1.2.0/optimade.html#structures-entries)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.json.agreement import check_statements
from vitrion_workflows.formats.json.values import array_of, number_of
from vitrion_workflows.formats.occupancies import Occupancies, combine
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.formats.species import parse_species
from vitrion_workflows.schemas.isotopes import MASS_PROPERTY, element_of, isotope_symbol

AXES = 3
TYPE = "structures"
# Features that change which atoms there are: their positions or their correlated occupancies are not in the sites.
REFUSED_FEATURES = ("assemblies", "implicit_atoms", "site_attachments", "unknown_positions")


def is_structure(document: Mapping[str, Any]) -> bool:
    """Return True for an entry of OPTIMADE's structures, or for its attributes alone."""
    return document.get("type") == TYPE or "species_at_sites" in document


def read_document(document: Mapping[str, Any]) -> StructureEntry:
    """Return the structure of an entry.

    Raises:
        InputError: a field is missing, damaged or contradicts the sites, it is not periodic in three directions, holds
            atoms without positions, or a species is no element and no vacancy.
    """
    attributes = document.get("attributes", document)
    if not isinstance(attributes, dict):
        raise InputError("the attributes of this OPTIMADE structure are missing")
    if refused := [name for name in REFUSED_FEATURES if name in (attributes.get("structure_features") or ())]:
        raise InputError(f"structures with {refused[0]} are not read: give one whose sites hold every atom")
    if attributes.get("dimension_types", [1] * AXES) != [1] * AXES:
        raise InputError("not periodic along three vectors (dimension_types)")
    names = attributes.get("species_at_sites")
    if not isinstance(names, list) or not names:
        raise InputError("no atoms in it (species_at_sites)")
    lattice = array_of(attributes.get("lattice_vectors"), (AXES, AXES), name="lattice_vectors")
    positions = array_of(
        attributes.get("cartesian_site_positions"), (len(names), AXES), name="cartesian_site_positions"
    )
    remarks: list[str] = []
    species = _species(attributes.get("species"), remarks)
    if unknown := [name for name in names if name not in species]:
        raise InputError(f"species {str(unknown[0])[:20]!r} of its sites is not in the list of species")
    atoms = [index for index, name in enumerate(names) if species[name].occupancies]
    structure = Structure(
        Lattice(lattice),
        [species[names[index]].occupancies for index in atoms],
        positions[atoms],
        coords_are_cartesian=True,
    )
    masses = [species[names[index]].mass_u for index in atoms]
    if any(mass is not None for mass in masses):
        structure.add_site_property(MASS_PROPERTY, masses)
    check_statements(attributes, structure, n_sites=len(names))
    vacant = len(names) - len(atoms)
    if vacant:
        remarks.append(f"{vacant} sites are vacant and hold no atom")
    identifier = document.get("id")
    return StructureEntry(structure=structure, remarks=tuple(remarks), name=str(identifier) if identifier else "")


@dataclass(frozen=True)
class _Species:
    """Occupation of a site by an entry of the list of species.

    Attributes:
        occupancies: empty for a vacancy.
        mass_u: of its isotope; None for standard weights.
    """

    occupancies: Occupancies
    mass_u: float | None


def _species(listed: Any, remarks: list[str]) -> dict[str, _Species]:
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise InputError("the list of species is missing")
    species = {}
    for each in listed:
        name = str(each.get("name"))
        with naming(f"species {name[:20]!r}"):
            species[name] = _one_species(each, name, remarks)
    return species


def _one_species(document: Mapping[str, Any], name: str, remarks: list[str]) -> _Species:
    if document.get("attached"):
        raise InputError("its attached atoms have no positions: give a structure whose sites hold every atom")
    symbols = document.get("chemical_symbols")
    if not isinstance(symbols, list) or not symbols:
        raise InputError("it has no chemical_symbols")
    shares = array_of(document.get("concentration"), (len(symbols),), name="its concentration").tolist()
    names = [parse_species(str(symbol)) for symbol in symbols]
    # A list of species may hold what no site has: its share may be nothing.
    parts = [(each, share) for each, share in zip(names, shares, strict=True) if share]
    occupancies = combine(parts, place=f"species {name[:20]!r}", remarks=remarks)
    return _Species(occupancies, _mass(document.get("mass"), [each.symbol for each in names]))


def _mass(mass: Any, symbols: list[str]) -> float | None:
    """Return the mass of the isotope of a species; None for standard weights."""
    if mass is None:
        return None
    masses = mass if isinstance(mass, list) else [mass]  # a number until 1.0 of the specification
    if len(masses) not in {1, len(symbols)}:
        raise InputError(f"it has {len(masses)} masses for {len(symbols)} chemical symbols")
    isotopes = {
        symbol: number_of(value, name="its mass")
        for symbol, value in zip(symbols, masses, strict=False)
        if symbol and isotope_symbol(element_of(symbol), number_of(value, name="its mass")) != symbol
    }
    if isotopes and sum(map(bool, symbols)) > 1:
        raise InputError("several elements share a site and have isotopes: their masses cannot be kept")
    return next(iter(isotopes.values()), None)
