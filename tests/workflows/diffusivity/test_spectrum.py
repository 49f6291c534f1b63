"""Spectrum of the motion: modes against closed forms, plateau against power law."""

import numpy as np
import pytest
import walks
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrion_workflows.diffusivity.gates import LARGEST_ANOMALY
from vitrion_workflows.diffusivity.regression import fit_lags, msd_covariance, walk_covariance
from vitrion_workflows.diffusivity.spectral_fit import velocity_modes
from vitrion_workflows.diffusivity.spectrum import long_time_motion
from vitrion_workflows.diffusivity.variance import NO_CORRELATION, jump_variance_A4


def test_modes_of_a_free_walk_are_flat_and_independent():
    """Every mode has 2 D dt; 960 squares each, so that 5 sigma is 23 %."""
    path = walks.brownian(np.random.default_rng(1), frames=201, ions=320, D=0.5, interval=0.1)
    omega, squares = velocity_modes(path, 0.1)
    assert np.all(np.diff(omega) > 0)
    np.testing.assert_allclose(squares.mean(axis=1), 2 * 0.5 * 0.1, rtol=0.23)
    assert abs(np.corrcoef(squares[0], squares[1])[0, 1]) < 0.25


def test_modes_of_a_rattle_are_a_lorentzian():
    """Steps of a first-order autoregression have a spectrum in closed form; nothing leaks from the ends of the run."""
    amplitude, memory, interval = 0.4, 0.1, 0.02
    path = walks.rattle(
        np.random.default_rng(2), frames=601, ions=200, amplitude=amplitude, memory=memory, interval=interval
    )
    omega, squares = velocity_modes(path, interval)
    phi = np.exp(-interval / memory)
    x = (omega * interval) ** 2
    closed = amplitude**2 * (1 - phi**2) * x / ((1 - phi) ** 2 + phi * x)
    ratio = squares.mean(axis=1)[10:] / closed[10:]
    assert abs(ratio.mean() - 1) < 0.02
    np.testing.assert_allclose(ratio, 1.0, atol=0.35)


@pytest.mark.parametrize("exponent", [0.6, 0.9])
def test_exponent_of_fractional_motion_is_found(exponent):
    path = walks.subdiffusive(np.random.default_rng(3), frames=2001, ions=64, exponent=exponent, interval=0.02)
    motion = long_time_motion(path, 0.02, collective=NO_CORRELATION)
    assert motion.exponent == pytest.approx(exponent, abs=0.06)
    assert motion.evidence > 3


def test_a_slow_cage_is_no_power_law():
    rng = np.random.default_rng(4)
    path = walks.caged_hops(rng, frames=2001, ions=24, D=0.3, interval=0.02, amplitude=0.5, memory=0.3)
    assert long_time_motion(path, 0.02, collective=NO_CORRELATION).evidence < 0


@pytest.mark.parametrize("frames", [20, 21, 37, 64, 101])
def test_short_runs_give_finite_numbers(frames):
    path = walks.brownian(np.random.default_rng(5), frames=frames, ions=1, D=0.5, interval=0.1)
    motion = long_time_motion(path, 0.1, collective=NO_CORRELATION)
    assert np.isfinite([motion.exponent, motion.exponent_stderr, motion.evidence]).all()


@pytest.mark.parametrize("frames", [20, 64])
def test_a_run_shorter_than_any_cage_has_an_exponent(frames):
    """Frames stated 1 fs apart: the power law alone was given no time to start from."""
    path = walks.subdiffusive(np.random.default_rng(0), frames=frames, ions=24, exponent=0.4, interval=0.001)
    motion = long_time_motion(path, 0.001, collective=NO_CORRELATION)
    assert np.isfinite([motion.exponent, motion.exponent_stderr, motion.evidence]).all()
    assert motion.evidence > 0


def test_jumps_have_their_fourth_cumulant_and_gaussian_motion_none():
    """K = rate l^4 a frame: 40 ions with 120 jumps each know it within 3 %; five sigma with the cage's noise."""
    rng = np.random.default_rng(6)
    path = walks.caged_hops(rng, frames=6001, ions=40, D=0.5, interval=0.02)
    rate = 6 * 0.5 / 9 * 0.02
    assert jump_variance_A4(path, lag=25).value == pytest.approx(rate * 81, rel=0.15)
    free = walks.two_populations(rng, frames=6001, ions=40, D=0.5, interval=0.02)
    assert jump_variance_A4(free, lag=25).value < 0.05 * rate * 81


@settings(max_examples=60, deadline=None)
@given(
    increments=st.integers(20, 4000),
    first=st.integers(1, 50),
    slope=st.floats(1e-9, 1e3),
    intercept=st.floats(-1e3, 1e3),
    ions=st.integers(1, 500),
)
def test_covariance_is_positive_definite(increments, first, slope, intercept, ions):
    """By construction: it is that of distinct quadratic forms of one Gaussian vector."""
    last = increments // 2
    lags = fit_lags(min(first, last - 3), last)
    matrix = walk_covariance(
        lags, slope_A2=slope, intercept_A2=intercept, level_A2=slope * last, increments=increments, ions=ions
    )
    scale = np.sqrt(np.diag(matrix))
    np.linalg.cholesky(matrix / np.outer(scale, scale))
    np.testing.assert_array_equal(matrix, matrix.T)


@settings(max_examples=15, deadline=None)
@given(increments=st.integers(4, 30), walk=st.floats(0, 10), rattle=st.floats(0.01, 10))
def test_covariance_of_every_lag_is_positive_definite(increments, walk, rattle):
    matrix = msd_covariance(
        np.arange(1, increments + 1), increments=increments, step_variance_A2=walk, rattle_variance_A2=rattle
    )
    scale = np.sqrt(np.diag(matrix))
    assert np.linalg.eigvalsh(matrix / np.outer(scale, scale)).min() > 0


def test_jumps_that_are_undone_on_top_of_a_rattle_are_diffusion():
    """Two relaxations; some 15 % of such runs are suspected (all were, when one cage was all that was allowed)."""
    rng = np.random.default_rng(8)
    suspected = 0
    for _ in range(14):
        motion = {"frames": 1501, "ions": 32, "interval": 0.05}
        path = walks.undone_hops(rng, D=0.7, share=0.2, **motion) + walks.rattle(
            rng, amplitude=0.2, memory=0.08, **motion
        )
        suspected += long_time_motion(path, 0.05, collective=NO_CORRELATION).evidence > LARGEST_ANOMALY
    assert suspected <= 4  # one seed in twenty-five would have more


@pytest.mark.parametrize("exponent", [0.6, 0.7])
def test_two_relaxations_are_no_excuse_for_a_power_law(exponent):
    rng = np.random.default_rng(9)
    for _ in range(10):
        path = walks.subdiffusive(rng, frames=601, ions=24, exponent=exponent, interval=0.02)
        assert long_time_motion(path, 0.02, collective=NO_CORRELATION).evidence > LARGEST_ANOMALY


def test_a_cage_on_top_does_not_hide_a_power_law():
    """Nor does the fit: with cage and exponent free it stopped half-way in a bent valley, and refused half of these."""
    rng = np.random.default_rng(10)
    refused = 0
    for _ in range(20):
        path = walks.subdiffusive(rng, frames=601, ions=24, exponent=0.7, interval=0.02)
        path += walks.rattle(rng, frames=601, ions=24, amplitude=0.35, memory=0.1, interval=0.02)
        refused += long_time_motion(path, 0.02, collective=NO_CORRELATION).evidence > LARGEST_ANOMALY
    assert refused >= 17  # of 95 % refused fewer would be in one seed of forty


def test_ions_that_hop_back_and_forth_diffuse():
    """Every other jump undone, 1280 jumps in 40 ps: the relaxation of 0.67 ps is within what is tried."""
    rng = np.random.default_rng(13)
    motion = {"frames": 801, "ions": 32, "interval": 0.05}
    suspected = 0
    for _ in range(24):
        path = walks.undone_hops(rng, D=2 / 9, share=0.5, length=2.0, **motion)
        path += walks.rattle(rng, amplitude=0.25, memory=0.1, **motion)
        suspected += long_time_motion(path, 0.05, collective=NO_CORRELATION).evidence > LARGEST_ANOMALY
    assert suspected <= 1  # of 1 % more would be in one seed of forty
