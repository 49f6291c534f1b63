"""Density of states against oscillators and the Ornstein-Uhlenbeck process."""

import numpy as np
import pytest
import walks

from vitrion_models.errors import InputError
from vitrion_workflows.analysis import vibrational_density
from vitrion_workflows.transport.velocity import velocity_correlation

INTERVAL_PS = 0.005


def oscillators(frequencies_THz, *, frames=2001, each=10, seed=0):
    """Harmonic motion of equal kinetic energy at each frequency."""
    rng = np.random.default_rng(seed)
    times = INTERVAL_PS * np.arange(frames)[:, None]
    parts = [
        np.cos(2 * np.pi * frequency * times + rng.uniform(0, 2 * np.pi, 3)) / frequency
        for frequency in frequencies_THz
        for _ in range(each)
    ]
    return np.stack(parts, axis=1)


def density_of(path, *, longest_lag_ps=3.0, interval=INTERVAL_PS, velocities=None):
    correlation = velocity_correlation(path, interval, velocities_A_per_ps=velocities)
    return vibrational_density(
        correlation.mean_A2_per_ps2, interval, longest_lag_ps=longest_lag_ps, from_differences=velocities is None
    )


def test_lines_stand_where_they_belong_with_equal_weight():
    lines = (3.0, 7.0, 25.0)
    density = density_of(oscillators(lines))
    step = density.frequency_THz[1]
    assert density.density_per_THz.sum() * step == pytest.approx(1.0)
    for line in lines:
        near = np.abs(density.frequency_THz - line) < 1.5
        assert density.frequency_THz[near][np.argmax(density.density_per_THz[near])] == pytest.approx(line, abs=0.1)
        assert density.density_per_THz[near].sum() * step == pytest.approx(1 / 3, abs=0.02)
        high = density.frequency_THz[near][density.density_per_THz[near] > density.density_per_THz[near].max() / 2]
        assert np.ptp(high) == pytest.approx(density.resolution_THz, abs=2 * step)
    assert density.centre_THz == pytest.approx(np.mean(lines), rel=0.02)
    assert density.resolved


def test_correction_of_differences_restores_what_velocities_show():
    """At 50 THz and 5 fs sinc^2(f dt) is 0.81: uncorrected, half of the energy shows as 0.45 of it."""
    path = oscillators((3.0, 50.0))
    velocities = np.gradient(path, INTERVAL_PS, axis=0, edge_order=2)
    raw = density_of(path, velocities=np.concatenate([np.diff(path, axis=0) / INTERVAL_PS, velocities[-1:]]))
    fixed = density_of(path)

    def upper(density):
        return density.density_per_THz[density.frequency_THz > 30].sum() * density.frequency_THz[1]

    assert upper(fixed) == pytest.approx(0.5, abs=0.01)
    assert upper(raw) == pytest.approx(np.sinc(0.25) ** 2 / (1 + np.sinc(0.25) ** 2), abs=0.01)


def test_value_at_zero_is_the_diffusivity():
    """g(0) = 4 D m / kT, and g(f) = (4 / friction) / (1 + (2 pi f / friction)^2) for free particles with friction."""
    friction, mass, temperature, interval = 8.0, 6.94, 1000.0, 0.02
    positions, velocities = walks.langevin_states(
        np.random.default_rng(1),
        frames=2001,
        ions=60,
        mass=mass,
        temperature=temperature,
        friction=friction,
        interval=interval,
    )
    for given in (velocities, None):
        density = density_of(positions, longest_lag_ps=2.0, interval=interval, velocities=given)
        expected = 4 / friction / (1 + (2 * np.pi * density.frequency_THz / friction) ** 2)
        low = density.frequency_THz < 4
        np.testing.assert_allclose(density.density_per_THz[low], expected[low], atol=0.06 * expected[0])


def test_vibrations_beyond_the_band_are_suspected():
    """At 50 fs frames see 10 THz; 9 THz lie at its edge, and 12 THz would be folded to 8."""
    path = oscillators((9.0,), frames=4001)[::10]
    assert not density_of(path, interval=10 * INTERVAL_PS).resolved


def test_too_short_and_too_still_are_refused():
    with pytest.raises(InputError, match="lags"):
        vibrational_density(np.ones(10), 0.01, longest_lag_ps=1.0, from_differences=True)
    with pytest.raises(InputError, match="motion"):
        vibrational_density(np.zeros(100), 0.01, longest_lag_ps=1.0, from_differences=True)
