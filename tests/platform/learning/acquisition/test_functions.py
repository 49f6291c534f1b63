import numpy as np
import pytest
from scipy.stats import chisquare

from vitrion.learning.acquisition.functions import FUNCTIONS, Predictions, choose_batch, choose_random


def predictions(mean, deviation, *, incumbent=0.0, noise=0.1, members=4, seed=0, offset=0.0, model=0.0):
    mean, deviation = np.asarray(mean, float), np.asarray(deviation, float)
    noise_draws = np.random.default_rng(seed).normal(size=(members, len(mean)))
    noise_draws = (noise_draws - noise_draws.mean(0)) / noise_draws.std(0)
    samples = mean + noise_draws * deviation
    return Predictions(samples, deviation, incumbent, noise, np.zeros(len(mean)) + offset, np.zeros(len(mean)) + model)


def test_label_noise_lowers_the_worth_of_a_label():
    worth = [
        FUNCTIONS["expected_improvement"](predictions([0.0], [0.3], noise=noise), 0.0, np.random.default_rng(0))[0]
        for noise in (0.0, 0.2, 1.0)
    ]
    assert worth[0] > worth[1] > worth[2] > 0


def test_upper_confidence_bound_weighs_the_deviation():
    given = predictions([0.0, 0.5], [1.0, 0.1])
    assert np.argmax(FUNCTIONS["upper_confidence_bound"](given, 0.0, None)) == 1
    assert np.argmax(FUNCTIONS["upper_confidence_bound"](given, 2.0, None)) == 0


def test_thompson_draws_have_the_predictive_deviation():
    given = predictions([1.0, -1.0], [0.5, 0.2], members=64)
    draws = np.array([FUNCTIONS["thompson"](given, 0.0, np.random.default_rng(seed)) for seed in range(2000)])
    assert draws.mean(axis=0) == pytest.approx([1.0, -1.0], abs=0.05)
    assert draws.std(axis=0) == pytest.approx([0.5, 0.2], rel=0.1)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_batch_never_holds_a_candidate_twice(name):
    given = predictions(np.zeros(5), np.ones(5))
    chosen = choose_batch(name, given, count=9, exploration=1.0, correlation=np.ones((5, 5)), seed=3)
    assert sorted(index for index, _ in chosen) == list(range(5))


def test_a_batch_is_diverse():
    # Two equal twins and one slightly worse stranger: the stranger comes second, not the twin.
    given = predictions([0.50, 0.50, 0.45], [0.5, 0.5, 0.5], incumbent=0.4)
    correlation = np.array([[1, 0.98, 0], [0.98, 1, 0], [0, 0, 1.0]])
    chosen = choose_batch("expected_improvement", given, count=2, exploration=0.0, correlation=correlation, seed=0)
    assert {index for index, _ in chosen} == {0, 2} or {index for index, _ in chosen} == {1, 2}


def test_the_random_arm_is_uniform_and_reproducible():
    counts = np.zeros(6)
    for seed in range(3000):
        chosen = choose_random(2, 6, seed=seed)
        assert len(set(chosen)) == 2
        counts[chosen] += 1
    assert chisquare(counts).pvalue > 1e-3  # the seeds are fixed: this passes or fails for good
    assert choose_random(3, 6, seed=11) == choose_random(3, 6, seed=11)


@pytest.mark.parametrize(("offset", "model", "noise"), [(0.0, 0.0, 0.3), (0.4, 0.25, 0.1)])
def test_a_label_tells_of_nature_only_through_the_error_of_its_potential(offset, model, noise):
    """Truth g ~ N(m, s^2), label = g + offset + t e + noise: Monte Carlo of the conjugate update, false alarm 2e-4."""
    mean = np.array([0.3, -0.2])
    given = predictions(mean + offset, [0.4, 0.3], incumbent=0.1, noise=noise, offset=offset, model=model)
    assert given.mean == pytest.approx(mean)
    value = FUNCTIONS["expected_improvement"](given, 0.0, np.random.default_rng(0))
    generator = np.random.default_rng(1)
    truth = given.mean + given.deviation * generator.normal(size=(400_000, 2))
    label = truth + offset + np.hypot(model, noise) * generator.normal(size=truth.shape)
    gain = given.deviation**2 / (given.deviation**2 + model**2 + noise**2)
    improvement = np.maximum(given.mean + gain * (label - offset - given.mean) - 0.1, 0)
    error = improvement.std(axis=0) / np.sqrt(len(improvement))
    assert np.all(np.abs(improvement.mean(axis=0) - value) < 4 * error)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_planted_class_that_the_potential_flatters_is_not_chosen(name):
    """Candidates 0 and 1 look best, for the potential is 0.6 too fast there; 2 is the best in truth."""
    looks = [0.5, 0.5, 0.2, 0.0]
    for offset, best in ((np.array([0.6, 0.6, 0.0, 0.0]), {2}), (0.0, {0, 1})):
        given = predictions(looks, np.full(4, 1e-3), incumbent=0.0, offset=offset, model=0.1)
        first = choose_batch(name, given, count=1, exploration=1.0, correlation=np.eye(4), seed=0)[0][0]
        assert first in best


@pytest.mark.parametrize("name", ["expected_improvement", "upper_confidence_bound"])
def test_what_labels_cannot_take_away_does_not_attract(name):
    """Of two equal candidates the one whose potential is less sure is worth less, never more."""
    given = predictions([0.0, 0.0], [0.3, 0.3], model=np.array([0.0, 0.5]))
    worth = FUNCTIONS[name](given, 1.0, np.random.default_rng(0))
    assert worth[0] > worth[1]
    assert given.sigma_tilde(0.0) == pytest.approx([0.3, 0.09 / np.hypot(0.3, 0.5)])
