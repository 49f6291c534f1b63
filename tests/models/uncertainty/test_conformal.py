import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, t

from vitrion_models.errors import InputError
from vitrion_models.uncertainty import grouped_quantile, score_quantile, student_factor


@given(scores=st.lists(st.floats(0, 10), min_size=19, max_size=80), level=st.floats(0.5, 0.95))
def test_with_one_row_a_group_it_is_the_split_conformal_quantile(scores, level):
    # Vovk et al.: the ceil((n + 1) level)-th smallest score.
    rank = math.ceil((len(scores) + 1) * level - 1e-9)
    expected = sorted(scores)[rank - 1] if rank <= len(scores) else math.inf
    assert grouped_quantile(np.array(scores), [str(k) for k in range(len(scores))], level=level) == expected


def test_repeating_the_rows_of_a_group_changes_nothing():
    scores = np.random.default_rng(0).exponential(size=25)
    groups = [str(k) for k in range(25)]
    repeats = np.array([1, 7, *([1] * 23)])
    repeated = grouped_quantile(np.repeat(scores, repeats), np.repeat(groups, repeats).tolist(), level=0.9)
    assert repeated == grouped_quantile(scores, groups, level=0.9)


def test_covers_rows_of_new_groups_whose_rows_are_correlated():
    # 600 draws of 25 groups x 4 rows and one new group each. Nominal 90 %; the binomial deviation of
    # the group means is below 0.011, so four of them bound the share from below with a false alarm in 30,000.
    rng = np.random.default_rng(1)
    inside = []
    for _ in range(600):
        rows = np.abs(rng.normal(size=(26, 1)) + 0.3 * rng.normal(size=(26, 4)))
        groups = np.repeat([str(k) for k in range(25)], 4).tolist()
        inside.append(np.mean(rows[25] <= grouped_quantile(rows[:25].ravel(), groups, level=0.9)))
    assert 0.9 - 0.044 < np.mean(inside) < 0.97


@pytest.mark.parametrize(("groups", "method"), [(0, "student"), (5, "student"), (18, "student"), (19, "conformal")])
def test_falls_back_below_nineteen_groups(groups, method):
    scores = np.random.default_rng(0).exponential(size=groups)
    quantile = score_quantile(scores, [str(k) for k in range(groups)], prior_scale=1.5)
    assert quantile.method == method
    assert quantile.groups == groups
    assert math.isfinite(quantile.factor)


def test_fallback_starts_at_the_prior_and_ends_at_the_normal():
    assert student_factor(np.zeros(0), [], level=0.95, prior_scale=2.0) == pytest.approx(2.0 * t.ppf(0.975, 3))
    many = np.abs(np.random.default_rng(0).normal(size=4000))
    wide = student_factor(many, [str(k) for k in range(4000)], level=0.95, prior_scale=2.0)
    assert wide == pytest.approx(norm.ppf(0.975), rel=0.05)


def test_fallback_narrows_with_each_group_that_fits():
    factors = [
        student_factor(np.full(n, 0.5), [str(k) for k in range(n)], level=0.95, prior_scale=1.5) for n in (0, 2, 8)
    ]
    assert factors[0] > factors[1] > factors[2] > 0.5 * norm.ppf(0.975)


@pytest.mark.parametrize(
    ("scores", "groups", "level"),
    [([1.0], [], 0.9), ([np.nan], ["a"], 0.9), ([1.0], ["a"], 1.0), ([1.0], ["a"], 0.0)],
)
def test_refuses_what_is_no_score(scores, groups, level):
    with pytest.raises(InputError, match=r"conformal|coverage"):
        grouped_quantile(np.array(scores), groups, level=level)
