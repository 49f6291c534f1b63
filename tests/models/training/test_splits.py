import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vitrion_models.errors import InputError
from vitrion_models.training import assert_disjoint, grouped_folds, grouped_split

GROUPS = st.lists(st.sampled_from([f"Li-{k}" for k in range(12)]), min_size=2, max_size=60).filter(
    lambda groups: len(set(groups)) > 1
)


@given(groups=GROUPS, fraction=st.floats(0.05, 0.9), seed=st.integers(0, 100))
def test_split_keeps_groups_whole_and_both_sides_filled(groups, fraction, seed):
    train, test = grouped_split(groups, test_fraction=fraction, seed=seed)
    assert sorted([*train, *test]) == list(range(len(groups)))
    assert len(train)
    assert len(test)
    assert_disjoint([groups[row] for row in train], {groups[row] for row in test})


@given(groups=GROUPS, seed=st.integers(0, 100), data=st.data())
def test_folds_keep_groups_whole_and_do_not_depend_on_order(groups, seed, data):
    folds = data.draw(st.integers(2, len(set(groups))))
    fold_of = grouped_folds(groups, folds=folds, seed=seed)
    assert set(fold_of) == set(range(folds))
    by_group = dict(zip(groups, fold_of, strict=True))
    assert [by_group[group] for group in groups] == fold_of.tolist()
    order = data.draw(st.permutations(range(len(groups))))
    again = grouped_folds([groups[row] for row in order], folds=folds, seed=seed)
    assert again.tolist() == fold_of[order].tolist()


def test_a_frozen_test_stays_when_groups_arrive():
    few, many = [f"g{k}" for k in range(40)], [f"g{k}" for k in range(80)]
    test_few = {few[row] for row in grouped_split(few, test_fraction=0.3, seed=5)[1]}
    test_many = {many[row] for row in grouped_split(many, test_fraction=0.3, seed=5)[1]}
    assert test_few == {name for name in test_many if name in few}


def test_share_of_test_groups_is_as_asked():
    groups = [f"g{k}" for k in range(4000)]
    _, test = grouped_split(groups, test_fraction=0.2, seed=1)
    # Binomial deviation 0.0063: five of them, a false alarm in two million.
    assert len(test) / len(groups) == pytest.approx(0.2, abs=0.032)


def test_folds_are_even():
    sizes = np.bincount(grouped_folds([f"g{k}" for k in range(50) for _ in range(4)], folds=5, seed=0))
    assert sizes.tolist() == [40] * 5


@pytest.mark.parametrize(
    "call",
    [
        lambda: assert_disjoint(["a", "b"], {"b"}),
        lambda: grouped_split(["a", "a"], test_fraction=0.5, seed=0),
        lambda: grouped_split(["a", "b"], test_fraction=1.0, seed=0),
        lambda: grouped_folds(["a", "b"], folds=3, seed=0),
    ],
)
def test_refuses_leaks_and_impossible_splits(call):
    with pytest.raises(InputError, match=r"group|fraction"):
        call()
