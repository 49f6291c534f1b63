"""Between the array form of the models, pymatgen's structures and ASE's atoms."""

import numpy as np
from ase import Atoms
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem


def system_from_structure(structure: Structure) -> AtomicSystem:
    """Arrays of an ordered pymatgen structure.

    Raises:
        InputError: a site is partially occupied.
    """
    if not structure.is_ordered:
        raise InputError(f"{structure.composition.reduced_formula} has partially occupied sites: order it first")
    return AtomicSystem(
        numbers=np.array(structure.atomic_numbers),
        positions_A=structure.cart_coords,
        lattice_A=structure.lattice.matrix,
    )


def structure_from_system(system: AtomicSystem) -> Structure:
    """Pymatgen structure of a cell, atoms wrapped into it, order kept."""
    return Structure(Lattice(system.lattice_A), system.numbers.tolist(), system.fractional)


def atoms_from_system(system: AtomicSystem) -> Atoms:
    """ASE atoms of a cell, periodic along all three vectors."""
    return Atoms(numbers=system.numbers, positions=system.positions_A, cell=system.lattice_A, pbc=True)


def system_from_atoms(atoms: Atoms) -> AtomicSystem:
    """Arrays of ASE atoms.

    Raises:
        InputError: the cell is absent or not periodic along all three vectors.
    """
    if not all(atoms.pbc) or atoms.cell.rank != len(atoms.cell):
        raise InputError(f"{atoms.get_chemical_formula()} has no cell that is periodic along three vectors")
    return AtomicSystem(numbers=atoms.numbers, positions_A=atoms.positions, lattice_A=atoms.cell.array)
