import numpy as np
import pytest
from scipy.stats import binomtest, kstest

from vitrion_models.errors import InputError
from vitrion_models.uncertainty import (
    coverage,
    expected_normalised_calibration_error,
    interval_score,
    miscalibration_area,
    probability_integral_transform,
)


@pytest.fixture(name="sample")
def make_sample():
    rng = np.random.default_rng(0)
    mean, deviation = rng.normal(size=4000), rng.uniform(0.2, 2.0, 4000)
    return mean + deviation * rng.normal(size=4000), mean, deviation


@pytest.mark.parametrize(("inside", "count"), [(19, 20), (20, 20), (0, 7), (300, 400)])
def test_coverage_has_the_wilson_interval_of_scipy(inside, count):
    truth = np.r_[np.zeros(inside), np.full(count - inside, 9.0)]
    estimate = coverage(truth, np.full(count, -1.0), np.full(count, 1.0))
    expected = binomtest(inside, count).proportion_ci(method="wilson")
    assert (estimate.share, estimate.count) == (inside / count, count)
    assert (estimate.lower, estimate.upper) == pytest.approx((expected.low, expected.high))


def test_calibrated_deviations_pass_each_measure(sample):
    truth, mean, deviation = sample
    assert kstest(probability_integral_transform(truth, mean, deviation), "uniform").pvalue > 1e-3
    assert miscalibration_area(truth, mean, deviation) < 0.02
    assert expected_normalised_calibration_error(truth, mean, deviation) < 0.06


def test_overconfidence_shows_in_each_measure(sample):
    truth, mean, deviation = sample
    assert miscalibration_area(truth, mean, deviation / 3) > 0.2
    # Deviations three times too small: |s - 3 s| / s = 2.
    assert expected_normalised_calibration_error(truth, mean, deviation / 3) == pytest.approx(2.0, abs=0.1)


def test_interval_score_is_least_for_the_true_quantiles(sample):
    truth, mean, deviation = sample
    scores = [interval_score(truth, mean - k * deviation, mean + k * deviation) for k in (1.2, 1.96, 3.2)]
    assert scores[1] == min(scores)


def test_interval_score_by_hand():
    # Width 2, missed by 1: 2 + (2 / 0.05) * 1.
    assert interval_score(np.array([2.0]), np.array([-1.0]), np.array([1.0])) == pytest.approx(42.0)


def test_refuses_nothing_to_judge():
    with pytest.raises(InputError, match="coverage"):
        coverage(np.zeros(0), np.zeros(0), np.zeros(0))
    with pytest.raises(InputError, match="bins"):
        expected_normalised_calibration_error(np.zeros(3), np.zeros(3), np.ones(3))
