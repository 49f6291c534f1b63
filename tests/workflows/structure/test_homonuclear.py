import numpy as np
import pytest
from ase.build import bulk, molecule
from pymatgen.core import Lattice, Structure

from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas.geometry import system_from_atoms
from vitrion_workflows.structure.composition import parse_formula
from vitrion_workflows.structure.homonuclear import accounted_bonds, count_homonuclear_bonds, summarize_bonds


@pytest.mark.parametrize("name", ["N2", "O2", "F2", "Cl2", "P2", "H2", "H2O2", "N2H4", "C2H2", "C2H6", "Si2H6"])
def test_molecules_have_the_bond_of_their_name(name):
    # H2O2 has an O-O and no H-H bond, C2H6 a C-C bond: one homonuclear bond each.
    counts = count_homonuclear_bonds(system_from_atoms(molecule(name, cell=[12, 12, 12], pbc=True)))
    assert sum(counts.values()) == 1


@pytest.mark.parametrize("name", ["H2O", "CH4", "CO2", "SO2", "PH3", "SiH4", "NF3", "SiCl4", "CF4", "LiF"])
def test_molecules_without_such_a_bond_have_none(name):
    assert count_homonuclear_bonds(system_from_atoms(molecule(name, cell=[12, 12, 12], pbc=True))) == {}


def test_diamond_has_two_bonds_an_atom():
    assert count_homonuclear_bonds(system_from_atoms(bulk("C", "diamond", a=3.567, cubic=True))) == {"C": 16}


def test_metals_are_counted_in_salts_and_not_in_alloys():
    def with_pair(third):
        cell = 12.0 * np.eye(3)
        return AtomicSystem(np.array([40, 40, third]), np.array([[0.0, 0, 0], [1.8, 0, 0], [6, 6, 6]]), cell)

    assert count_homonuclear_bonds(with_pair(8)) == {"Zr": 1}
    assert count_homonuclear_bonds(with_pair(3)) == {}


# Structures: Wells, Structural Inorganic Chemistry. Peroxide, disulphide, azide (N=N=N: four bonds in two places),
# acetylide, oxalate, hypodiphosphate analogue P2S6, the cage P7.
@pytest.mark.parametrize(
    ("formula", "element", "bonds"),
    [
        ("Li2O2", "O", 1),
        ("Li2S2", "S", 1),
        ("Na2S4", "S", 3),
        ("LiN3", "N", 4),
        ("CaC2", "C", 3),
        ("Li2C2O4", "C", 1),
        ("Li4P2S6", "P", 1),
        ("Li3P7", "P", 9),
        ("TiS3", "S", 1),
    ],
)
def test_charges_account_for_bonds_of_textbook_compounds(formula, element, bonds):
    assert accounted_bonds(parse_formula(formula))[element] == bonds


@pytest.mark.parametrize(
    "formula",
    ["Li3N", "Li3P", "Li6Zr2O7", "Li2SiO3", "Li3PS4", "Li7P3S11", "LiFePO4", "Fe3O4", "LiCoO2", "Li2B4O7", "LiIO3"],
)
def test_compounds_of_balanced_charges_have_no_such_bonds(formula):
    assert accounted_bonds(parse_formula(formula)) == {}


def test_bonds_grow_with_the_cell():
    assert accounted_bonds(parse_formula("Li4P2S6") * 7)["P"] == 7


@pytest.mark.parametrize("formula", ["LiAl", "Na", "Li2Pd"])
def test_alloys_have_no_charges_to_tell(formula):
    assert accounted_bonds(parse_formula(formula)) is None


def phosphide(distance_A):
    """Six lithium and two phosphorus atoms, the latter a distance apart: two formula units of Li3P."""
    lithium = [[3.0 * x, 6.0, 3.0 * z] for x in range(3) for z in range(2)]
    positions = np.array([*lithium, [0.0, 0, 0], [distance_A, 0, 0]])
    return AtomicSystem(np.array([3] * 6 + [15] * 2), positions, 12.0 * np.eye(3))


def test_a_run_is_recorded_by_mean_and_persistence():
    (bonds,) = summarize_bonds([phosphide(2.2), phosphide(2.3), phosphide(2.1), phosphide(3.4)])
    assert (bonds.element, bonds.number, bonds.expected, bonds.expected_by) == ("P", 0.75, 0, "charges")
    assert bonds.persistence == 0.75
    assert bonds.unexpected == 0.75


def test_the_crystal_decides_where_there_is_one():
    # A made-up crystal of the same composition, with one P-P bond of 2.2 A in its eight atoms.
    twin = Structure(
        Lattice.orthorhombic(6, 6, 12),
        ["Li"] * 6 + ["P"] * 2,
        [*([x, y, 0.3] for x in (0.2, 0.5, 0.8) for y in (0.2, 0.7)), [0.5, 0.5, 0.0], [0.5 + 2.2 / 6, 0.5, 0.0]],
    )
    (bonds,) = summarize_bonds([phosphide(2.2)], twin=twin)
    assert (bonds.expected, bonds.expected_by, bonds.unexpected) == (1, "crystal twin", 0)


def test_nothing_is_expected_of_alloys():
    pair = AtomicSystem(np.array([14, 14]), np.array([[0.0, 0, 0], [2.3, 0, 0]]), 12.0 * np.eye(3))
    (bonds,) = summarize_bonds([pair])
    assert (bonds.number, bonds.expected, bonds.persistence, bonds.unexpected) == (1, None, None, 0)
