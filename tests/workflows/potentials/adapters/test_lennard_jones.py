import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from md_runs import plan
from model_force_fields import assert_same_forces, calculated, rock_salt, scattered

from vitrion_models.system import AtomicSystem
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.potentials.adapters.lennard_jones import (
    LARGEST_FOR_MATRIX,
    LENNARD_JONES_SHA256,
    LennardJonesForceField,
    half_pairs,
)


@pytest.fixture(scope="module")
def force_field():
    return potentials.load("lennard-jones")


def test_identity_is_that_of_the_parameters(force_field):
    assert force_field.weights_sha256 == LENNARD_JONES_SHA256
    entry, _ = potentials.find("lennard-jones")
    assert entry.weights_sha256 == LENNARD_JONES_SHA256
    assert force_field.elements == entry.elements


def test_a_pair_has_the_published_curve(force_field):
    # 4 eps ((sigma/r)^12 - (sigma/r)^6): minimum -eps at the sum of crystal radii, 0.90 + 1.67 A for Li+ and Cl-.
    def energy(distance):
        return force_field.evaluate(AtomicSystem([3, 17], [[0, 0, 0], [distance, 0, 0]], np.eye(3) * 30)).energy_eV

    assert energy(2.57) == pytest.approx(-0.15)
    assert energy(2.57 / 2 ** (1 / 6)) == pytest.approx(0, abs=1e-12)
    assert energy(2.4) == pytest.approx(0.6 * ((2.57 / 2.4) ** 12 / 4 - (2.57 / 2.4) ** 6 / 2))
    assert energy(3.9) == pytest.approx(0.6 * ((2.57 / 3.9) ** 12 / 4 - (2.57 / 3.9) ** 6 / 2))
    assert energy(4.999) == pytest.approx(0, abs=1e-9)
    assert energy(5.0) == 0


def test_energy_and_forces_are_ases_inside_the_switch():
    # ASE's own LennardJones on argon with the same sigma, epsilon and a cutoff below the switch.
    from ase.calculators.lj import LennardJones

    field = LennardJonesForceField()
    sigma = field._sigma6[18, 18] ** (1 / 6)
    system = AtomicSystem([18] * 4, [[0, 0, 0], [2.2, 0, 0], [0, 2.3, 0], [1, 1, 2]], np.eye(3) * 30)
    expected = calculated(system, LennardJones(sigma=sigma, epsilon=0.15, rc=14.0, ro=13.9, smooth=True))
    ours = field.evaluate(system, stress=True)
    assert_same_forces(ours, expected, energy_eV=1e-12, force_eV_per_A=1e-12, stress_eV_per_A3=1e-15)


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 12), st.integers(0, 10**6), st.floats(2.5, 9.0), st.floats(2.0, 5.5))
def test_pairs_are_those_of_ases_neighbour_list(count, seed, edge_A, cutoff_A):
    from ase.neighborlist import primitive_neighbor_list

    generator = np.random.default_rng(seed)
    lattice = np.eye(3) * edge_A + generator.uniform(-0.2, 0.2, (3, 3)) * edge_A
    inside = generator.uniform(0, 1, (count, 3)) @ lattice
    first, second, vectors = half_pairs(inside, lattice, cutoff_A)
    distances = primitive_neighbor_list("d", (True,) * 3, lattice, inside, cutoff_A)
    np.testing.assert_allclose(np.sort(np.linalg.norm(vectors, axis=1)), np.sort(distances)[::2], atol=1e-9)
    shifts = (vectors - inside[second] + inside[first]) @ np.linalg.inv(lattice)
    np.testing.assert_allclose(shifts, np.round(shifts), atol=1e-9)


def test_large_cells_take_the_cell_list_and_agree(force_field):
    small = rock_salt(repeats=2, noise_A=0.1)
    tiles = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)], dtype=float)
    positions = (small.positions_A + (tiles @ small.lattice_A)[:, None]).reshape(-1, 3)
    large = AtomicSystem(np.tile(small.numbers, 8), positions, small.lattice_A * 2)
    assert len(small) <= LARGEST_FOR_MATRIX < len(large)
    one, eight = force_field.evaluate(small, stress=True), force_field.evaluate(large, stress=True)
    assert eight.energy_eV == pytest.approx(8 * one.energy_eV)
    np.testing.assert_allclose(eight.forces_eV_per_A, np.tile(one.forces_eV_per_A, (8, 1)), atol=1e-10)
    np.testing.assert_allclose(eight.stress_eV_per_A3, one.stress_eV_per_A3, atol=1e-12)


def test_nothing_is_remembered_between_calls(force_field):
    system, other = rock_salt(noise_A=0.1), scattered([8, 11, 14] * 9)
    first = force_field.evaluate(system)
    force_field.evaluate(other)
    again = force_field.evaluate(system)
    np.testing.assert_array_equal(first.forces_eV_per_A, again.forces_eV_per_A)
    assert first.energy_eV == again.energy_eV


def test_it_makes_a_dense_liquid_that_diffuses(force_field):
    # LiCl at its melt's volume (Janz: 1.50 g/cm3 at 883 K is 23.5 A^3 an atom), 64 atoms: stays a liquid, no pair
    # closer than 0.75 of the covalent radii, lithium moves as in a melt (1e-5 to 1e-3 cm2/s).
    from ase.data import covalent_radii

    system = rock_salt(edge_A=(23.5 * 8) ** (1 / 3), repeats=2, noise_A=0.1)
    melt = plan(steps=4000, temperature_K=1500.0, friction_per_ps=1.0, frame_every=20, seed=1)
    run = dynamics.run_md(system, force_field, melt).trajectory
    lithium = run.positions_A[100:, run.numbers == 3]
    msd_A2 = ((lithium[50:] - lithium[:-50]) ** 2).sum(axis=-1).mean()
    assert 1e-5 < msd_A2 / 6 / (50 * run.frame_interval_ps) * 1e-4 < 1e-3
    radii = covalent_radii[run.numbers]
    first, second, vectors = half_pairs(
        np.mod(run.positions_A[-1] @ np.linalg.inv(run.lattice_A), 1) @ run.lattice_A, run.lattice_A, 5.0
    )
    assert (np.linalg.norm(vectors, axis=1) / (radii[first] + radii[second])).min() > 0.75
