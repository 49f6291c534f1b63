import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, DotProduct

from vitrion_models.heads.arrhenius import ArrheniusPrior, _laplace, fit_head, refit_head
from vitrion_models.heads.arrhenius_law import EV_PER_SLOPE, inverse_temperature, prefactor_log10, softplus
from vitrion_models.heads.likelihood import SHARPNESS, Labels

PRIOR = ArrheniusPrior(level=-4.5, level_std=2.0, Ea_eV=0.35, Ea_std_eV=0.2, length_scale=0.5)
COLUMNS = 4


def labels_of(material, x, y, *, stderr=0.05, censored=None):
    y = np.asarray(y, dtype=float)
    bounds = np.zeros(len(y)) if censored is None else np.asarray(censored, dtype=float)
    return Labels(np.asarray(material), np.asarray(x, dtype=float), y, np.full(len(y), stderr), bounds)


def moments(head, descriptors, x):
    rows = np.repeat(np.arange(len(descriptors)), len(x))
    return head.posterior(descriptors).moments(rows, np.tile(x, len(descriptors)))


def test_at_one_temperature_it_is_gaussian_process_regression_as_in_scikit_learn():
    rng = np.random.default_rng(0)
    rows, new = rng.normal(size=(12, COLUMNS)), rng.normal(size=(5, COLUMNS))
    y = rng.normal(-4.5, 0.4, 12)
    labels = labels_of(range(12), np.zeros(12), y)
    head = refit_head(rows, labels, PRIOR, amplitude=0.3, noise=0.1)
    covariance = PRIOR.covariance(rows, rows, np.zeros((12, 12)), amplitude=0.3)
    _, _, evidence = _laplace(covariance, np.concatenate(PRIOR.means(12)), labels, noise=0.1)
    mean, variance = moments(head, new, np.zeros(1))
    kernel = ConstantKernel(PRIOR.level_std**2) + ConstantKernel(0.3**2) * (
        RBF(PRIOR.length_scale) + DotProduct(0.0, sigma_0_bounds="fixed")
    )
    reference = GaussianProcessRegressor(kernel, alpha=0.1**2 + 0.05**2, optimizer=None)
    reference.fit(rows / np.sqrt(COLUMNS), y - PRIOR.level)
    expected, deviation = reference.predict(new / np.sqrt(COLUMNS), return_std=True)
    assert mean == pytest.approx(expected + PRIOR.level, abs=1e-8)
    assert np.sqrt(variance) == pytest.approx(deviation, abs=1e-8)
    assert evidence == pytest.approx(reference.log_marginal_likelihood_value_, abs=1e-6)


def test_recovers_prefactor_and_activation_energy_of_an_exact_law():
    temperatures = np.linspace(600, 1500, 40)
    x = inverse_temperature(temperatures, 1000.0)
    y = np.log10(2.5e-3 * np.exp(-0.42 / (8.617333262e-5 * temperatures)))
    head = refit_head(np.zeros((1, COLUMNS)), labels_of([0] * 40, x, y, stderr=1e-3), PRIOR, amplitude=0.3, noise=0.001)
    posterior = head.posterior(np.zeros((1, COLUMNS)))
    slope, _ = softplus(posterior.raw_slope, sharpness=SHARPNESS)
    assert slope[0] * EV_PER_SLOPE == pytest.approx(0.42, abs=1e-3)
    assert prefactor_log10(posterior.level, slope, 1000.0)[0] == pytest.approx(np.log10(2.5e-3), abs=0.01)


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 10**6), count=st.integers(0, 12))
def test_falls_monotonically_with_inverse_temperature_whatever_the_labels(seed, count):
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(max(count, 1), COLUMNS))
    labels = labels_of(
        rng.integers(0, max(count, 1), count),
        rng.uniform(-0.5, 1, count),
        rng.normal(-4, 2, count),
        censored=rng.random(count) < 0.3,
    )
    head = refit_head(rows, labels, PRIOR, amplitude=0.3, noise=0.1)
    x = np.linspace(-1, 3, 30)
    mean, variance = moments(head, rng.normal(size=(4, COLUMNS)), x)
    assert (np.diff(mean.reshape(4, -1), axis=1) <= 1e-9).all()
    assert np.isfinite(mean).all()
    assert (variance >= 0).all()


def test_without_labels_it_is_the_stated_prior():
    head = refit_head(
        np.zeros((1, COLUMNS)), labels_of(np.zeros(0, dtype=int), [], []), PRIOR, amplitude=0.3, noise=0.1
    )
    posterior = head.posterior(np.zeros((1, COLUMNS)))
    assert posterior.level[0] == PRIOR.level
    assert softplus(posterior.raw_slope, sharpness=SHARPNESS)[0][0] * EV_PER_SLOPE == pytest.approx(PRIOR.Ea_eV)
    assert posterior.covariance[0, 0] == pytest.approx(PRIOR.level_std**2 + 0.3**2)


def test_an_upper_bound_below_pulls_the_mean_down_and_one_far_above_does_nothing():
    rows = np.zeros((1, COLUMNS))
    x, y = [0.0, 0.0], [-4.0, -4.1]
    free = refit_head(rows, labels_of([0, 0], x, y), PRIOR, amplitude=0.3, noise=0.3)
    above = refit_head(
        rows, labels_of([0] * 3, [*x, 0], [*y, -1.0], censored=[0, 0, 1]), PRIOR, amplitude=0.3, noise=0.3
    )
    below = refit_head(
        rows, labels_of([0] * 3, [*x, 0], [*y, -5.0], censored=[0, 0, 1]), PRIOR, amplitude=0.3, noise=0.3
    )
    as_value = refit_head(rows, labels_of([0] * 3, [*x, 0], [*y, -5.0]), PRIOR, amplitude=0.3, noise=0.3)
    means = [moments(head, rows, np.zeros(1))[0][0] for head in (free, above, below, as_value)]
    assert means[1] == pytest.approx(means[0], abs=1e-6)
    assert means[2] < means[0] - 0.1
    assert means[3] < means[0] - 0.1


def test_a_bound_far_below_the_prior_is_met():
    rows = np.zeros((1, COLUMNS))
    low = refit_head(rows, labels_of([0], [0.0], [-9.0], censored=[1]), PRIOR, amplitude=0.3, noise=0.1)
    assert moments(low, rows, np.zeros(1))[0][0] < -9.0


def test_labels_of_small_error_weigh_more():
    rows = np.zeros((1, COLUMNS))
    labels = Labels(np.zeros(2, dtype=int), np.zeros(2), np.array([-4.0, -5.0]), np.array([0.02, 0.5]), np.zeros(2))
    head = refit_head(rows, labels, PRIOR, amplitude=0.3, noise=0.03)
    assert moments(head, rows, np.zeros(1))[0][0] == pytest.approx(-4.0, abs=0.02)


def test_intervals_cover_draws_from_the_prior():
    # 150 problems of 8 materials; share of |z| < 1.96 for a new one. Binomial deviation 1.8 %, four of them.
    rng = np.random.default_rng(4)
    inside = []
    for _ in range(150):
        rows = rng.normal(size=(9, COLUMNS)) * 0.7
        scaled = rows / np.sqrt(COLUMNS)
        gap = ((scaled[:, None] - scaled[None]) ** 2).sum(-1)
        shape = 0.3**2 * (np.exp(-0.5 * gap / PRIOR.length_scale**2) + scaled @ scaled.T)
        level = rng.multivariate_normal(np.full(9, PRIOR.level), shape + PRIOR.level_std**2)
        y = level + 0.08 * rng.normal(size=9)
        head = fit_head(rows[:8], labels_of(range(8), np.zeros(8), y[:8], stderr=1e-3), PRIOR)
        mean, variance = moments(head, rows[8:], np.zeros(1))
        inside.append(abs(mean[0] - y[8]) < 1.96 * np.sqrt(variance[0] + head.noise**2))
    assert np.mean(inside) == pytest.approx(0.95, abs=0.072)


def test_an_error_of_the_compound_is_shared_by_its_labels_and_not_averaged_away():
    """Fifty exact labels of one compound: certain for itself, for an equal compound up to that deviation."""
    rows, labels = np.zeros((1, COLUMNS)), labels_of([0] * 50, np.zeros(50), np.full(50, -4.0), stderr=1e-3)
    head = refit_head(rows, labels, PRIOR, amplitude=0.3, noise=0.03, compound_errors=np.array([[0.2]]))
    itself = head.posterior(rows, np.array([[0.2]])).moments(np.zeros(1, int), np.zeros(1))
    another = head.posterior(rows).moments(np.zeros(1, int), np.zeros(1))
    assert itself[0][0] == pytest.approx(-4.0, abs=1e-3)
    assert np.sqrt(itself[1][0]) == pytest.approx(0.03 / np.sqrt(50), rel=0.05)
    assert np.sqrt(another[1][0]) == pytest.approx(0.2, rel=0.05)


def test_a_compound_of_the_unreliable_sort_weighs_less_for_its_neighbour():
    """Two neighbours with opposite news: of the error-weighted mean, closed form 1/s^2 weights, prior being wide."""
    rows = np.zeros((2, COLUMNS))
    labels = labels_of([0, 1], np.zeros(2), [-3.0, -5.0], stderr=0.1)
    head = refit_head(rows, labels, PRIOR, amplitude=0.3, noise=0.1, compound_errors=np.diag([0.4, 0.1]))
    mean, _ = head.posterior(np.zeros((1, COLUMNS))).moments(np.zeros(1, int), np.zeros(1))
    weights = 1 / np.array([0.1**2 + 0.1**2 + 0.4**2, 0.1**2 + 0.1**2 + 0.1**2])
    prior = 1 / (PRIOR.level_std**2 + 0.3**2)
    expected = (weights @ [-3.0, -5.0] + prior * PRIOR.level) / (weights.sum() + prior)
    assert mean[0] == pytest.approx(expected, abs=1e-6)
