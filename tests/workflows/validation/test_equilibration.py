"""Equilibration by maximal number of independent samples."""

import numpy as np
import pytest

from vitrion_workflows.validation.equilibration import equilibration, equilibration_end, statistical_inefficiency


def autoregressive(rng, *, count, memory):
    """AR(1) with correlation memory^k: statistical inefficiency (1 + memory) / (1 - memory)."""
    noise = rng.normal(size=count)
    values = np.zeros(count)
    for index in range(1, count):
        values[index] = memory * values[index - 1] + noise[index]
    return values


@pytest.mark.parametrize("memory", [0.0, 0.5, 0.9])
def test_inefficiency_of_an_autoregressive_series(memory):
    """Mean of 20 series of 4000. Cutting the sum at the first negative pair overestimates a little, which is safe."""
    rng = np.random.default_rng(0)
    estimates = [statistical_inefficiency(autoregressive(rng, count=4000, memory=memory)) for _ in range(20)]
    exact = (1 + memory) / (1 - memory)
    assert 0.95 * exact < np.mean(estimates) < 1.25 * exact


def test_constant_series_has_no_inefficiency():
    assert statistical_inefficiency(np.ones(100)) == 1.0


def test_stationary_series_keeps_nearly_everything():
    rng = np.random.default_rng(1)
    discarded = [equilibration_end(autoregressive(rng, count=600, memory=0.8))[0] for _ in range(30)]
    assert np.median(discarded) < 60


@pytest.mark.parametrize("relaxation", [20, 60])
def test_relaxation_is_discarded(relaxation):
    rng = np.random.default_rng(2)
    ramp = 20 * np.exp(-np.arange(600) / relaxation)
    discarded = [equilibration_end(autoregressive(rng, count=600, memory=0.8) + ramp)[0] for _ in range(20)]
    assert np.median(discarded) > relaxation
    assert np.median(discarded) < 6 * relaxation


def test_latest_of_several_series_decides_and_is_named():
    rng = np.random.default_rng(3)
    quiet = rng.normal(size=400)
    ramp = quiet + 30 * np.exp(-np.arange(400) / 30)
    equilibrated = equilibration({"temperature": quiet, "potential energy": ramp})
    assert equilibrated.series == "potential energy"
    assert equilibrated.frames > 60


def test_without_any_series_nothing_is_discarded():
    assert equilibration({}).frames == 0
