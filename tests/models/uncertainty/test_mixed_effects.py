"""Mixed models: the closed posterior against textbook cases, dense conditioning and simulated truths."""

import math

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from vitrion_models.errors import InputError
from vitrion_models.uncertainty.mixed_effects import MixedModel, Observation

DEVIATIONS = {"method": 0.2, "class": 0.15, "compound": 0.1}


def deviation(effect):
    return DEVIATIONS[effect[0]]


def effects(method, chemistry="", compound="", weight=1.0):
    parts = [("method", method)]
    parts += [("class", method, chemistry)] if chemistry else []
    parts += [("compound", method, chemistry, compound)] if compound else []
    return dict.fromkeys(parts, weight)


def moments(observations, *sums):
    mean, covariance = MixedModel(observations).infer(deviation).moments(sums)
    return mean, np.sqrt(np.diag(covariance))


def test_without_an_observation_the_prior_comes_back():
    mean, stderr = moments([], effects("a", "oxide", "Li2O"), effects("a", "oxide", "Li2O", weight=-2.0))
    assert mean.tolist() == [0, 0]
    assert stderr == pytest.approx(np.array([1, 2]) * math.hypot(0.2, 0.15, 0.1))


def test_one_observation_is_shrunk_as_the_textbook_has_it():
    """Normal mean with given variances: posterior mean d V / (V + s^2), variance V s^2 / (V + s^2)."""
    prior = math.hypot(0.2, 0.15, 0.1) ** 2
    wanted = effects("a", "oxide", "Li2O")
    mean, stderr = moments([Observation(0.6, 0.2, wanted)], wanted)
    assert mean[0] == pytest.approx(0.6 * prior / (prior + 0.04))
    assert stderr[0] == pytest.approx(math.sqrt(prior * 0.04 / (prior + 0.04)))


def test_a_difference_of_two_methods_is_divided_equally():
    first, second = effects("a", "oxide", "Li2O"), effects("b", "oxide", "Li2O")
    difference = Observation(0.6, 1e-6, {**first, **effects("b", "oxide", "Li2O", weight=-1.0)})
    assert moments([difference], first, second)[0] == pytest.approx([0.3, -0.3], abs=1e-6)
    # If the offset of the reference is fixed, the difference belongs to the other.
    sure = Observation(0.0, 1e-6, second)
    assert moments([difference, sure], first)[0] == pytest.approx(0.6, abs=1e-5)


def test_another_class_is_less_informed_and_another_compound_keeps_its_own_part():
    many = [Observation(0.6, 0.01, effects("a", "halide", f"{n}")) for n in range(100)]
    mean, stderr = moments(many, effects("a", "halide"), effects("a", "halide", "new"), effects("a", "oxide", "new"))
    assert mean[:2] == pytest.approx(0.6, abs=0.02)
    assert stderr[0] < 0.02
    assert stderr[1] == pytest.approx(math.hypot(stderr[0], 0.1), rel=1e-3)
    assert 0.2 < mean[2] < 0.5
    assert stderr[2] > 0.15


def random_model(rng):
    names = [("method", "a"), ("class", "a", "x"), ("class", "a", "y"), ("compound", "a", "x", "1"), ("method", "b")]
    observations = [
        Observation(rng.normal(), rng.uniform(0.01, 0.5), {name: rng.normal() for name in names if rng.random() < 0.7})
        for _ in range(7)
    ]
    design = np.array([[entry.effects.get(name, 0.0) for name in names] for entry in observations])
    prior = np.diag([deviation(name) ** 2 for name in names])
    data = design @ prior @ design.T + np.diag([entry.stderr**2 for entry in observations])
    return names, observations, design, prior, data


def test_the_posterior_is_that_of_conditioning_a_gaussian_on_the_data():
    """Mean C' (C + S)^-1 y and covariance C0 - C' (C + S)^-1 C (Rasmussen and Williams 2006, equation 2.19)."""
    rng = np.random.default_rng(4)
    for _ in range(20):
        names, observations, design, prior, data = random_model(rng)
        unit = [{name: 1.0} for name in names]
        mean, covariance = MixedModel(observations).infer(deviation).moments(unit)
        cross = prior @ design.T
        values = [entry.value for entry in observations]
        assert mean == pytest.approx(cross @ np.linalg.solve(data, values), abs=1e-9)
        assert covariance == pytest.approx(prior - cross @ np.linalg.solve(data, cross.T), abs=1e-9)


def test_the_marginal_likelihood_is_the_density_of_the_values():
    _, observations, _, _, data = random_model(np.random.default_rng(5))
    values = [entry.value for entry in observations]
    expected = multivariate_normal(np.zeros(7), data).logpdf(values)
    assert MixedModel(observations).log_marginal_likelihood(deviation)[0] == pytest.approx(expected)


def test_the_gradient_is_that_of_finite_differences():
    names, observations, *_ = random_model(np.random.default_rng(7))
    model = MixedModel(observations)
    gradient = dict(zip(model.places, model.log_marginal_likelihood(deviation)[1], strict=True))
    for name in names:

        def changed(log_factor, name=name):
            scaled = {name: math.exp(log_factor)}
            return model.log_marginal_likelihood(lambda effect: deviation(effect) * scaled.get(effect, 1.0))[0]

        assert gradient[name] == pytest.approx((changed(1e-5) - changed(-1e-5)) / 2e-5, abs=1e-6)


def test_the_order_of_observations_changes_nothing():
    _, observations, *_ = random_model(np.random.default_rng(6))
    wanted = effects("a", "x", "1")
    forward, backward = (
        MixedModel(some).infer(deviation).moments([wanted]) for some in (observations, observations[::-1])
    )
    assert forward[0] == pytest.approx(backward[0], abs=1e-12)
    assert forward[1] == pytest.approx(backward[1], abs=1e-12)


def test_deviations_are_those_of_simulated_truths():
    """Truths drawn from the prior, 400 sets: mean z^2 of 2 offsets within 5 standard errors (1e-6) of one."""
    rng = np.random.default_rng(3)
    squares = []
    for _ in range(400):
        method, chemistry = 0.2 * rng.normal(), {"x": 0.15 * rng.normal(), "y": 0.15 * rng.normal()}
        own = 0.1 * rng.normal(size=6)
        observations = [
            Observation(
                method + chemistry[name] + own[place] + 0.05 * rng.normal(), 0.05, effects("a", name, str(place))
            )
            for name, place in (("x", 0), ("x", 1), ("x", 2), ("y", 3))
        ]
        truth = np.array([method + chemistry["x"] + own[2], method + chemistry["y"] + own[5]])
        mean, stderr = moments(observations, effects("a", "x", "2"), effects("a", "y", "5"))
        squares += (((mean - truth) / stderr) ** 2).tolist()
    assert np.mean(squares) == pytest.approx(1.0, abs=5 * math.sqrt(2 / len(squares)))


@pytest.mark.parametrize(("value", "stderr"), [(math.nan, 0.1), (0.1, 0.0), (0.1, math.inf)])
def test_observations_need_finite_values_and_positive_errors(value, stderr):
    with pytest.raises(InputError, match="comparison"):
        MixedModel([Observation(value, stderr, effects("a"))])
