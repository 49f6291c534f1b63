import math

import numpy as np
import pytest
from scipy import stats

from vitrion.report.inference import arrhenius, central_coverage, difference_of_means, wilson


def test_arrhenius_recovers_a_known_line_and_numpys_errors():
    temperatures = np.array([600.0, 800.0, 1000.0, 1500.0])
    k_ln10 = 8.617333262e-5 * math.log(10)
    values = -3.0 - 0.35 / (k_ln10 * temperatures)
    errors = np.array([0.1, 0.05, 0.08, 0.2])
    line = arrhenius(temperatures, values, errors)
    assert line.Ea_eV == pytest.approx(0.35)
    assert line.log10_D0 == pytest.approx(-3.0)
    assert line.log10_D(700.0) == pytest.approx(-3.0 - 0.35 / (k_ln10 * 700))
    _, covariance = np.polyfit(-1 / (k_ln10 * temperatures), values, 1, w=1 / errors, cov="unscaled")
    assert line.Ea_stderr_eV == pytest.approx(math.sqrt(covariance[0, 0]))


def test_one_temperature_makes_no_line():
    assert arrhenius([1000.0, 1000.0], [-4.0, -4.1], [0.1, 0.1]) is None
    assert arrhenius([], [], []) is None


def test_difference_is_welchs():
    rng = np.random.default_rng(3)
    first, second = rng.normal(0.5, 1.0, 9), rng.normal(0.0, 0.3, 5)
    found = difference_of_means(first, second)
    expected = stats.ttest_ind(first, second, equal_var=False).confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((expected.low, expected.high))
    assert found.decided == (stats.ttest_ind(first, second, equal_var=False).pvalue < 0.05)
    assert found.detectable > (found.high - found.low) / 2


@pytest.mark.parametrize(("first", "second"), [([1.0], [1.0, 2.0]), ([], []), ([1.0, 1.0], [1.0, 1.0])])
def test_too_little_is_no_difference(first, second):
    assert difference_of_means(first, second) is None


@pytest.mark.parametrize(("successes", "count"), [(0, 3), (3, 3), (17, 18), (5, 10)])
def test_wilson_is_scipys(successes, count):
    expected = stats.binomtest(successes, count).proportion_ci(0.95, method="wilson")
    low, high = wilson(successes, count)
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_coverage_of_a_normal_sample_is_nominal():
    # 4,000 truths: the share has a standard error below 0.008; four of them is a false alarm in 16,000.
    residuals = np.random.default_rng(11).normal(0, 2.0, 4000)
    for level in (0.5, 0.9, 0.95):
        inside, number = central_coverage(residuals, [2.0] * 4000, level)
        assert inside / number == pytest.approx(level, abs=0.032)
