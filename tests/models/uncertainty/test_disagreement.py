"""Offset and spread beside statistical errors: simulated truths are covered, and errors are not counted twice."""

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_models.uncertainty import disagreement


@pytest.mark.parametrize(("offset", "spread"), [(0.16, 0.21), (-0.1, 0.05)])
def test_intervals_hold_the_truth(offset, spread):
    """95 % intervals, 100 sets of 20 pairs: fewer than 89 hits happens in 1 % of seeds (binomial)."""
    rng = np.random.default_rng(0)
    held = np.zeros(2)
    for _ in range(100):
        errors = rng.uniform(0.05, 0.15, size=20)
        estimate = disagreement(offset + rng.normal(size=20) * np.hypot(spread, errors), errors)
        held += [
            estimate.offset_95[0] <= offset <= estimate.offset_95[1],
            estimate.spread_95[0] <= spread <= estimate.spread_95[1],
        ]
    assert (held >= 89).all(), held


def test_statistical_errors_alone_are_no_model_error():
    rng = np.random.default_rng(1)
    errors = np.full(60, 0.2)
    estimate = disagreement(rng.normal(size=60) * 0.2, errors)
    assert estimate.spread_decades < 0.1
    assert estimate.spread_95[0] < 0.03
    assert estimate.statistical_decades == pytest.approx(0.2)
    assert estimate.model_error_decades < 0.12


def test_without_errors_it_is_mean_and_deviation():
    differences = np.array([0.1, 0.3, 0.2, 0.25, 0.15, 0.2, 0.22, 0.18] * 4)
    estimate = disagreement(differences, np.full(32, 1e-4))
    assert estimate.offset_decades == pytest.approx(differences.mean(), abs=0.005)
    assert estimate.spread_decades == pytest.approx(differences.std(ddof=1), rel=0.05)


@pytest.mark.parametrize(
    ("differences", "errors"),
    [([0.1, 0.2], [0.1, 0.1]), ([0.1, 0.2, np.nan], [0.1] * 3), ([0.1] * 3, [0.1, 0.1, 0.0]), ([0.1] * 3, [0.1])],
)
def test_what_tells_nothing_is_refused(differences, errors):
    with pytest.raises(InputError):
        disagreement(differences, errors)
