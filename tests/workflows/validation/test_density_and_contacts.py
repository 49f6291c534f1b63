import numpy as np
import pytest
from ase.data import covalent_radii

from vitrion_models.system import AtomicSystem
from vitrion_workflows.validation.density_and_contacts import closest_pair, measure_closest_contact

LI, CL = 3, 17


def pair(distance_A):
    """Li and Cl in a cell so large that no image is near."""
    return AtomicSystem(np.array([LI, CL]), np.array([[0.0, 0, 0], [distance_A, 0, 0]]), 30.0 * np.eye(3))


# The sum of the radii is 2.30 A; ions touch beyond twice the larger radius (2.56 A), as in rock salt (2.57 A).
@pytest.mark.parametrize("distance_A", [0.9, 2.3, 2.565, 3.0])
def test_closest_pair_is_measured_where_ions_touch(distance_A):
    ratio, distance, name = closest_pair(pair(distance_A))
    assert (distance, name) == (pytest.approx(distance_A), "Cl-Li")
    assert ratio == pytest.approx(distance_A / (covalent_radii[LI] + covalent_radii[CL]))


def test_no_contact_is_no_number():
    contact = measure_closest_contact(pair(6.0))
    assert contact.passed
    assert contact.value is None


def test_overlap_is_refused():
    assert not measure_closest_contact(pair(0.9)).passed
