"""Comparison metrics on cells with known values."""

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_models.generators import compare
from vitrion_models.generators.environments import (
    Surroundings,
    bond_angles_deg,
    coordination_numbers,
    environment_distance,
    first_shell_A,
    partial_rdf,
)
from vitrion_models.system import AtomicSystem

EDGE_A = 5.14


def rock_salt(repeats=2, thermal_A=0.0, seed=0, strain=1.0):
    basis = np.array([[0, 0, 0], [1, 1, 0], [1, 0, 1], [0, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1]]) / 2
    cells = np.array([[i, j, k] for i in range(repeats) for j in range(repeats) for k in range(repeats)])
    sites = (cells[:, None] + basis).reshape(-1, 3) * EDGE_A * strain
    sites += thermal_A * np.random.default_rng(seed).standard_normal(sites.shape)
    numbers = np.tile([3] * 4 + [17] * 4, len(cells))
    return AtomicSystem(numbers, sites, repeats * EDGE_A * strain * np.eye(3))


def test_rock_salt_has_six_neighbours_at_right_angles():
    cells = [Surroundings.of(rock_salt(thermal_A=0.05))]
    shell = first_shell_A(cells, 3, 17)
    assert EDGE_A / 2 < shell < EDGE_A / 2 * np.sqrt(3)
    assert set(coordination_numbers(cells, 3, 17, shell)) == {6}
    assert set(coordination_numbers(cells, 3, 3, first_shell_A(cells, 3, 3))) == {12}
    angles = bond_angles_deg(cells, 3, 17, shell)
    assert len(angles) == 32 * 15
    assert np.mean(np.abs(angles - 90) < 10) == pytest.approx(12 / 15)
    assert np.mean(angles > 165) == pytest.approx(3 / 15)


def test_rdf_of_an_ideal_gas_is_one():
    rng = np.random.default_rng(1)
    cells = [Surroundings.of(AtomicSystem(np.full(400, 18), rng.random((400, 3)) * 20, 20 * np.eye(3)))]
    radius, g = partial_rdf(cells, 18, 18)
    assert g[radius > 2].mean() == pytest.approx(1.0 - 1 / 400, abs=0.02)
    assert first_shell_A(cells, 18, 18) is None or g.max() < 6


def test_a_copy_is_found_however_it_is_turned_and_shuffled():
    rng = np.random.default_rng(2)
    cell = rock_salt(thermal_A=0.3)
    turn, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    order = rng.permutation(len(cell))
    positions = ((cell.positions_A + np.array([1.0, 2.0, 3.0])) @ turn)[order]
    disguised = AtomicSystem(cell.numbers[order], positions, cell.lattice_A @ turn)
    other = rock_salt(thermal_A=0.3, seed=1)
    assert environment_distance(Surroundings.of(disguised), Surroundings.of(cell)) < 1e-9
    assert environment_distance(Surroundings.of(other), Surroundings.of(cell)) > 0.1
    metrics = compare([other, disguised], [other], training=[cell])
    assert metrics.nearest_training < 1e-9


def test_a_cell_against_itself_differs_in_nothing():
    cell = rock_salt(thermal_A=0.2)
    metrics = compare([cell, cell], [cell])
    assert max(metrics.rdf_wasserstein_A.values()) == pytest.approx(0.0, abs=1e-12)
    assert max(metrics.coordination_distance.values()) == 0.0
    assert max(metrics.angle_wasserstein_deg.values()) == pytest.approx(0.0, abs=1e-12)
    assert metrics.minimum_distance_ratio == 1.0
    assert metrics.diversity == 0.0  # all samples alike: the collapse that this number is there for
    assert metrics.reference_diversity is None
    assert metrics.nearest_training is None


def test_compression_shows_as_shorter_distances():
    metrics = compare([rock_salt(strain=0.9)], [rock_salt()])
    assert metrics.minimum_distance_ratio == pytest.approx(0.9)
    assert metrics.rdf_wasserstein_A["Li-Cl"] > 0.1


def test_every_metric_distinguishes_a_gas_from_a_crystal():
    reference = rock_salt(thermal_A=0.1)
    rng = np.random.default_rng(3)
    gas = AtomicSystem(reference.numbers, rng.random((64, 3)) * 2 * EDGE_A, reference.lattice_A)
    metrics, twin = compare([gas], [reference]), compare([rock_salt(thermal_A=0.1, seed=4)], [reference])
    assert metrics.coordination_distance["Li-Cl"] > 0.5 > twin.coordination_distance["Li-Cl"]
    assert metrics.angle_wasserstein_deg["Li-Cl"] > 5 * twin.angle_wasserstein_deg["Li-Cl"]
    assert metrics.rdf_wasserstein_A["Li-Cl"] > 5 * twin.rdf_wasserstein_A["Li-Cl"]
    assert metrics.minimum_distance_ratio < 0.6 < twin.minimum_distance_ratio


def test_nothing_to_compare_is_refused():
    with pytest.raises(InputError, match="at least one"):
        compare([], [rock_salt()])
