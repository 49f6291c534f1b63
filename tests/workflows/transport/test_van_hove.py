"""van Hove function and non-Gaussian parameter against Gaussian motion and mixtures of it."""

import numpy as np
import pytest
import walks
from scipy import stats

from vitrion_models.errors import InputError
from vitrion_workflows.transport import van_hove
from vitrion_workflows.transport.van_hove import non_gaussian

INTERVAL_PS, D = 0.1, 0.5
LAGS = np.array([1, 5, 20])


def path(rng, *, ions=400, frames=201):
    return walks.brownian(rng, frames=frames, ions=ions, D=D, interval=INTERVAL_PS)


def test_brownian_distances_are_maxwellian():
    """80000 to 72000 displacements a lag; bins hold up to 3 % of them."""
    distribution = van_hove(path(np.random.default_rng(0)), INTERVAL_PS, lags=LAGS)
    width = distribution.r_A[1] - distribution.r_A[0]
    for lag, density in zip(LAGS, distribution.density_per_A, strict=True):
        expected = stats.maxwell(scale=np.sqrt(2 * D * lag * INTERVAL_PS))
        np.testing.assert_allclose(
            density, expected.pdf(distribution.r_A), atol=0.04 * expected.pdf(distribution.r_A).max() + 0.002
        )
        assert density.sum() * width == pytest.approx(1.0)
        assert (distribution.r_A * density).sum() * width == pytest.approx(expected.mean(), rel=0.02)


def test_cutoff_leaves_the_rest_out():
    distribution = van_hove(path(np.random.default_rng(0)), INTERVAL_PS, lags=LAGS, cutoff_A=1.0)
    inside = distribution.density_per_A.sum(axis=1) * (distribution.r_A[1] - distribution.r_A[0])
    np.testing.assert_allclose(inside, stats.maxwell.cdf(1.0 / np.sqrt(2 * D * LAGS * INTERVAL_PS)), atol=0.02)


def test_jumps_show_the_distance_of_sites():
    rng = np.random.default_rng(1)
    hops = walks.caged_hops(rng, frames=400, ions=100, D=0.3, interval=INTERVAL_PS, amplitude=0.15)
    distribution = van_hove(hops, INTERVAL_PS, lags=np.array([10]))
    first = distribution.density_per_A[0]
    near = first[(distribution.r_A > 2.6) & (distribution.r_A < 3.4)]
    gap = first[(distribution.r_A > 1.2) & (distribution.r_A < 2.0)]
    assert near.max() > 5 * gap.min()


def test_gaussian_motion_has_no_alpha2():
    """Brownian and Ornstein-Uhlenbeck motion are exactly Gaussian at every lag; 3.5 standard errors for 24 lags."""
    rng = np.random.default_rng(2)
    for motion in (path(rng), walks.rattle(rng, frames=201, ions=400, amplitude=0.3, memory=0.5, interval=INTERVAL_PS)):
        parameter = non_gaussian(motion, INTERVAL_PS)
        assert (np.abs(parameter.alpha2) < 3.5 * parameter.stderr).all()
        assert parameter.stderr.max() < 0.1


def test_two_populations_have_the_exact_alpha2():
    """Half the ions D1, half D2, for ever: alpha2 = <D^2> / <D>^2 - 1 at every lag."""
    rng = np.random.default_rng(3)
    slow, fast = (walks.brownian(rng, frames=201, ions=200, D=value, interval=INTERVAL_PS) for value in (0.1, 1.0))
    parameter = non_gaussian(np.concatenate([slow, fast], axis=1), INTERVAL_PS)
    expected = (0.1**2 + 1.0**2) / 2 / 0.55**2 - 1
    assert (np.abs(parameter.alpha2 - expected) < 4 * parameter.stderr).all()
    assert parameter.alpha2[0] == pytest.approx(expected, rel=0.05)
    assert parameter.peak[0] >= parameter.alpha2[0]


def test_rare_jumps_have_the_exact_alpha2():
    """Jumps of fixed length a at a rate G: <r^4> = G t a^4 + 5/3 (G t)^2 a^4, so alpha2 = 3 / (5 G t)."""
    rng = np.random.default_rng(4)
    jumps = walks.hops(rng, frames=401, ions=600, D=0.3, interval=INTERVAL_PS)
    parameter = non_gaussian(jumps, INTERVAL_PS, lags=np.array([10, 20, 40]))
    rate = 6 * 0.3 / 9
    # On a cubic lattice the fourth moment of the sum of axis steps is that of isotropic ones at first order in t only.
    expected = 3 / (5 * rate * parameter.lag_ps)
    assert (np.abs(parameter.alpha2 - expected) < 4 * parameter.stderr).all()


def test_few_ions_have_no_error():
    assert np.isnan(non_gaussian(path(np.random.default_rng(5), ions=3), INTERVAL_PS).stderr).all()


@pytest.mark.parametrize("lags", [np.array([0]), np.array([201]), np.array([], dtype=int)])
def test_lags_beyond_the_run_are_refused(lags):
    motion = path(np.random.default_rng(6), ions=4)
    for function in (van_hove, non_gaussian):
        with pytest.raises(InputError, match="lags"):
            function(motion, INTERVAL_PS, lags=lags)


def test_ions_that_never_move_are_refused():
    with pytest.raises(InputError, match="moves"):
        van_hove(np.zeros((50, 4, 3)), INTERVAL_PS, lags=np.array([1]))
    with pytest.raises(InputError, match="moves"):
        non_gaussian(np.zeros((50, 4, 3)), INTERVAL_PS)


def test_frames_that_were_written_twice_have_no_parameter_from_one_to_the_next():
    """With every second origin, the steps between copies are all that a lag of one sees."""
    walk = np.cumsum(np.random.default_rng(6).normal(scale=0.1, size=(700, 8, 3)), axis=0)
    parameter = non_gaussian(np.repeat(walk, 2, axis=0), INTERVAL_PS / 2)
    assert np.isnan(parameter.alpha2[0])
    assert np.isfinite(parameter.peak).all()
