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
