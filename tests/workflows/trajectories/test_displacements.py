"""Unwrapping and drift."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_line import error_in_one_line

from vitrion_models.errors import InputError
from vitrion_workflows.trajectories.displacements import (
    WRAPPED_STEP,
    centre_of_mass,
    largest_fractional_step,
    remove_drift,
    unwrap,
)

LATTICE = np.array([[8.0, 0.0, 0.0], [1.5, 7.0, 0.0], [-1.0, 2.0, 9.0]])


@given(seed=st.integers(0, 2**32 - 1), step=st.floats(0.001, 0.4))
@settings(max_examples=40, deadline=None)
def test_unwrapping_undoes_wrapping_in_any_cell(seed, step):
    rng = np.random.default_rng(seed)
    fractional = rng.random((1, 5, 3)) + np.cumsum(rng.uniform(-step, step, size=(30, 5, 3)), axis=0)
    recovered = unwrap(fractional % 1.0, LATTICE)
    expected = fractional @ LATTICE
    np.testing.assert_allclose(recovered - recovered[0], expected - expected[0], atol=1e-9)


def test_already_unwrapped_stays_as_it_is():
    path = np.cumsum(np.full((50, 2, 3), 0.1), axis=0)
    np.testing.assert_allclose(unwrap(path, LATTICE), path @ LATTICE, atol=1e-9)


def test_step_of_half_a_cell_is_refused_in_one_line():
    fractional = np.zeros((3, 2, 3))
    fractional[1:, 1, 0] = 0.47
    with error_in_one_line(InputError, r"atom 1 .*0\.47 .*frames 0 and 1"):
        unwrap(fractional, LATTICE)


def test_breathing_cell_is_no_motion():
    fractional = np.tile(np.random.default_rng(0).random((1, 4, 3)), (20, 1, 1))
    lattices = LATTICE * (1 + 0.02 * np.sin(np.arange(20)))[:, None, None]
    positions = unwrap(fractional, lattices)
    np.testing.assert_allclose(positions, np.broadcast_to(positions[0], positions.shape), atol=1e-12)


def test_drift_is_the_mass_weighted_one():
    rng = np.random.default_rng(1)
    masses = np.array([7.0, 35.0, 16.0])
    positions = rng.normal(size=(10, 3, 3)) + np.linspace(0, 5, 10)[:, None, None]
    displacements = remove_drift(positions, masses)
    assert np.abs(centre_of_mass(displacements, masses)).max() < 1e-12
    assert np.abs(displacements[0]).max() == 0


def test_framework_can_be_the_reference():
    positions = np.zeros((5, 3, 3))
    positions[:, 1:] = np.arange(5.0)[:, None, None]
    displacements = remove_drift(positions, np.ones(3), atoms=np.array([False, True, True]))
    np.testing.assert_allclose(displacements[:, 1:], 0, atol=1e-12)
    np.testing.assert_allclose(displacements[-1, 0], -4.0)


@pytest.mark.parametrize("rows", [[[1, 0, 0], [3, 1, 0], [0, 0, 1]], [[1, 2, 3], [0, 1, 2], [0, 0, 1]]], ids=str)
def test_a_lattice_gas_moves_alike_in_every_cell_of_its_lattice(rows):
    """Hops of a quarter of a cubic cell are three quarters of a tilted one of that lattice, and were undone there."""
    rng = np.random.default_rng(0)
    cubic = 12.0 * np.eye(3)
    hops = np.where(rng.random((100, 8, 3)) < 0.1, rng.choice([-0.25, 0.25], size=(100, 8, 3)), 0.0)
    path = (rng.random((1, 8, 3)) + np.cumsum(hops, axis=0)) @ cubic
    tilted = np.array(rows) @ cubic
    positions = unwrap(np.mod(path @ np.linalg.inv(tilted), 1.0), tilted)
    np.testing.assert_allclose(positions - positions[0], path - path[0], atol=1e-9)


def test_longest_step_does_not_depend_on_the_cell_given():
    path = np.zeros((3, 2, 3))
    path[1:, 0, 1] = 4.0
    tilted = np.array([[10.0, 0, 0], [30.0, 10, 0], [0, 0, 10]])
    assert largest_fractional_step(path, 10 * np.eye(3)) == pytest.approx(0.4)
    assert largest_fractional_step(path, tilted) == pytest.approx(0.4)


def test_whole_paths_of_coarse_frames_are_no_wrapped_ones():
    """Steps of up to a third of a cell and now and then of two thirds, whole and put back into the cell."""
    rng = np.random.default_rng(3)
    steps = np.clip(rng.normal(scale=0.18, size=(400, 16, 3)), -0.7, 0.7)
    whole = np.cumsum(steps, axis=0)
    assert 0.6 < largest_fractional_step(whole @ LATTICE, LATTICE) < 0.8
    assert largest_fractional_step(whole @ LATTICE, LATTICE) < WRAPPED_STEP
    assert largest_fractional_step((whole % 1.0) @ LATTICE, LATTICE) > WRAPPED_STEP
