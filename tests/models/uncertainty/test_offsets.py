"""Offsets of methods: the closed posterior against textbook cases and against simulated truths."""

import math

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_models.uncertainty.offsets import Comparison, PriorDeviations, Subject, posterior_offsets

PRIOR = PriorDeviations(method=0.2, chemistry=0.15, compound=0.1)


def test_without_a_comparison_the_prior_comes_back():
    (offset,) = posterior_offsets([], [Subject("a", "oxide", "Li2O")], prior=PRIOR)
    assert (offset.mean, offset.shared_stderr) == pytest.approx((0, math.hypot(0.2, 0.15)))
    assert offset.stderr == pytest.approx(math.hypot(0.2, 0.15, 0.1))


def test_one_comparison_is_shrunk_as_the_textbook_has_it():
    """Normal mean with given variances: posterior mean d V / (V + s^2), variance V s^2 / (V + s^2)."""
    prior = math.hypot(0.2, 0.15, 0.1) ** 2
    (offset,) = posterior_offsets(
        [Comparison(0.6, 0.2, Subject("a", "oxide", "Li2O"))], [Subject("a", "oxide", "Li2O")], prior=PRIOR
    )
    assert offset.mean == pytest.approx(0.6 * prior / (prior + 0.04))
    assert offset.stderr == pytest.approx(math.sqrt(prior * 0.04 / (prior + 0.04)))


def test_a_difference_of_two_methods_is_divided_equally():
    cell = ("oxide", "Li2O")
    both = posterior_offsets(
        [Comparison(0.6, 1e-6, Subject("a", *cell), Subject("b", *cell))],
        [Subject("a", *cell), Subject("b", *cell)],
        prior=PRIOR,
    )
    assert [one.mean for one in both] == pytest.approx([0.3, -0.3], abs=1e-6)
    # If the offset of the reference is fixed, the difference belongs to the other.
    sure = Comparison(0.0, 1e-6, Subject("b", *cell))
    fixed = posterior_offsets(
        [Comparison(0.6, 1e-6, Subject("a", *cell), Subject("b", *cell)), sure], [Subject("a", *cell)], prior=PRIOR
    )
    assert fixed[0].mean == pytest.approx(0.6, abs=1e-5)


def test_another_class_is_less_informed_and_another_compound_keeps_its_own_part():
    many = [Comparison(0.6, 0.01, Subject("a", "halide", f"{n}")) for n in range(100)]
    same, other = posterior_offsets(many, [Subject("a", "halide", "new"), Subject("a", "oxide", "new")], prior=PRIOR)
    assert same.mean == pytest.approx(0.6, abs=0.02)
    assert same.shared_stderr < 0.02
    assert same.stderr == pytest.approx(math.hypot(same.shared_stderr, 0.1), rel=1e-3)
    assert 0.2 < other.mean < 0.5
    assert other.shared_stderr > 0.15


def covariance(first, second):
    """Of two offsets before any comparison: the variances of the parts that they have in common."""
    if second is None or first.method != second.method:
        return 0.0
    akin = first.chemistry == second.chemistry
    return 0.2**2 + 0.15**2 * akin + 0.1**2 * (akin and first.compound == second.compound != "")


def test_the_posterior_is_that_of_conditioning_a_gaussian_on_the_data():
    """Mean C' (C + S)^-1 y and covariance C0 - C' (C + S)^-1 C (Rasmussen and Williams 2006, equation 2.19)."""
    rng = np.random.default_rng(4)
    every = [
        Subject(method, chemistry, compound)
        for method in "abc"
        for chemistry in ("oxide", "halide", "alloy")
        for compound in ("", "1", "2", "3")
    ]
    for _ in range(20):
        compared = [every[place] for place in rng.integers(0, len(every) - 12, (6,))]  # of "c" nothing is known
        others = [None if rng.random() < 0.5 else every[place] for place in rng.integers(0, 24, 6)]
        values, errors = rng.normal(size=6), rng.uniform(0.01, 0.5, 6)
        sides = list(zip(compared, others, strict=True))

        def of_pair(subject, pair):
            return covariance(subject, pair[0]) - covariance(subject, pair[1])

        data = np.array(
            [[of_pair(a, pair) - (of_pair(b, pair) if b else 0) for pair in sides] for a, b in sides]
        ) + np.diag(errors**2)
        comparisons = [
            Comparison(value, error, *pair) for value, error, pair in zip(values, errors, sides, strict=True)
        ]
        for subject, offset in zip(every, posterior_offsets(comparisons, every, prior=PRIOR), strict=True):
            cross = np.array([of_pair(subject, pair) for pair in sides])
            assert offset.mean == pytest.approx(cross @ np.linalg.solve(data, values), abs=1e-9)
            variance = covariance(subject, subject) - cross @ np.linalg.solve(data, cross)
            assert offset.stderr == pytest.approx(math.sqrt(variance), rel=1e-7)


def test_offsets_of_a_large_pool_need_no_large_matrix():
    """20 000 compounds: a matrix of them all would be 3 GB."""
    subjects = [Subject("a", "oxide", str(number)) for number in range(20_000)]
    offsets = posterior_offsets([Comparison(0.6, 0.2, subjects[0])], subjects, prior=PRIOR)
    assert offsets[0].mean > offsets[1].mean == offsets[-1].mean


def test_deviations_are_those_of_simulated_truths():
    """Truths drawn from the prior, 400 sets: mean z^2 of 2 offsets within 5 standard errors (1e-6) of one."""
    rng = np.random.default_rng(3)
    squares = []
    for _ in range(400):
        method, chemistry = 0.2 * rng.normal(), {"x": 0.15 * rng.normal(), "y": 0.15 * rng.normal()}
        own = 0.1 * rng.normal(size=6)
        compounds = [("x", 0), ("x", 1), ("x", 2), ("y", 3)]
        comparisons = [
            Comparison(
                method + chemistry[name] + own[place] + 0.05 * rng.normal(), 0.05, Subject("a", name, str(place))
            )
            for name, place in compounds
        ]
        subjects = [Subject("a", "x", "2"), Subject("a", "y", "5")]
        truth = [method + chemistry["x"] + own[2], method + chemistry["y"] + own[5]]
        offsets = posterior_offsets(comparisons, subjects, prior=PRIOR)
        squares += [((offset.mean - value) / offset.stderr) ** 2 for offset, value in zip(offsets, truth, strict=True)]
    assert np.mean(squares) == pytest.approx(1.0, abs=5 * math.sqrt(2 / len(squares)))


@pytest.mark.parametrize(("value", "stderr"), [(math.nan, 0.1), (0.1, 0.0), (0.1, math.inf)])
def test_comparisons_need_finite_values_and_positive_errors(value, stderr):
    with pytest.raises(InputError, match="comparison"):
        posterior_offsets([Comparison(value, stderr, Subject("a", "x"))], [Subject("a", "x")], prior=PRIOR)
