"""Arrhenius line against exact lines and censored ones."""

import numpy as np
import pytest

from vitrion_models.errors import InputError
from vitrion_workflows.transport import ArrheniusPoint, fit_arrhenius

BOLTZMANN = 8.617333262145179e-5


def line(temperature, *, log10_D0=-3.0, Ea=0.3):
    return log10_D0 - Ea / (BOLTZMANN * temperature * np.log(10))


def noisy_points(rng, *, stderr=0.08, temperatures=(800, 1000, 1200, 1500, 2000)):
    return [ArrheniusPoint(t, line(t) + rng.normal(scale=stderr), stderr) for t in temperatures]


def test_exact_points_give_the_exact_line():
    fit = fit_arrhenius([ArrheniusPoint(t, line(t), 0.05) for t in (600, 900, 1300)])
    assert fit.log10_D0 == pytest.approx(-3.0)
    assert fit.Ea_eV == pytest.approx(0.3)
    assert fit.scale == 1.0


def test_interval_covers_and_error_is_the_scatter():
    """400 replicas: coverage of 95 % has 1.1 % standard error; the t interval with scaling is a little wide."""
    rng = np.random.default_rng(0)
    fits = [fit_arrhenius(noisy_points(rng)) for _ in range(400)]
    energies = np.array([fit.Ea_eV for fit in fits])
    assert energies.mean() == pytest.approx(0.3, abs=3 * energies.std() / 20)
    predictions = [fit.predict(1100.0) for fit in fits]
    inside = [p.interval_95[0] <= line(1100.0) <= p.interval_95[1] for p in predictions]
    assert 0.94 <= np.mean(inside) <= 1.0


def test_extrapolation_is_flagged_and_wider():
    fit = fit_arrhenius(noisy_points(np.random.default_rng(1)))
    inside, outside = fit.predict(1000.0), fit.predict(300.0)
    assert not inside.extrapolated
    assert outside.extrapolated
    assert outside.log10_stderr > 3 * inside.log10_stderr


def test_weights_are_the_labels_own():
    points = [ArrheniusPoint(1000, line(1000), 0.01), ArrheniusPoint(1500, line(1500), 0.01)]
    off = ArrheniusPoint(1250, line(1250) + 1.0, 5.0)
    assert fit_arrhenius([*points, off]).Ea_eV == pytest.approx(0.3, abs=0.005)


def test_bound_above_the_line_changes_nothing_and_below_it_bends():
    points = [ArrheniusPoint(t, line(t), 0.1) for t in (900, 1200, 1500)]
    free = fit_arrhenius(points)
    loose = fit_arrhenius([*points, ArrheniusPoint(600, line(600) + 1.0, np.inf, censored=True)])
    tight = fit_arrhenius([*points, ArrheniusPoint(600, line(600) - 0.5, np.inf, censored=True)])
    assert loose.Ea_eV == pytest.approx(free.Ea_eV, abs=1e-4)
    assert tight.Ea_eV > free.Ea_eV + 0.02
    assert tight.predict(600.0).log10_D < line(600) - 0.3


@pytest.mark.parametrize(
    "points",
    [
        [],
        [ArrheniusPoint(1000, -5, 0.1)],
        [ArrheniusPoint(1000, -5, 0.1), ArrheniusPoint(1000, -5.1, 0.1)],
        [ArrheniusPoint(1000, -5, 0.1), ArrheniusPoint(1200, -5.1, np.inf, censored=True)],
        [ArrheniusPoint(1000, -5, 0.1), ArrheniusPoint(1200, -5.1, 0.0)],
    ],
)
def test_too_little_to_fit_is_told(points):
    with pytest.raises(InputError):
        fit_arrhenius(points)
