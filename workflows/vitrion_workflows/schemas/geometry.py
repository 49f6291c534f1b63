"""Between the array form of the models, pymatgen's structures and ASE's atoms, with the masses of isotopes."""

from typing import TYPE_CHECKING

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray, standard_masses_u
from vitrion_workflows.schemas.isotopes import (
    MASS_PROPERTY,
    NAMED_MASSES_U,
    element_of,
    isotope_symbol,
    mass_of,
    site_occupancies,
)

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure


def system_from_structure(structure: "Structure") -> AtomicSystem:
    """Arrays of an ordered pymatgen structure.

    Raises:
        InputError: a site is partially occupied.
    """
    if not structure.is_ordered:
        raise InputError(f"{structure.composition.reduced_formula} has partially occupied sites: order it first")
    masses = isotope_masses(structure)
    return AtomicSystem(
        numbers=np.array(structure.atomic_numbers),
        positions_A=structure.cart_coords,
        lattice_A=structure.lattice.matrix,
        masses_u=np.empty(0) if masses is None else masses,
    )


def structure_from_system(system: AtomicSystem) -> "Structure":
    """Pymatgen structure of a cell, atoms wrapped into it, order kept."""
    from pymatgen.core.lattice import Lattice  # noqa: PLC0415 - pymatgen is slow to import
    from pymatgen.core.structure import Structure  # noqa: PLC0415

    structure = Structure(Lattice(system.lattice_A), system.numbers.tolist(), system.fractional)
    return with_masses(structure, system.masses_u) if system.has_isotopes else structure


def atoms_from_system(system: AtomicSystem) -> Atoms:
    """ASE atoms of a cell, periodic along all three vectors."""
    atoms = Atoms(numbers=system.numbers, positions=system.positions_A, cell=system.lattice_A, pbc=True)
    if system.has_isotopes:
        atoms.set_masses(system.masses_u)
    return atoms


def system_from_atoms(atoms: Atoms) -> AtomicSystem:
    """Arrays of ASE atoms.

    Raises:
        InputError: the cell is absent or not periodic along all three vectors, or a mass is not positive.
    """
    if not all(atoms.pbc) or atoms.cell.rank != len(atoms.cell):
        raise InputError(f"{atoms.get_chemical_formula()} has no cell that is periodic along three vectors")
    return AtomicSystem(
        numbers=atoms.numbers,
        positions_A=atoms.positions,
        lattice_A=atoms.cell.array,
        masses_u=masses_of_isotopes(atoms.numbers, atoms.get_masses()),
    )


def masses_of_isotopes(numbers: IntArray, masses_u: FloatArray) -> FloatArray:
    """Return the masses of the isotopes that atoms are, shape (N,): standard weights where within tolerance of them.

    Args:
        numbers: atomic numbers, shape (N,).
        masses_u: as stated, shape (N,).

    Raises:
        InputError: a mass is not a positive number, or there are not as many masses as atoms.
    """
    numbers, masses = np.asarray(numbers), np.asarray(masses_u, dtype=np.float64)
    if masses.shape != numbers.shape:
        raise InputError(f"{len(numbers)} atoms have {len(masses)} masses: give one for each")
    standard = standard_masses_u(numbers)
    for index in np.flatnonzero(masses != standard):
        symbol = isotope_symbol(chemical_symbols[numbers[index]], float(masses[index]))
        standard[index] = mass_of(symbol)
    return standard


def isotope_masses(structure: "Structure") -> FloatArray | None:
    """Return the masses of the atoms of an ordered structure in u, shape (N,); None where all are standard weights.

    The site property `mass_u` counts, and pymatgen's elements D and T.
    """
    symbols = [next(iter(site_occupancies(site))) for site in structure]
    if all(symbol == element_of(symbol) for symbol in symbols):
        return None
    return np.array([mass_of(symbol) for symbol in symbols])


def with_masses(structure: "Structure", masses_u: FloatArray) -> "Structure":
    """Return an ordered structure with its masses as the site property `mass_u`, D and T as hydrogen.

    Args:
        structure: ordered.
        masses_u: mass of each atom, shape (N,); within tolerance of the standard weight it counts as that, and where
            all do the structure has no such property.

    Raises:
        InputError: a mass is not a positive number, or there are not as many masses as sites.
    """
    numbers = np.array(structure.atomic_numbers)
    masses = masses_of_isotopes(numbers, masses_u)
    return _with_property(structure, None if np.array_equal(masses, standard_masses_u(numbers)) else masses.tolist())


def explicit_isotopes(structure: "Structure") -> "Structure":
    """Return a structure whose isotopes outlive pymatgen's ``as_dict``: deuterium as hydrogen with its `mass_u`.

    The same structure where it has none, or where a site is shared: isotopes remain pymatgen's elements then.
    """
    occupancies = [site_occupancies(site) for site in structure]
    symbols = [next(iter(shares)) for shares in occupancies if len(shares) == 1]
    if len(symbols) < len(structure) or all(symbol == element_of(symbol) for symbol in symbols):
        return structure
    return _with_property(structure, [mass_of(symbol) for symbol in symbols])


def _with_property(structure: "Structure", masses_u: list[float] | None) -> "Structure":
    copied = structure.copy()
    for site in copied:
        ((symbol, share),) = site_occupancies(site).items()
        if symbol in NAMED_MASSES_U:
            site.species = {element_of(symbol): share}
        site.properties.pop(MASS_PROPERTY, None)
    if masses_u is not None:
        copied.add_site_property(MASS_PROPERTY, masses_u)
    return copied
