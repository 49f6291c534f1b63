from dataclasses import replace

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem

WATER = np.array([8, 1, 1]), np.array([[0.0, 0, 0], [0.96, 0, 0], [-0.24, 0.93, 0]])
SLAB = (True, True, False)


def test_cells_are_periodic_unless_stated_otherwise():
    cell = AtomicSystem(np.array([3]), np.array([[7.0, -1, 2]]), np.diag([2.0, 4.0, 5.0]))
    assert cell.pbc == (True, True, True)
    assert cell.volume_A3 == pytest.approx(40.0)
    assert cell.fractional == pytest.approx(np.array([[0.5, 0.75, 0.4]]))


def test_a_molecule_and_a_slab_have_no_volume():
    slab = AtomicSystem(*WATER, np.diag([4.0, 4.0, 0.0]), pbc=SLAB)
    for system in (AtomicSystem.molecule(*WATER), slab):
        for quantity in ("volume_A3", "fractional", "heights_A"):
            with pytest.raises(InputError, match="periodic"):
                getattr(system, quantity)


@pytest.mark.parametrize(
    ("lattice", "pbc"),
    [(np.zeros((3, 3)), (True, True, True)), (np.diag([4.0, 0.0, 9.0]), SLAB), (np.ones((3, 3)), SLAB)],
)
def test_periodic_vectors_must_be_independent(lattice, pbc):
    with pytest.raises(InputError, match="volume"):
        AtomicSystem(*WATER, lattice, pbc=pbc)


def test_masses_are_standard_weights_unless_given():
    usual, heavy = (AtomicSystem.molecule(*WATER), AtomicSystem(*WATER, np.eye(3) * 9, masses_u=[15.999, 2.014, 2.014]))
    assert usual.masses_u == pytest.approx([15.999, 1.008, 1.008])
    assert (usual.has_isotopes, heavy.has_isotopes) == (False, True)
    moved = replace(heavy, positions_A=heavy.positions_A + 1.0)
    assert moved.masses_u == pytest.approx(heavy.masses_u)


@pytest.mark.parametrize("masses", [[1.0, 2.0], [1.0, 2.0, 0.0], [1.0, 2.0, np.nan], [[1.0, 2.0, 3.0]]])
def test_masses_must_be_positive_and_one_for_each_atom(masses):
    with pytest.raises(InputError, match="masses"):
        AtomicSystem(*WATER, np.eye(3) * 9, masses_u=masses)
