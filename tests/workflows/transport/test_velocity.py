"""Velocity autocorrelation and Green-Kubo diffusivity against the Ornstein-Uhlenbeck process."""

import numpy as np
import pytest
import walks

from vitrion_models.errors import InputError
from vitrion_workflows.diffusivity.gates import diffusivity
from vitrion_workflows.transport.velocity import VelocitySource, green_kubo, velocity_correlation

MASS_u, TEMPERATURE_K, FRICTION_PER_PS, INTERVAL_PS = 6.94, 1000.0, 10.0, 0.01
D = walks.BOLTZMANN * TEMPERATURE_K / MASS_u / FRICTION_PER_PS
MOTION = {"mass": MASS_u, "temperature": TEMPERATURE_K, "friction": FRICTION_PER_PS, "interval": INTERVAL_PS}


def states(seed, *, frames=601, ions=20):
    return walks.langevin_states(np.random.default_rng(seed), frames=frames, ions=ions, **MOTION)


def test_correlation_of_stored_velocities_is_exponential():
    """C(t) = 3 kT/m exp(-t friction); 3 x 200 walkers of 6 ps know it within some 2 %."""
    positions, velocities = states(0, ions=200)
    correlation = velocity_correlation(positions, INTERVAL_PS, velocities_A_per_ps=velocities)
    expected = 3 * walks.BOLTZMANN * TEMPERATURE_K / MASS_u * np.exp(-FRICTION_PER_PS * correlation.lag_ps[:30])
    np.testing.assert_allclose(correlation.mean_A2_per_ps2[:30], expected, atol=0.03 * expected[0])
    assert correlation.source is VelocitySource.STORED


def test_correlation_of_differences_is_the_triangle_average():
    """u is the mean velocity of an interval: its C is the true one averaged with a triangle, in closed form.

    With a = friction x dt: C(0) = 3 kT/m 2 (a - 1 + e^-a) / a^2, C(n) = 3 kT/m e^-(n-1)a (1 - e^-a)^2 / a^2.
    """
    positions, _ = states(1, ions=200)
    correlation = velocity_correlation(positions, INTERVAL_PS)
    a = FRICTION_PER_PS * INTERVAL_PS
    thermal = 3 * walks.BOLTZMANN * TEMPERATURE_K / MASS_u
    lags = np.arange(1, 30)
    expected = np.concatenate(
        [[2 * (a - 1 + np.exp(-a)) / a**2], np.exp(-(lags - 1) * a) * (1 - np.exp(-a)) ** 2 / a**2]
    )
    np.testing.assert_allclose(correlation.mean_A2_per_ps2[:30], thermal * expected, atol=0.03 * thermal)
    assert correlation.source is VelocitySource.DIFFERENCES


@pytest.mark.parametrize("stored", [True, False], ids=["stored velocities", "differences"])
def test_green_kubo_is_exact_and_its_interval_covers(stored):
    """80 replicas: 95 % has a standard error of 2.4 %, the mean one of the scatter over sqrt(80)."""
    values, inside, stated = [], [], []
    for seed in range(80):
        positions, velocities = states(seed)
        correlation = velocity_correlation(positions, INTERVAL_PS, velocities_A_per_ps=velocities if stored else None)
        integral = green_kubo(positions, correlation)
        values.append(integral.value_cm2_per_s / (D * 1e-4))
        stated.append(integral.stderr_cm2_per_s / (D * 1e-4))
        inside.append(integral.interval_95[0] <= D * 1e-4 <= integral.interval_95[1])
    assert abs(np.mean(values) - 1) < 3.5 * np.std(values) / np.sqrt(80) + 0.01
    assert np.mean(inside) >= 0.87
    assert np.mean(stated) == pytest.approx(np.std(values), rel=0.3)


def test_green_kubo_agrees_with_the_slope():
    positions, velocities = states(3, frames=1201, ions=40)
    slope = diffusivity(positions, INTERVAL_PS)
    for given in (velocities, None):
        integral = green_kubo(positions, velocity_correlation(positions, INTERVAL_PS, velocities_A_per_ps=given))
        error = np.hypot(slope.stderr_cm2_per_s, integral.stderr_cm2_per_s)
        assert abs(integral.value_cm2_per_s - slope.value_cm2_per_s) < 3 * error


def test_vibration_alone_diffuses_not():
    path = walks.rattle(np.random.default_rng(0), frames=801, ions=20, amplitude=0.4, memory=0.2, interval=0.02)
    integral = green_kubo(path, velocity_correlation(path, 0.02))
    assert abs(integral.value_cm2_per_s) < 3 * integral.stderr_cm2_per_s


def test_stored_velocities_too_far_apart_are_not_integrated():
    positions, velocities = states(4)
    correlation = velocity_correlation(positions[::20], 20 * INTERVAL_PS, velocities_A_per_ps=velocities[::20])
    assert green_kubo(positions[::20], correlation) is None


def test_wrong_input_is_refused():
    positions, velocities = states(0, frames=30, ions=2)
    with pytest.raises(InputError, match="frames"):
        velocity_correlation(positions[:10], INTERVAL_PS)
    with pytest.raises(InputError, match="velocities of shape"):
        velocity_correlation(positions, INTERVAL_PS, velocities_A_per_ps=velocities[:-1])


@pytest.mark.parametrize("factor", [10.0, 1e-3, 1 / 98.2, -1.0])
def test_velocities_in_another_unit_are_refused(factor):
    """A/fs, nm/ps or ASE's unit under another name: the integral was wrong by the square, and nobody was told."""
    positions, velocities = states(5)
    with pytest.raises(InputError, match="stored velocities"):
        velocity_correlation(positions, INTERVAL_PS, velocities_A_per_ps=factor * velocities)


@pytest.mark.parametrize("stride", [1, 2, 4, 7])
def test_velocities_of_the_same_motion_are_taken_however_far_apart(stride):
    """A leapfrog engine stores them half a step earlier."""
    positions, velocities = states(6, ions=40)
    for given in (velocities[::stride], 0.5 * (velocities + np.roll(velocities, 1, axis=0))[::stride]):
        correlation = velocity_correlation(positions[::stride], stride * INTERVAL_PS, velocities_A_per_ps=given)
        assert correlation.source is VelocitySource.STORED


def test_ions_that_are_held_fast_do_not_diffuse():
    """Nothing over nothing was a warning; velocities that move nothing are of something else."""
    still = np.zeros((301, 4, 3))
    for velocities in (still, None):
        integral = green_kubo(still, velocity_correlation(still, INTERVAL_PS, velocities_A_per_ps=velocities))
        assert integral.value_cm2_per_s == 0.0
        assert integral.interval_95 is None
    with pytest.raises(InputError, match="velocities are inf times"):
        velocity_correlation(still, INTERVAL_PS, velocities_A_per_ps=still + 1.0)
