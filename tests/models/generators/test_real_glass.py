"""Comparison and hard cores on real silica glasses (data README: a_sio2; LAMMPS type 1 is oxygen, 2 silicon)."""

import numpy as np
import pytest
from ase.io import read

from vitrion_models.generators import compare
from vitrion_models.generators.amorphous_diffusion.guidance import CoreGuidance, HardCores
from vitrion_models.generators.environments import (
    Surroundings,
    bond_angles_deg,
    coordination_numbers,
    first_shell_A,
)
from vitrion_models.system import AtomicSystem

pytestmark = pytest.mark.data


def glass(mirror, name):
    atoms = read(mirror / "structures" / "a_sio2" / name, format="lammps-data", atom_style="charge")
    return AtomicSystem(np.where(atoms.arrays["type"] == 1, 8, 14), atoms.positions, atoms.cell.array)


@pytest.fixture(scope="module")
def slow(data_mirror):
    return glass(data_mirror, "sio2_3000_glass_0_1k_sample0.dat")


@pytest.fixture(scope="module")
def fast(data_mirror):
    return glass(data_mirror, "sio2_3000_glass_100k_sample0.dat")


def test_silica_is_a_network_of_tetrahedra(slow):
    cells = [Surroundings.of(slow)]
    shell = first_shell_A(cells, 14, 8)
    assert 1.7 < shell < 2.6  # the Si-O bond is 1.62 A, the next oxygens lie near 4 A
    assert np.mean(coordination_numbers(cells, 14, 8, 2.2) == 4) > 0.95
    # Tetrahedra: neutron diffraction gives a mean of 109.5 degrees (Mozzi and Warren 1969).
    assert bond_angles_deg(cells, 14, 8, 2.2).mean() == pytest.approx(109.4, abs=0.5)


def test_two_glasses_are_alike_and_random_coordinates_are_not(slow, fast):
    rng = np.random.default_rng(1)
    gas = AtomicSystem(slow.numbers, rng.random((len(slow), 3)) @ slow.lattice_A, slow.lattice_A)
    glassy, random = compare([fast], [slow], training=[slow]), compare([gas], [slow], training=[slow])
    assert max(glassy.rdf_wasserstein_A.values()) < 0.05
    assert glassy.coordination_distance["Si-O"] < 0.05
    assert random.coordination_distance["Si-O"] > 0.6
    assert glassy.minimum_distance_ratio > 0.9 > random.minimum_distance_ratio
    assert 0.01 < glassy.nearest_training < 0.3 * random.nearest_training


def test_cores_of_one_glass_hardly_touch_another(slow, fast):
    push = CoreGuidance(HardCores.learn([slow]), 1.0)(fast, 0.1)
    assert np.linalg.norm(push, axis=1).max() < 0.1
    assert np.mean(np.abs(push).max(axis=1) > 0) < 0.05
