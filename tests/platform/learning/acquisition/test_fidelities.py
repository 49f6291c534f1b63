import numpy as np
import pytest
from scipy.stats import norm

from vitrion.learning.acquisition.fidelities import LabelOptions, Target, choose_options
from vitrion_models.surrogates import MultiFidelityConfig, diffusivity_sample, train

CHEAP, DEAR = "cheap", "dear"
MATERIALS = [{3: 1, number: 1} for number in (9, 17, 35, 53)] + [
    {3: 2, 8: 1},
    {3: 2, 16: 1},
    {3: 3, 7: 1},
    {3: 3, 15: 1},
]
TARGET_K = 1000.0


@pytest.fixture(scope="module")
def surrogate():
    """Trained on cheap labels of six materials and dear ones of three; half a decade apart."""
    rng = np.random.default_rng(0)
    samples = [
        diffusivity_sample(
            material,
            species="Li",
            temperature_K=kelvin,
            log10_D=-3.0 - 1800.0 / kelvin + shift + 0.05 * place + rng.normal(0, 0.05),
            stderr=0.05,
            group=str(place),
            key=f"{source}-{place}-{kelvin:g}",
            source=source,
        )
        for source, count, shift in ((CHEAP, 6, 0.0), (DEAR, 3, 0.5))
        for place, material in enumerate(MATERIALS[:count])
        for kelvin in (1000.0, 2000.0)
    ]
    return train(samples, test_keys=(), config=MultiFidelityConfig(members=2, fidelities=(CHEAP, DEAR)), seed=0)


def options_of(*, cheap_s=10.0, dear_s=300.0, kelvins=(1000.0, 2000.0)):
    grid = [(c, f, k) for c in range(len(MATERIALS)) for f in range(2) for k in kelvins]
    candidate, fidelity, kelvin = (np.array(column) for column in zip(*grid, strict=True))
    seconds = np.where(fidelity == 1, dear_s, cheap_s)
    return LabelOptions(candidate, fidelity, kelvin.astype(float), seconds, np.full(len(grid), 0.05))


def target_of(*, offset=0.0, deviation=0.0):
    count = len(MATERIALS)
    return Target(
        TARGET_K, [str(place) for place in range(count)], offset * np.arange(count), np.full(count, deviation)
    )


def dense(surrogate, options):
    """Means of the options' targets, and the joint covariance of labels and targets, from the Jacobian."""
    posterior = surrogate.posterior_of_all(MATERIALS)
    count, size = len(MATERIALS), 2 * len(MATERIALS)
    node = np.concatenate([options.fidelity * count + options.candidate, count + options.candidate])
    kelvin = np.concatenate([options.temperature_K, np.full(len(options), TARGET_K)])
    x = 1000.0 / kelvin - 1000.0 / surrogate.reference_K
    jacobian = np.zeros((len(node), 2 * size))
    rows = np.arange(len(node))
    jacobian[rows, node] = 1.0
    jacobian[rows, size + node] = -x / (1.0 + np.exp(-3.0 * posterior.raw_slope[node]))
    slope = np.logaddexp(0.0, 3.0 * posterior.raw_slope[node]) / 3.0
    mean = posterior.level[node] - slope * x
    return mean[len(options) :], jacobian @ posterior.covariance @ jacobian.T


def improvement(mean, deviation):
    return mean * norm.cdf(mean / deviation) + deviation * norm.pdf(mean / deviation)


def test_each_choice_is_the_best_of_a_dense_gaussian_conditioned_on_those_before(surrogate):
    options, target = options_of(), target_of(deviation=0.1, offset=0.02)
    chosen = choose_options(surrogate, MATERIALS, options, target, count=6)
    mean, covariance = dense(surrogate, options)
    n = len(options)
    mean = mean - 0.02 * options.candidate
    gap = np.array(
        [abs(own - max(mean[options.candidate != c])) for own, c in zip(mean, options.candidate, strict=True)]
    )
    noise = 0.05**2 + surrogate.head.noise**2 + 0.1**2
    available = np.ones(n, dtype=bool)
    for choice in chosen:
        label = np.diagonal(covariance)[:n]
        shared = np.diagonal(covariance[:n, n:])
        gain = improvement(-gap, np.abs(shared) / np.sqrt(label + noise))
        value = np.where(available, gain / options.seconds, -np.inf)
        assert choice.option == np.argmax(value)
        assert choice.improvement == pytest.approx(gain[choice.option], rel=1e-6)
        assert choice.value == pytest.approx(value.max(), rel=1e-6)
        available[choice.option] = False
        column = covariance[:, choice.option]
        covariance = covariance - np.outer(column, column) / (column[choice.option] + noise)


def test_a_label_that_tells_nothing_is_worth_nothing(surrogate):
    vague = options_of()
    vague = LabelOptions(vague.candidate, vague.fidelity, vague.temperature_K, vague.seconds, np.full(len(vague), 1e6))
    chosen = choose_options(surrogate, MATERIALS, vague, target_of(), count=99)
    best = max(choice.improvement for choice in chosen)
    useful = max(
        choice.improvement for choice in choose_options(surrogate, MATERIALS, options_of(), target_of(), count=99)
    )
    assert best < 1e-3 * useful


def test_the_price_decides_between_the_fidelities(surrogate):
    def share_of_dear(**seconds):
        options = options_of(**seconds)
        chosen = choose_options(surrogate, MATERIALS, options, target_of(), count=6)
        return np.mean([options.fidelity[choice.option] for choice in chosen])

    assert share_of_dear(cheap_s=10.0, dear_s=10.0) > 0.5
    assert share_of_dear(cheap_s=10.0, dear_s=1e9) == 0.0


def test_no_option_is_chosen_twice_and_the_budget_ends_the_choice(surrogate):
    options = options_of()
    everything = choose_options(surrogate, MATERIALS, options, target_of(), count=99)
    assert sorted(choice.option for choice in everything) == list(range(len(options)))
    few = choose_options(surrogate, MATERIALS, options, target_of(), count=99, budget_seconds=25.0)
    assert few == everything[: len(few)]
    spent = options.seconds[[choice.option for choice in few]]
    assert spent[:-1].sum() < 25.0 <= spent.sum()


def test_an_error_of_the_highest_fidelity_lowers_the_value_of_every_label(surrogate):
    certain, uncertain = (
        choose_options(surrogate, MATERIALS, options_of(), target_of(deviation=t), count=1)[0].value for t in (0.0, 0.5)
    )
    assert uncertain < certain


def test_cells_of_one_compound_are_no_rivals(surrogate):
    options, count = options_of(kelvins=(1000.0,)), len(MATERIALS)
    zero = np.zeros(count)
    apart = Target(TARGET_K, [str(place) for place in range(count)], zero, zero)
    mean = surrogate.predict(MATERIALS, TARGET_K).mean
    best, second = np.argsort(mean)[::-1][:2]
    names = list(apart.compounds)
    names[second] = names[best]
    together = Target(TARGET_K, names, zero, zero)

    def worth(target):
        chosen = choose_options(surrogate, MATERIALS, options, target, count=len(options))
        first = next(choice for choice in chosen if options.candidate[choice.option] == best)
        return first.improvement

    assert worth(together) < worth(apart)
    alone = choose_options(surrogate, MATERIALS, options, Target(TARGET_K, ["a"] * count, zero, zero), count=1)
    assert alone[0].improvement > 0
