"""Cells as arrays, from any input type, and the document fields that follow from them."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.constants import U_PER_A3_IN_G_PER_CM3
from vitrion_models.errors import InputError
from vitrion_models.system import SMALLEST_VOLUME_A3, AtomicSystem, FloatArray
from vitrion_workflows.schemas.geometry import explicit_isotopes, system_from_atoms
from vitrion_workflows.schemas.identity import cell_fingerprint, species_text
from vitrion_workflows.schemas.isotopes import (
    MASS_PROPERTY,
    SEPARATOR,
    element_of,
    formulas,
    isotope_symbol,
    mass_of,
    site_occupancies,
)

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Cell: TypeAlias = "Structure | Atoms | AtomicSystem"
Occupancies: TypeAlias = tuple[tuple[str, float], ...]

# Order in which the mobile species is looked for.
MOBILE_IONS = ("Li", "Na", "K", "Ag", "Cu", "Mg", "Zn", "F")
WHOLE_OCCUPANCY = 1.0 - 1e-8


@dataclass(frozen=True, eq=False)
class CellArrays:
    """A cell that may have partially occupied sites.

    Attributes:
        lattice_A: lattice vectors as rows, in Angstrom, shape (3, 3).
        fractional: fractional coordinates in the image they were given, shape (N, 3).
        species: for each site its elements and isotopes in alphabetical order with their occupancies; symbols as in
            `vitrion_workflows.schemas.isotopes`.
    """

    lattice_A: FloatArray
    fractional: FloatArray
    species: tuple[Occupancies, ...]

    def __len__(self) -> int:
        return len(self.species)

    @cached_property
    def fingerprint(self) -> str:
        """Fingerprint, equal to `vitrion_workflows.schemas.fingerprint` of the pymatgen structure."""
        return cell_fingerprint(self.lattice_A, self.fractional, [_text(site) for site in self.species])

    @cached_property
    def charges(self) -> FloatArray:
        """Atomic number of each site, weighted by occupancy, shape (N,)."""
        return np.array([_charge(site) for site in self.species])

    @property
    def wrapped(self) -> FloatArray:
        """Fractional coordinates in [0, 1), shape (N, 3)."""
        inside = np.mod(self.fractional, 1.0)
        # A coordinate a hair below zero wraps to 1.0 exactly.
        return np.where(inside >= 1.0, 0.0, inside)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell in A3."""
        return float(abs(np.linalg.det(self.lattice_A)))

    @cached_property
    def amounts(self) -> Occupancies:
        """Number of atoms of each element or isotope in the cell, in alphabetical order."""
        return _sums((symbol, share) for site in self.species for symbol, share in site)

    @cached_property
    def element_amounts(self) -> Occupancies:
        """Number of atoms of each element in the cell, whatever their isotopes, in alphabetical order."""
        return _sums((element_of(symbol), share) for site in self.species for symbol, share in site)

    @property
    def is_disordered(self) -> bool:
        """True if a site is partially occupied or shared by elements."""
        return any(not _is_full(site) for site in set(self.species))

    def structure(self) -> "Structure":
        """Return the pymatgen structure, atoms inside the cell, isotopes as `explicit_isotopes` writes them."""
        from pymatgen.core.lattice import Lattice  # noqa: PLC0415 - pymatgen is slow to import
        from pymatgen.core.structure import Structure  # noqa: PLC0415

        # pymatgen takes D and T; any other isotope is its element with a mass.
        species = [{symbol.partition(SEPARATOR)[0]: share for symbol, share in site} for site in self.species]
        structure = Structure(Lattice(self.lattice_A), species, self.wrapped)
        if not self.isotopes:
            return structure
        masses = [mass_of(site[0][0]) if len(site) == 1 else None for site in self.species]
        return explicit_isotopes(structure.add_site_property(MASS_PROPERTY, masses))

    @cached_property
    def isotopes(self) -> tuple[str, ...]:
        """Symbols of the isotopes in the cell, in alphabetical order; none for elements of standard weight."""
        return tuple(symbol for symbol, _ in self.amounts if symbol != element_of(symbol))


def arrays_of(cell: Cell) -> CellArrays:
    """Return the arrays of a cell.

    Args:
        cell: pymatgen structure (sites may be partially occupied), ASE atoms or an `AtomicSystem`.

    Raises:
        InputError: no atoms, coordinates that are not finite, a lattice without volume, unknown elements, or another
            type.
    """
    if isinstance(cell, Atoms):
        cell = system_from_atoms(cell)
    if isinstance(cell, AtomicSystem):
        return CellArrays(
            lattice_A=cell.lattice_A,
            fractional=cell.positions_A @ np.linalg.inv(cell.lattice_A),
            species=tuple(map(_pure, cell.numbers.tolist(), cell.masses_u.tolist())),
        )
    from pymatgen.core.structure import Structure  # noqa: PLC0415 - pymatgen is slow to import

    if not isinstance(cell, Structure):
        raise InputError(f"{type(cell).__name__} is not a structure: give pymatgen, ASE or an AtomicSystem")
    return _from_structure(cell)


def _from_structure(structure: "Structure") -> CellArrays:
    if len(structure) == 0:
        raise InputError("an empty structure cannot be stored")
    lattice = np.asarray(structure.lattice.matrix, dtype=float)
    fractional = np.asarray(structure.frac_coords, dtype=float)
    name = structure.composition.reduced_formula
    if not (np.isfinite(fractional).all() and np.isfinite(lattice).all()):
        raise InputError(f"{name}: coordinates or lattice vectors are not finite numbers")
    if abs(np.linalg.det(lattice)) < SMALLEST_VOLUME_A3:
        raise InputError(f"{name}: the lattice vectors enclose no volume")
    species = tuple(tuple(sorted(site_occupancies(site).items())) for site in structure)
    for symbol in {symbol for site in species for symbol, _ in site}:
        if not atomic_numbers.get(element_of(symbol)):
            raise InputError(f"{symbol} is not an element")
    return CellArrays(lattice_A=lattice, fractional=fractional, species=species)


def _sums(parts: Iterable[tuple[str, float]]) -> Occupancies:
    total: defaultdict[str, float] = defaultdict(float)
    for symbol, share in parts:
        total[symbol] += share
    # Sums of thirds are not exact: formulas have eight decimals.
    return tuple((symbol, round(amount, 8)) for symbol, amount in sorted(total.items()))


def geometry_fields(cell: CellArrays) -> dict[str, Any]:
    """Return the OPTIMADE fields of the geometry document (Angstrom), atoms inside the cell."""
    names = {site: _species_name(site) for site in set(cell.species)}
    return {
        "lattice_vectors": cell.lattice_A.tolist(),
        "cartesian_site_positions": (cell.wrapped @ cell.lattice_A).tolist(),
        "species_at_sites": [names[site] for site in cell.species],
        "species": [
            {"name": name, **_species_fields(site)} for site, name in sorted(names.items(), key=lambda entry: entry[1])
        ],
    }


def _species_fields(site: Occupancies) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "chemical_symbols": [element_of(symbol) for symbol, _ in site],
        "concentration": [share for _, share in site],
    }
    if any(symbol != element_of(symbol) for symbol, _ in site):
        fields["mass"] = [mass_of(symbol) for symbol, _ in site]
    return fields


def arrays_from_geometry(document: Mapping[str, Any]) -> CellArrays:
    """Return the cell that a geometry document describes."""
    sites = {species["name"]: _occupancies(species) for species in document["species"]}
    lattice = np.array(document["lattice_vectors"], dtype=float)
    return CellArrays(
        lattice_A=lattice,
        fractional=np.array(document["cartesian_site_positions"], dtype=float) @ np.linalg.inv(lattice),
        species=tuple(sites[name] for name in document["species_at_sites"]),
    )


def _occupancies(species: Mapping[str, Any]) -> Occupancies:
    symbols = species["chemical_symbols"]
    if masses := species.get("mass"):
        symbols = map(isotope_symbol, symbols, masses)
    return tuple(zip(symbols, species["concentration"], strict=True))


def describe(cell: CellArrays, *, mobile_ion: str | None = None) -> dict[str, Any]:
    """Return the fields of a structure that people filter by.

    Args:
        cell: the cell.
        mobile_ion: symbol of the mobile species; the first of `MOBILE_IONS` that it contains when None.

    Raises:
        InputError: the mobile species is not a chemical symbol.
    """
    if mobile_ion is not None and not atomic_numbers.get(mobile_ion):
        raise InputError(f"mobile_ion {mobile_ion!r} is not a chemical symbol: give for example Li")
    amounts = dict(cell.element_amounts)
    ion = mobile_ion or next((symbol for symbol in MOBILE_IONS if symbol in amounts), None)
    mass = sum(amount * _mass(symbol) for symbol, amount in cell.amounts)
    return {
        **composition_fields(cell.amounts),
        "n_elements": len(amounts),
        "n_atoms": len(cell),
        "volume_A3": cell.volume_A3,
        "density_g_cm3": mass / cell.volume_A3 * U_PER_A3_IN_G_PER_CM3,
        "disordered": cell.is_disordered,
        "mobile_ion": ion,
        "mobile_ion_fraction": amounts.get(ion, 0.0) / sum(amounts.values()) if ion else 0.0,
    }


@lru_cache(maxsize=4096)
def composition_fields(amounts: Occupancies) -> Mapping[str, Any]:
    """Return formulas and elements; the formulas as pymatgen writes them, with the symbols D and T.

    Args:
        amounts: of each element or isotope.
    """
    full, reduced = formulas(dict(amounts))
    elements = sorted({element_of(symbol) for symbol, _ in amounts})
    return {
        "formula": full,
        "reduced_formula": reduced,
        "chemsys": "-".join(elements),
        "elements": elements,
        "isotopes": [symbol for symbol, _ in amounts if symbol != element_of(symbol)],
    }


def _species_name(site: Occupancies) -> str:
    return site[0][0] if _is_full(site) else "+".join(f"{symbol}{share:.6g}" for symbol, share in site)


def _is_full(site: Occupancies) -> bool:
    return len(site) == 1 and site[0][1] >= WHOLE_OCCUPANCY


@lru_cache(maxsize=4096)
def _text(site: Occupancies) -> str:
    return species_text(dict(site))


@lru_cache(maxsize=4096)
def _charge(site: Occupancies) -> float:
    return float(sum(atomic_numbers[element_of(symbol)] * share for symbol, share in site))


@cache
def _mass(symbol: str) -> float:
    from pymatgen.core.periodic_table import Element  # noqa: PLC0415 - pymatgen is slow to import

    return float(Element(symbol).atomic_mass) if symbol == element_of(symbol) else mass_of(symbol)


@cache
def _pure(number: int, mass_u: float) -> Occupancies:
    return ((isotope_symbol(chemical_symbols[number], mass_u), 1.0),)
