"""Noise levels and the wrapped Gaussian against closed forms."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from vitrion_models.errors import InputError
from vitrion_models.generators.amorphous_diffusion.schedule import NoiseSchedule, shortest_reciprocal_per_A
from vitrion_models.generators.amorphous_diffusion.wrapped_normal import nearest_image, scaled_score

CUBE = 10.0 * np.eye(3)
SKEW = np.array([[9.0, 0.0, 0.0], [3.5, 10.0, 0.0], [-2.0, 4.0, 11.0]])
# The same lattice by other vectors: a unimodular change of basis.
BASIS_CHANGE = np.array([[1, 1, 0], [0, 1, 0], [0, -1, 1]])


def schedule(lattice):
    return NoiseSchedule.for_lattice(lattice, sigma_min_A=0.05, end_residual=0.01)


def brute_log_density(point, sigma, lattice, reach=6):
    images = np.array(list(itertools.product(range(-reach, reach + 1), repeat=3))) @ lattice
    return np.log(np.sum(np.exp(-0.5 * np.sum((point + images) ** 2, axis=1) / sigma**2)))


@pytest.mark.parametrize("lattice", [CUBE, SKEW], ids=["cube", "skew"])
def test_levels_fall_from_the_uniform_end_to_sigma_min(lattice):
    levels = schedule(lattice).levels_A(50)
    assert np.all(np.diff(levels) < 0)
    assert levels[-1] == pytest.approx(0.05)
    assert levels[0] == pytest.approx(schedule(lattice).sigma_max_A)


def test_slowest_density_wave_has_decayed_to_the_stated_residual():
    sigma = schedule(CUBE).sigma_max_A
    assert np.exp(-2 * np.pi**2 * sigma**2 / 10.0**2) == pytest.approx(0.01)


def test_most_effort_lies_where_structure_is_decided():
    levels = schedule(CUBE).levels_A(200)
    assert np.mean((levels > 0.15) & (levels < 1.5)) > 0.7


@pytest.mark.parametrize("lattice", [CUBE, SKEW], ids=["cube", "skew"])
def test_the_end_is_uniform_and_an_earlier_level_is_not(lattice):
    # False-alarm rate 1e-3 for each of three axes (Bonferroni 3e-3); seeded.
    rng = np.random.default_rng(7)
    inverse = np.linalg.inv(lattice)
    end = np.mod(schedule(lattice).sigma_max_A * rng.standard_normal((3000, 3)) @ inverse, 1.0)
    early = np.mod(0.3 * schedule(lattice).sigma_max_A * rng.standard_normal((3000, 3)) @ inverse, 1.0)
    assert all(kstest(axis, "uniform").pvalue > 1e-3 for axis in end.T)
    assert any(kstest(axis, "uniform").pvalue < 1e-9 for axis in early.T)


def test_the_choice_of_lattice_vectors_changes_nothing():
    other = BASIS_CHANGE @ SKEW
    assert shortest_reciprocal_per_A(other) == pytest.approx(shortest_reciprocal_per_A(SKEW), rel=1e-12)
    displacements = np.random.default_rng(1).normal(size=(20, 3)) * 3.0
    for sigma in (0.1, 1.0, 4.0):
        np.testing.assert_allclose(
            scaled_score(displacements, sigma_A=sigma, lattice_A=other),
            scaled_score(displacements, sigma_A=sigma, lattice_A=SKEW),
            atol=1e-8,
        )


@settings(max_examples=30, deadline=None)
@given(sigma=st.floats(0.3, 4.0), point=st.tuples(*[st.floats(-15, 15)] * 3))
def test_score_is_the_gradient_of_the_wrapped_density(sigma, point):
    point, step = np.array(point), 1e-4
    numeric = [
        (brute_log_density(point + step * axis, sigma, SKEW) - brute_log_density(point - step * axis, sigma, SKEW))
        / (2 * step)
        for axis in np.eye(3)
    ]
    np.testing.assert_allclose(
        scaled_score(point[None], sigma_A=sigma, lattice_A=SKEW)[0], sigma * np.array(numeric), atol=2e-4
    )


def test_small_noise_is_the_plain_gaussian():
    noise = np.random.default_rng(2).standard_normal((100, 3))
    np.testing.assert_allclose(scaled_score(0.05 * noise, sigma_A=0.05, lattice_A=CUBE), -noise, atol=1e-10)


def test_score_vanishes_as_noise_fills_the_cell():
    noise = np.random.default_rng(3).standard_normal((100, 3))
    assert np.abs(scaled_score(20.0 * noise, sigma_A=20.0, lattice_A=CUBE)).max() < 1e-9


def test_score_knows_no_image():
    displacements = np.random.default_rng(4).normal(size=(10, 3))
    moved = displacements + np.array([3, -2, 1]) @ SKEW
    np.testing.assert_allclose(
        scaled_score(moved, sigma_A=0.7, lattice_A=SKEW), scaled_score(displacements, sigma_A=0.7, lattice_A=SKEW)
    )
    assert np.abs(nearest_image(moved, CUBE)).max() <= 5.0 + 1e-12


def test_a_cell_too_small_for_any_noise_is_refused():
    with pytest.raises(InputError, match="noise range"):
        schedule(0.05 * np.eye(3))
