import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vitrion_models.heads.arrhenius import ArrheniusPrior, fit_head, fit_with_evidence, refit_head
from vitrion_models.heads.arrhenius_law import EV_PER_SLOPE
from vitrion_models.heads.likelihood import Labels
from vitrion_models.heads.multi_fidelity import (
    FidelityLink,
    MultiFidelityPrior,
    fit_multi_fidelity_head,
    mixing_matrix,
    nodes,
)

LOWEST = ArrheniusPrior(level=-4.5, level_std=2.0, Ea_eV=0.35, Ea_std_eV=0.2, length_scale=0.5)
# With an activation energy of 4 eV the softplus is the identity to machine precision: everything is linear.
LINEAR = ArrheniusPrior(level=-4.5, level_std=1.0, Ea_eV=4.0, Ea_std_eV=0.2, length_scale=0.5)
LINKS = (FidelityLink(0.9, 0.5, 0.12, 0.25), FidelityLink(1.1, 0.75, 0.06, 0.5))
COLUMNS = 4


def prior_of(lowest, links):
    return MultiFidelityPrior(lowest, links, offset_std=0.3, Ea_offset_std_eV=0.1)


def labels_of(node, x, y, *, stderr=0.05):
    y = np.asarray(y, dtype=float)
    return Labels(np.asarray(node), np.asarray(x, dtype=float), y, np.full(len(y), stderr), np.zeros(len(y)))


def every_node(embeddings, fidelities):
    """Materials in the view of every fidelity, the fidelity varying slowest."""
    return nodes(np.tile(embeddings, (fidelities, 1)), np.repeat(np.arange(fidelities), len(embeddings)))


def kernel(embeddings, amplitude, constant):
    squares = ((embeddings[:, None] - embeddings[None]) ** 2).mean(axis=-1)
    smooth = np.exp(-squares / (2 * 0.5**2))
    return amplitude**2 * (smooth + embeddings @ embeddings.T / COLUMNS) + constant**2


def recursive_covariance(embeddings, scales, amplitudes, constants):
    """Kennedy and O'Hagan's recursion u_f = rho u_(f-1) + delta_f, block by block."""
    blocks = {(0, 0): kernel(embeddings, amplitudes[0], constants[0])}
    for upper in range(1, len(amplitudes)):
        scale = scales[upper - 1]
        for other in range(upper):
            blocks[upper, other] = scale * blocks[upper - 1, other]
            blocks[other, upper] = blocks[upper, other].T
        discrepancy = kernel(embeddings, amplitudes[upper], constants[upper])
        blocks[upper, upper] = scale**2 * blocks[upper - 1, upper - 1] + discrepancy
    order = range(len(amplitudes))
    return np.block([[blocks[row, column] for column in order] for row in order])


def dense_posterior(embeddings, labels, *, amplitude, noise):
    """Condition the whole Gaussian of LINEAR and LINKS on the labels: mean, covariance, log evidence."""
    count = 3 * len(embeddings)
    level = recursive_covariance(embeddings, [0.9, 1.1], [amplitude, 0.12, 0.06], [1.0, 0.3, 0.3])
    constants = np.array([0.2, 0.1, 0.1]) / EV_PER_SLOPE
    slope = recursive_covariance(embeddings, [0.5, 0.75], [amplitude, 0.25, 0.5], constants)
    covariance = np.zeros((2 * count, 2 * count))
    covariance[:count, :count], covariance[count:, count:] = level, slope
    mean = np.repeat([-4.5, 4.0 / EV_PER_SLOPE], count)
    design = np.zeros((len(labels), 2 * count))
    rows = np.arange(len(labels))
    design[rows, labels.material] = 1.0
    design[rows, count + labels.material] = -labels.x
    total = design @ covariance @ design.T + np.diag(labels.stderr**2 + noise**2)
    gain = covariance @ design.T @ np.linalg.inv(total)
    evidence = multivariate_normal(design @ mean, total).logpdf(labels.y)
    return mean + gain @ (labels.y - design @ mean), covariance - gain @ design @ covariance, evidence


def test_equals_a_dense_gaussian_with_the_recursion_of_kennedy_and_ohagan():
    rng = np.random.default_rng(0)
    embeddings = rng.normal(size=(6, COLUMNS))
    rows = every_node(embeddings, 3)
    x = rng.uniform(-0.4, 0.4, 14)
    labels = labels_of(rng.integers(0, len(rows), 14), x, -4.5 - 4.0 / EV_PER_SLOPE * x + rng.normal(0, 0.3, 14))
    head, evidence = fit_with_evidence(rows, labels, prior_of(LINEAR, LINKS), amplitude=0.3, noise=0.08)
    posterior = head.posterior(rows)
    mean, covariance, expected_evidence = dense_posterior(embeddings, labels, amplitude=0.3, noise=0.08)
    assert np.concatenate([posterior.level, posterior.raw_slope]) == pytest.approx(mean, abs=1e-7)
    assert posterior.covariance == pytest.approx(covariance, abs=1e-7)
    assert evidence == pytest.approx(expected_evidence, abs=1e-6)
    design = np.concatenate([np.eye(18), -0.2 * np.eye(18)], axis=1)
    of_node = np.eye(36)[5] - 0.3 * np.eye(36)[23]
    assert posterior.covariances(np.arange(18), np.full(18, 0.2), np.array(5), np.array(0.3)) == pytest.approx(
        design @ covariance @ of_node, abs=1e-7
    )


def test_one_fidelity_is_the_single_head_to_the_last_digit():
    rng = np.random.default_rng(1)
    embeddings = rng.normal(size=(8, COLUMNS))
    labels = labels_of(np.repeat(np.arange(8), 2), np.tile([-0.2, 0.3], 8), rng.normal(-4.5, 0.5, 16))
    errors = 0.1 * np.eye(8)
    single = fit_head(embeddings, labels, LOWEST, compound_errors=errors)
    rows = nodes(embeddings, np.zeros(8, dtype=int))
    multi = fit_multi_fidelity_head(rows, labels, prior_of(LOWEST, ()), compound_errors=errors)
    new = rng.normal(size=(5, COLUMNS))
    expected, actual = single.posterior(new), multi.posterior(nodes(new, np.zeros(5, dtype=int)))
    assert (multi.amplitude, multi.noise) == (single.amplitude, single.noise)
    assert (actual.level == expected.level).all()
    assert (actual.raw_slope == expected.raw_slope).all()
    assert (actual.covariance == expected.covariance).all()


def test_a_fidelity_without_discrepancy_is_another_name_of_the_one_below():
    rng = np.random.default_rng(2)
    embeddings = rng.normal(size=(6, COLUMNS))
    labels = labels_of(rng.integers(0, 12, 10), rng.uniform(-0.3, 0.3, 10), rng.normal(-4.5, 0.4, 10))
    exact = MultiFidelityPrior(LOWEST, (FidelityLink(1.0, 1.0, 1e-7, 1e-7),), 1e-7, 1e-7)
    multi = refit_head(every_node(embeddings, 2), labels, exact, amplitude=0.3, noise=0.1)
    pooled = Labels(labels.material % 6, labels.x, labels.y, labels.stderr, labels.censored)
    single = refit_head(embeddings, pooled, LOWEST, amplitude=0.3, noise=0.1)
    upper = multi.posterior(nodes(embeddings, np.ones(6, dtype=int)))
    assert upper.level == pytest.approx(single.posterior(embeddings).level, abs=1e-6)
    assert upper.raw_slope == pytest.approx(single.posterior(embeddings).raw_slope, abs=1e-6)


def test_the_order_of_labels_does_not_matter():
    rng = np.random.default_rng(3)
    rows = every_node(rng.normal(size=(5, COLUMNS)), 2)
    labels = labels_of(rng.integers(0, 10, 12), rng.uniform(-0.3, 0.3, 12), rng.normal(-4.5, 0.4, 12))
    prior = prior_of(LOWEST, (FidelityLink(),))
    one = fit_multi_fidelity_head(rows, labels, prior)
    other = fit_multi_fidelity_head(rows, labels.subset(rng.permutation(12)), prior)
    assert one.prior == other.prior
    assert one.posterior(rows).level == pytest.approx(other.posterior(rows).level, abs=1e-8)


def drawn_labels(links, *, seed, materials=40):
    """Labels of all materials at two temperatures by both fidelities, drawn from the prior with these links."""
    rng = np.random.default_rng(seed)
    rows = every_node(rng.normal(size=(materials, COLUMNS)), 2)
    prior = prior_of(LOWEST, links)
    count = len(rows)
    covariance = prior.covariance(rows, rows, np.zeros((count, count)), amplitude=0.3)
    state = rng.multivariate_normal(np.concatenate(prior.means(count)), covariance, method="eigh")
    node, x = np.repeat(np.arange(count), 2), np.tile([-0.3, 0.4], count)
    y = state[node] - np.logaddexp(0, 3 * state[count + node]) / 3 * x + rng.normal(0, 0.05, len(x))
    return rows, labels_of(node, x, y, stderr=0.03)


@pytest.mark.parametrize("links", [(FidelityLink(1.0, 1.0, 0.06, 0.06),), (FidelityLink(0.5, 0.25, 0.12, 0.12),)])
def test_scale_and_discrepancy_are_learned_for_level_and_slope(links):
    rows, labels = drawn_labels(links, seed=0)
    prior = fit_multi_fidelity_head(rows, labels, prior_of(LOWEST, (FidelityLink(),))).prior
    learned = prior.links[0]
    assert learned.level_scale == pytest.approx(links[0].level_scale, abs=0.15)
    assert learned.slope_scale == pytest.approx(links[0].slope_scale, abs=0.3)
    assert learned.level_amplitude == pytest.approx(links[0].level_amplitude, rel=1.1)
    assert learned.slope_amplitude == pytest.approx(links[0].slope_amplitude, rel=1.1)


def test_correlation_of_the_fidelities_follows_from_scale_and_discrepancy():
    close = prior_of(LOWEST, (FidelityLink(1.0, 1.0, 0.03, 0.06),))
    far = prior_of(LOWEST, (FidelityLink(0.25, 0.25, 0.5, 1.0),))
    embedding = np.zeros(COLUMNS)
    level, slope = close.correlation(embedding, amplitude=0.3)
    variance = 2.0**2 + 0.3**2
    assert level[0, 1] == pytest.approx(np.sqrt(variance / (variance + 0.3**2 + 0.03**2)))
    assert np.diagonal(slope) == pytest.approx(np.ones(2))
    assert far.correlation(embedding, amplitude=0.3)[1][0, 1] < slope[0, 1]


def test_labels_of_the_cheap_fidelity_improve_the_dear_one():
    rows, labels = drawn_labels((FidelityLink(1.0, 1.0, 0.06, 0.06),), seed=4)
    upper = rows[:, 0] == 1
    few = np.flatnonzero(upper[labels.material])[:16]
    cheap = np.flatnonzero(~upper[labels.material])
    prior = prior_of(LOWEST, (FidelityLink(),))
    errors = {}
    for name, chosen in (("dear", few), ("both", np.concatenate([cheap, few]))):
        posterior = fit_multi_fidelity_head(rows, labels.subset(chosen), prior).posterior(rows)
        left = np.flatnonzero(upper[labels.material])[16:]
        mean, _ = posterior.moments(labels.material[left], labels.x[left])
        errors[name] = np.sqrt(np.mean((mean - labels.y[left]) ** 2))
    assert errors["both"] < 0.5 * errors["dear"]


def test_the_mixing_matrix_is_the_product_of_the_scales_above():
    assert mixing_matrix([0.5, 2.0]) == pytest.approx(np.array([[1, 0, 0], [0.5, 1, 0], [1.0, 2.0, 1]]))
