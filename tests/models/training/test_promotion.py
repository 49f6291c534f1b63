import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_models.training import compare_on_frozen_test

GROUPS = [f"g{k // 4}" for k in range(80)]


def errors(scale, seed):
    return np.random.default_rng(seed).normal(0, scale, len(GROUPS))


def test_a_better_child_is_promoted_and_a_worse_one_is_not():
    better = compare_on_frozen_test(errors(0.4, 0), errors(0.1, 1), groups=GROUPS, seed=0)
    worse = compare_on_frozen_test(errors(0.1, 0), errors(0.4, 1), groups=GROUPS, seed=0)
    assert better.promote
    assert better.interval[1] < 0
    assert not worse.promote
    assert worse.interval[0] > 0
    assert "worse beyond chance" in worse.reason


def test_the_same_model_is_a_tie_and_is_promoted():
    same = errors(0.3, 0)
    decision = compare_on_frozen_test(same, same.copy(), groups=GROUPS, seed=0)
    assert decision.promote
    assert decision.mean_difference == 0.0
    assert decision.interval == (0.0, 0.0)


def test_few_test_labels_do_not_promote_a_plainly_worse_model():
    decision = compare_on_frozen_test(
        np.array([0.1, 0.1, 0.5]), np.array([0.1, 0.4, 0.5]), groups=["a", "b", "c"], seed=0
    )
    assert not decision.promote
    assert not compare_on_frozen_test(np.array([0.1]), np.array([0.2]), groups=["a"], seed=0).promote


def test_rare_false_alarms_between_models_of_equal_quality():
    # Independent errors of one size: the child is called worse beyond chance in 2.5 % of the draws; 400 draws have a
    # binomial deviation of 0.8 %, so 6 % is beyond four of them.
    verdicts = [
        compare_on_frozen_test(errors(0.3, 2 * k), errors(0.3, 2 * k + 1), groups=GROUPS, seed=k).reason
        for k in range(400)
    ]
    assert np.mean([text.startswith("worse beyond chance") for text in verdicts]) < 0.06


def test_interval_is_that_of_the_mean_of_groups():
    child, parent = errors(0.3, 1), np.zeros(len(GROUPS))
    decision = compare_on_frozen_test(parent, child, groups=GROUPS, seed=0)
    means = (child**2).reshape(-1, 4).mean(axis=1)
    half = 1.96 * means.std() / np.sqrt(len(means))
    assert decision.mean_difference == pytest.approx(means.mean())
    assert decision.interval == pytest.approx((means.mean() - half, means.mean() + half), rel=0.15)


@pytest.mark.parametrize(
    ("parent", "child", "groups"),
    [
        ([0.1], [0.1, 0.2], ["a"]),
        ([], [], []),
        ([0.1, 0.2], [0.1, np.nan], ["a", "b"]),
        ([0.1, 0.2], [0.1, 0.2], ["a"]),
    ],
)
def test_refuses_rows_that_do_not_match(parent, child, groups):
    with pytest.raises(InputError, match="frozen test"):
        compare_on_frozen_test(np.array(parent), np.array(child), groups=groups, seed=0)
