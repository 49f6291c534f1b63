import numpy as np
import pytest

from vitrion.database.records import Arm
from vitrion.learning.acquisition.design import choose_test_formulas, first_proposals
from vitrion.learning.acquisition.forecast import Forecast
from vitrion.learning.acquisition.pool import Candidate
from vitrion.learning.acquisition.selection import (
    choose_proposals,
    label_correlation,
    label_temperature,
    resolvable_log10_D,
)
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem

KELVIN = np.array([1000.0, 1500.0, 2000.0])
SYSTEM = AtomicSystem(numbers=[3, 17], positions_A=np.array([[0, 0, 0], [2, 2, 2.0]]), lattice_A=np.eye(3) * 5)


def candidate(formula, *proposed):
    return Candidate(formula, f"cell of {formula}", is_cell=True, material=SYSTEM, proposed_K=frozenset(proposed))


def forecast(at_target, *, slope=0.5, std=0.3, seed=0, offset=0.0, model=0.1):
    at_target = np.asarray(at_target, float)
    mean = at_target + slope * np.arange(3)[:, None]
    members = at_target + std * np.random.default_rng(seed).normal(size=(5, len(at_target)))
    off, sure = (np.zeros(len(at_target)) + value for value in (offset, model))
    return Forecast(KELVIN, mean, np.full_like(mean, std), members, 0, off, sure)


def choose(pool, given, **changes):
    settings = {
        "function": "upper_confidence_bound",
        "exploration": 1.0,
        "incumbent": -5.0,
        "label_noise": 0.1,
        "batch": 4,
        "random": 1,
        "floor_log10_D": -6.0,
        "seed": 5,
    }
    return choose_proposals(pool, given, **{**settings, **changes})


def test_ten_picoseconds_resolve_five_in_a_million():
    assert 10 ** resolvable_log10_D(10.0) == pytest.approx(5e-6)


def test_the_coldest_resolvable_temperature_is_labelled():
    given = forecast([-5.0, -6.4, -9.0])
    floor = -6.0
    assert label_temperature(given, 0, candidate("A"), floor_log10_D=floor) == 1000
    assert label_temperature(given, 0, candidate("A", 1000.0), floor_log10_D=floor) == 1500
    assert label_temperature(given, 1, candidate("B"), floor_log10_D=floor) == 1500
    assert label_temperature(given, 2, candidate("C"), floor_log10_D=floor) == 2000
    assert label_temperature(given, 2, candidate("C", *KELVIN), floor_log10_D=floor) is None


def test_a_batch_holds_both_arms_and_no_candidate_twice():
    pool = [candidate(name) for name in "ABCDEFG"]
    proposals = choose(pool, forecast(np.linspace(-6, -4, 7)))
    arms = [proposal.arm for proposal in proposals]
    assert arms.count(Arm.RANDOM) == 1
    assert arms.count(Arm.ACQUISITION) == 3
    assert len({proposal.source_fingerprint for proposal in proposals}) == 4
    assert all(proposal.acquisition is not None for proposal in proposals if proposal.arm == Arm.ACQUISITION)
    assert {(proposal.model_offset, proposal.model_std) for proposal in proposals} == {(0.0, 0.1)}
    assert proposals == choose(pool, forecast(np.linspace(-6, -4, 7)))


def test_the_random_arm_does_not_see_the_forecast():
    pool = [candidate(name) for name in "ABCDEFG"]
    picks = {
        next(p.formula for p in choose(pool, forecast(level), seed=9) if p.arm == Arm.RANDOM)
        for level in (np.linspace(-6, -4, 7), np.linspace(-4, -6, 7), np.zeros(7))
    }
    assert len(picks) == 1


def test_a_small_pool_is_exhausted_without_repetition():
    proposals = choose([candidate("A"), candidate("B")], forecast([-5, -5]))
    assert {proposal.formula for proposal in proposals} == {"A", "B"}


def test_cells_of_one_composition_are_correlated():
    members = np.random.default_rng(1).normal(size=(5, 3))
    correlation = label_correlation(members, ["A", "A", "B"])
    assert correlation[0, 1] >= 0.9
    assert np.allclose(np.diag(correlation), 1)
    assert np.allclose(correlation, correlation.T)
    assert correlation[0, 2] < 0.6  # five members cannot claim more


GROUPS = {"Li2O": "Li-O", "Li2O2": "Li-O", "LiCl": "Cl-Li", "LiF": "F-Li", "Li2S": "Li-S"}


@pytest.mark.parametrize("seed", range(20))
def test_the_frozen_test_takes_whole_chemical_systems(seed):
    test = choose_test_formulas(GROUPS, count=2, seed=seed)
    assert len(test) >= 2
    assert not {GROUPS[name] for name in test} & {GROUPS[name] for name in set(GROUPS) - set(test)}


def test_a_test_that_takes_everything_is_refused():
    with pytest.raises(InputError, match="leave none"):
        choose_test_formulas({"Li2O": "Li-O", "Li2O2": "Li-O"}, count=1, seed=0)


def test_the_first_design_spreads_over_compositions_and_temperatures():
    sources = {name: f"crystal of {name}" for name in GROUPS}
    proposals = first_proposals(sources, test_formulas=["LiF"], temperatures_K=KELVIN, initial=8, seed=4)
    test = [p for p in proposals if p.arm == Arm.TEST]
    first = [p for p in proposals if p.arm == Arm.INITIAL]
    assert {(p.formula, p.temperature_K) for p in test} == {("LiF", 1000.0), ("LiF", 2000.0)}
    assert len(first) == 8
    assert {p.formula for p in first} == set(GROUPS) - {"LiF"}
    assert {p.temperature_K for p in first} == set(KELVIN)
    assert len({(p.formula, p.temperature_K) for p in first}) == 8
