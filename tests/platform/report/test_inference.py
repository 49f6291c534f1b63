import numpy as np
import pytest
from scipy import stats

from vitrion.report.inference import central_coverage, difference_of_means, wilson


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
