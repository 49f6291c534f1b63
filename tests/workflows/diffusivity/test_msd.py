"""Mean squared displacement and its covariance against brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import msd_covariance


@given(seed=st.integers(0, 2**32 - 1), frames=st.integers(2, 40), ions=st.integers(1, 4))
@settings(max_examples=40, deadline=None)
def test_fourier_transform_equals_the_double_loop(seed, frames, ions):
    path = np.cumsum(np.random.default_rng(seed).normal(size=(frames, ions, 3)), axis=0) + 100.0
    expected = np.zeros((frames, ions))
    for lag in range(1, frames):
        expected[lag] = ((path[lag:] - path[:-lag]) ** 2).sum(axis=2).mean(axis=0)
    np.testing.assert_allclose(mean_squared_displacements(path), expected, rtol=1e-8, atol=1e-8)


def test_uniform_motion_is_ballistic():
    velocity = np.array([1.0, -2.0, 0.5])
    path = np.arange(50)[:, None, None] * 0.1 * velocity
    lags = np.arange(50) * 0.1
    np.testing.assert_allclose(mean_squared_displacements(path)[:, 0], (velocity @ velocity) * lags**2, atol=1e-9)


def exact_covariance(lags, increments, step, rattle):
    """Covariance of quadratic forms of a Gaussian vector: 2 tr(A C B C)."""
    times = np.arange(increments + 1)
    covariance = step * np.minimum.outer(times, times) + rattle * np.eye(increments + 1)
    forms = []
    for lag in lags:
        origins = np.arange(increments - lag + 1)
        difference = np.zeros((len(origins), increments + 1))
        difference[origins, origins] = -1
        difference[origins, origins + lag] = 1
        forms.append(difference.T @ difference / len(origins))
    return np.array([[2 * np.trace(a @ covariance @ b @ covariance) for b in forms] for a in forms])


@pytest.mark.parametrize(("step", "rattle"), [(1.0, 0.0), (0.0, 1.0), (0.7, 0.3), (1e-3, 2.0)])
def test_closed_form_is_exact_at_every_pair_of_lags(step, rattle):
    lags = np.arange(1, 15)
    covariance = msd_covariance(lags, increments=14, step_variance_A2=step, rattle_variance_A2=rattle)
    np.testing.assert_allclose(covariance, exact_covariance(lags, 14, step, rattle), rtol=1e-12)


@given(
    increments=st.integers(20, 2000),
    rattle=st.floats(0, 1e3),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_covariance_is_positive_definite(increments, rattle, seed):
    rng = np.random.default_rng(seed)
    lags = np.unique(rng.integers(1, increments // 2 + 1, size=32))
    covariance = msd_covariance(lags, increments=increments, step_variance_A2=1.0, rattle_variance_A2=rattle)
    scale = np.sqrt(np.diag(covariance))
    np.linalg.cholesky(covariance / np.outer(scale, scale))
