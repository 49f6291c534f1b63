import numpy as np
import pytest

from vitrion_models.system import AtomicSystem
from vitrion_workflows.validation.density_and_contacts import measure_closest_contact

LITHIUM, OXYGEN, CHLORINE, ZIRCONIUM = 3, 8, 17, 40


def pair(first, second, distance_A):
    """Two atoms in a cell so large that no image is near."""
    return AtomicSystem(np.array([first, second]), np.array([[0.0, 0, 0], [distance_A, 0, 0]]), 30.0 * np.eye(3))


def test_no_contact_is_no_number():
    contact = measure_closest_contact([pair(LITHIUM, CHLORINE, 6.0)], temperature_K=1000)
    assert contact.passed
    assert contact.value is None


# Zr2 as a potential made it in Li6Zr2O7 at 1000 K; the shortest bond of zirconium has 2.42 A (Pyykkö).
@pytest.mark.parametrize(("distance_A", "passed"), [(1.78, False), (2.42, True), (3.2, True)])
def test_metals_in_one_another_are_refused(distance_A, passed):
    assert measure_closest_contact([pair(ZIRCONIUM, ZIRCONIUM, distance_A)], temperature_K=1000).passed is passed


def test_one_frame_of_many_is_enough():
    frames = [pair(ZIRCONIUM, OXYGEN, 2.1), pair(ZIRCONIUM, OXYGEN, 1.2), pair(ZIRCONIUM, OXYGEN, 2.0)]
    contact = measure_closest_contact(frames, temperature_K=1000)
    assert not contact.passed
    assert "O-Zr at 1.20 A" in contact.message


def test_hot_atoms_may_come_nearer():
    collision = pair(ZIRCONIUM, OXYGEN, 0.83 * 1.74)
    assert not measure_closest_contact([collision], temperature_K=300).passed
    assert measure_closest_contact([collision], temperature_K=2500).passed
