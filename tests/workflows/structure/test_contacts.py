import numpy as np
import pytest
from ase.build import bulk, molecule

from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas.geometry import system_from_atoms
from vitrion_workflows.structure.contacts import closest_contact, least_ratio

MELT_K = 2500.0


def pair(numbers, distance_A):
    """Two atoms in a cell so large that no image is near."""
    return AtomicSystem(np.array(numbers), np.array([[0.0, 0, 0], [distance_A, 0, 0]]), 30.0 * np.eye(3))


# Bond lengths of molecules in the gas phase (CRC Handbook), the shortest that these elements have; quadruple bonds of
# molybdenum (2.09 A) and rhenium (2.22 A) in their acetates and chlorides (Cotton et al., Multiple Bonds between Metal
# Atoms).
@pytest.mark.parametrize(
    ("numbers", "bond_A"),
    [
        ((1, 1), 0.741),
        ((6, 6), 1.203),
        ((7, 7), 1.098),
        ((8, 8), 1.208),
        ((9, 9), 1.412),
        ((15, 15), 1.893),
        ((16, 16), 1.889),
        ((17, 17), 1.988),
        ((34, 34), 2.166),
        ((35, 35), 2.281),
        ((53, 53), 2.666),
        ((6, 8), 1.128),
        ((1, 8), 0.970),
        ((3, 9), 1.564),
        ((11, 17), 2.361),
        ((55, 9), 2.345),
        ((8, 23), 1.589),
        ((42, 42), 2.09),
        ((75, 75), 2.22),
    ],
)
def test_real_bonds_are_no_overlaps(numbers, bond_A):
    assert closest_contact(pair(numbers, bond_A)).ratio >= least_ratio()


# Zirconium in Li6Zr2O7 under a potential that had not met it; others at three quarters of a bond that exists.
@pytest.mark.parametrize(
    ("numbers", "distance_A"),
    [((40, 40), 1.78), ((3, 3), 1.15), ((15, 15), 1.45), ((8, 8), 0.82), ((3, 8), 1.0), ((42, 42), 1.68)],
)
def test_atoms_in_one_another_are_too_near_in_any_melt(numbers, distance_A):
    assert closest_contact(pair(numbers, distance_A)).ratio < least_ratio(MELT_K)


def test_contact_is_that_of_the_nearest_ions_of_a_salt():
    contact = closest_contact(system_from_atoms(bulk("LiCl", "rocksalt", a=5.13)))
    assert contact.elements == ("Cl", "Li")
    assert contact.distance_A == pytest.approx(5.13 / 2)
    # Shannon's six-fold Li+ 0.76 A, triply bonded chlorine 0.93 A.
    assert contact.ratio == pytest.approx(5.13 / 2 / (0.76 + 0.93))


def test_contact_names_its_atoms():
    water = molecule("H2O", cell=[9, 9, 9], pbc=True)
    water.positions[2] = water.positions[0] + [0.0, 0.0, 0.5]
    assert sorted(closest_contact(system_from_atoms(water)).atoms) == [0, 2]


def test_lone_atoms_have_no_contact():
    assert closest_contact(pair((3, 17), 6.0)) is None
