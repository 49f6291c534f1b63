"""Distances and densities that matter has: what is refused before anything is stored, and what is not."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from ase.build import molecule
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.checks import check_structure
from vitrion_workflows.formats.structures import read_structures

CASES = Path(__file__).parent / "cases"


def pair(first, second, distance, *, a=8.0):
    return Structure(Lattice.cubic(a), [first, second], [[1, 1, 1], [1 + distance, 1, 1]], coords_are_cartesian=True)


@pytest.mark.parametrize("name", ["tiny.cif", "box1e5.cif"])
def test_cells_that_no_matter_has(name):
    with pytest.raises(InputError, match=r"density|lattice vector"):
        read_structures(CASES / name)


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("Li", "Cl", 0.81), ("Li", "Cl", 0.1), ("O", "O", 0.5), ("C", "C", 0.6), ("H", "H", 0.3), ("Cs", "Cs", 2.0)],
)
def test_atoms_in_one_another_are_refused(first, second, distance):
    with pytest.raises(InputError, match="atoms 1 and 2"):
        check_structure(pair(first, second, distance), place="x")


@pytest.mark.parametrize(
    ("first", "second", "distance"),
    [("H", "H", 0.74), ("O", "H", 0.95), ("F", "H", 0.92), ("N", "N", 1.098), ("C", "O", 1.128), ("Be", "H", 1.34)],
)
def test_the_shortest_bonds_of_molecules_are_accepted(first, second, distance):
    check_structure(pair(first, second, distance), place="x")


@pytest.mark.parametrize("name", ["H2O", "CH4", "C2H2", "N2", "CO", "LiF", "P2", "HCN", "CO2"])
def test_molecules_of_ase_in_a_box_are_accepted(name):
    atoms = molecule(name, vacuum=6.0)
    check_structure(
        Structure(atoms.cell.array, atoms.get_chemical_symbols(), atoms.positions, coords_are_cartesian=True), place="x"
    )


def test_an_atom_too_near_its_own_image_is_refused():
    with pytest.raises(InputError, match="atoms 1 and 1"):
        check_structure(Structure(Lattice.orthorhombic(0.8, 9, 9), ["Cl"], [[0, 0, 0]]), place="x")


@pytest.mark.parametrize(("occupancy", "accepted"), [(0.5, True), (0.54, True), (0.7, False), (1.0, False)])
def test_partially_occupied_sites_may_exclude_each_other(occupancy, accepted):
    split = pair({"Li": occupancy}, {"Li": occupancy}, 0.42)
    if accepted:
        check_structure(split, place="x")
    else:
        with pytest.raises(InputError, match="apart"):
            check_structure(split, place="x")


@pytest.mark.parametrize(
    "lattice",
    [
        np.diag([1e300, 5, 5]),
        np.diag([1e5, 1e5, 1e5]),
        np.diag([9e3, 9e3, 9e3]),
        np.diag([5, 5, 0]),
        np.diag([5, 5, 1e-6]),
        [[5, 0, 0], [5, 1e-7, 0], [0, 0, 5]],
        np.diag([np.inf, 5, 5]),
        np.diag([0.3, 0.3, 0.3]),
    ],
)
def test_impossible_cells_are_refused_at_once(lattice):
    with pytest.raises(InputError, match=r"lattice|density"):
        check_structure(Structure(np.array(lattice), ["Li"], [[0, 0, 0]]), place="x")


def test_a_molecule_in_a_large_box_is_a_cell():
    check_structure(pair("H", "H", 0.74, a=60.0), place="x")


@pytest.mark.data
def test_no_real_crystal_is_refused(data_mirror):
    with gzip.open(data_mirror / "crystals/mp_40/dev.json.gz") as file:
        records = json.load(file)
    for record in records[::4]:
        cell = record.get("structure", record)
        check_structure(Structure(cell["lattice"], cell["species"], cell["frac"]), place=record["formula"])
