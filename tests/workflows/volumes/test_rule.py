import math

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_workflows.schemas import EstimatedVolume, EstimateSource, VolumeEstimates
from vitrion_workflows.volumes.rule import choose_volume, covariance, weighted_mean


def estimate(source, volume, stderr=0.1, given=None):
    return EstimatedVolume(
        source=source,
        detail="test",
        temperature_K=2000.0,
        volume_A3_per_atom=given or volume,
        expected_A3_per_atom=volume,
        ln_stderr=stderr,
    )


def chosen(rule, *estimates):
    return choose_volume(rule, estimates, temperature_K=2000.0, ln_expansion=(1e-4, 4e-5))


def test_weights_are_inverse_variances_where_errors_are_independent():
    mean, stderr = weighted_mean(np.array([1.0, 2.0]), np.diag([0.1**2, 0.2**2]))
    assert mean == pytest.approx((1.0 / 0.01 + 2.0 / 0.04) / (1 / 0.01 + 1 / 0.04))
    assert stderr == pytest.approx((1 / 0.01 + 1 / 0.04) ** -0.5)


def test_mean_of_correlated_errors_has_the_stated_error():
    errors = np.array([[0.04, 0.03], [0.03, 0.09]])
    draws = np.random.default_rng(1).multivariate_normal([0.0, 0.0], errors, size=20_000)
    means = [weighted_mean(draw, errors)[0] for draw in draws]
    _, stderr = weighted_mean(draws[0], errors)
    assert np.std(means) == pytest.approx(stderr, rel=0.02)
    assert stderr < math.sqrt(0.04)


def test_a_worse_estimate_that_is_correlated_with_a_better_one_is_left_out():
    errors = np.array([[0.06**2, 0.8 * 0.06 * 0.15], [0.8 * 0.06 * 0.15, 0.15**2]])
    assert weighted_mean(np.array([1.0, 2.0]), errors) == pytest.approx((1.0, 0.06))


def test_correlations_of_all_sources_are_those_of_some_errors():
    everything = [estimate(source, 12.0) for source in EstimateSource]
    assert np.linalg.eigvalsh(covariance(everything)).min() > 1e-4


def test_one_estimate_is_its_own_mean():
    volumes = chosen("rule", estimate(EstimateSource.COMPOSITION, 12.0, 0.07))
    assert volumes.volume_A3_per_atom == pytest.approx(12.0)
    assert volumes.ln_stderr == pytest.approx(0.07)


def test_a_number_is_the_volume_at_every_temperature():
    volumes = chosen(17.5, estimate(EstimateSource.COMPOSITION, 12.0))
    assert volumes.at(300.0) == volumes.at(2500.0) == 17.5


def test_a_source_that_was_asked_for_is_taken_with_its_own_error():
    volumes = chosen(
        "zero-pressure",
        estimate(EstimateSource.COMPOSITION, 12.0),
        estimate(EstimateSource.ZERO_PRESSURE, 12.1, given=14.0),
    )
    assert volumes.volume_A3_per_atom == pytest.approx(14.0)


def test_a_source_without_estimate_is_refused_by_name():
    with pytest.raises(InputError, match="measured"):
        chosen("measured", estimate(EstimateSource.COMPOSITION, 12.0))


def test_composition_stands_in_for_a_crystal_that_is_not_there():
    assert chosen("twin", estimate(EstimateSource.COMPOSITION, 12.0)).volume_A3_per_atom == pytest.approx(12.0)


@pytest.mark.parametrize(("ratio", "disagrees"), [(1.09, False), (1.11, True)])
def test_estimates_that_differ_by_more_than_a_tenth_disagree(ratio, disagrees):
    volumes = chosen(
        "rule", estimate(EstimateSource.COMPOSITION, 12.0), estimate(EstimateSource.ZERO_PRESSURE, 12.0 * ratio)
    )
    assert volumes.disagrees is disagrees


def test_volume_follows_the_expansion_and_its_error_grows():
    volumes = chosen("rule", estimate(EstimateSource.COMPOSITION, 12.0, 0.05))
    assert volumes.at(1000.0) == pytest.approx(12.0 * math.exp(-0.1))
    assert volumes.ln_stderr_at(1000.0) == pytest.approx(math.hypot(0.05, 0.04))
    assert VolumeEstimates.model_validate_json(volumes.model_dump_json()) == volumes
