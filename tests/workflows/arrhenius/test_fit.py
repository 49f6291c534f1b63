"""Arrhenius posterior against exact lines, a brute-force integral and known curves."""

import numpy as np
import pytest
from scipy import stats

from vitrion_models.errors import InputError
from vitrion_workflows.arrhenius.fit import ArrheniusPoint, fit_arrhenius

BOLTZMANN = 8.617333262145179e-5
TEMPERATURES = (800, 1000, 1200, 1500, 2000)


def line(temperature, *, log10_D0=-3.0, Ea=0.3):
    return log10_D0 - Ea / (BOLTZMANN * temperature * np.log(10))


def noisy_points(rng, *, stderr=0.08, temperatures=TEMPERATURES, scatter=0.0, curve=0.0):
    inverse = 1 / np.array(temperatures)
    u = 2 * (inverse - inverse.min()) / np.ptp(inverse) - 1
    noise = rng.normal(scale=np.hypot(stderr, scatter), size=len(temperatures))
    values = line(np.array(temperatures)) + curve * (1 - u**2) + noise
    return [ArrheniusPoint(t, value, stderr) for t, value in zip(temperatures, values, strict=True)]


def brute_force(points, at):
    """Means and deviations of (log10 D0, Ea, scatter, line at a temperature) from a plain cubic grid."""
    D0 = np.linspace(-6, 0, 121)[:, None, None]
    Ea = np.linspace(0, 1.0, 201)[None, :, None]
    scatter = np.linspace(0.002, 1.0, 250)[None, None, :]
    density = stats.norm.logpdf(D0, -2.8, 1.5) - scatter / 0.1
    for point in points:
        value = D0 - Ea / (BOLTZMANN * point.temperature_K * np.log(10))
        if point.censored:
            density = density + stats.norm.logcdf((point.log10_D - value) / np.hypot(0.05, scatter))
        else:
            density = density + stats.norm.logpdf(point.log10_D, value, np.hypot(point.log10_stderr, scatter))
    weight = np.exp(density - density.max())
    weight /= weight.sum()

    def moments(values):
        mean = (weight * values).sum()
        return mean, np.sqrt((weight * (values - mean) ** 2).sum())

    return [moments(values) for values in (D0, Ea, scatter, D0 - Ea / (BOLTZMANN * at * np.log(10)))]


def test_exact_points_give_the_exact_line():
    fit = fit_arrhenius([ArrheniusPoint(t, line(t), 0.001) for t in (600, 800, 1000, 1300, 1700)])
    assert fit.log10_D0 == pytest.approx(-3.0, abs=0.01)
    assert fit.Ea_eV == pytest.approx(0.3, abs=0.001)
    assert fit.scatter_decades < 0.02
    assert not fit.curvature.curved


@pytest.mark.parametrize("censored", [False, True], ids=["measured", "with a bound"])
def test_posterior_is_that_of_a_plain_grid(censored):
    points = noisy_points(np.random.default_rng(3), temperatures=(700, 1000, 1500))
    if censored:
        points.append(ArrheniusPoint(500, line(500) - 0.3, np.inf, censored=True))
    fit = fit_arrhenius(points)
    D0, Ea, scatter, at_400 = brute_force(points, 400)
    prediction = fit.predict(400)
    assert fit.log10_D0 == pytest.approx(D0[0], abs=0.01)
    assert fit.log10_D0_stderr == pytest.approx(D0[1], rel=0.03)
    assert fit.Ea_eV == pytest.approx(Ea[0], abs=0.002)
    assert fit.Ea_stderr_eV == pytest.approx(Ea[1], rel=0.03)
    assert fit.scatter_decades == pytest.approx(scatter[0], rel=0.05)
    assert prediction.log10_D == pytest.approx(at_400[0], abs=0.02)
    assert fit.covariance[0, 0] == pytest.approx(fit.log10_D0_stderr**2)
    np.testing.assert_allclose(fit.covariance, fit.covariance.T)


def test_interval_covers():
    """100 replicas of a truth drawn as the priors say: 95 % of Bayesian intervals hold it, +- 2.2 % standard error."""
    rng = np.random.default_rng(0)
    inside, inside_68 = [], []
    for _ in range(100):
        scatter, D0, Ea = rng.exponential(0.1), rng.normal(-2.8, 1.5), rng.uniform(0.1, 0.6)
        temperatures = (900, 1100, 1400, 1800)
        width = np.hypot(0.05, scatter)
        points = [ArrheniusPoint(t, rng.normal(line(t, log10_D0=D0, Ea=Ea), width), 0.05) for t in temperatures]
        truth = rng.normal(line(600, log10_D0=D0, Ea=Ea), scatter)
        prediction = fit_arrhenius(points).predict(600)
        inside.append(prediction.interval_95[0] <= truth <= prediction.interval_95[1])
        inside_68.append(prediction.interval_68[0] <= truth <= prediction.interval_68[1])
    assert np.mean(inside) >= 0.88
    assert 0.54 <= np.mean(inside_68) <= 0.82


def test_extrapolation_is_flagged_and_wider():
    fit = fit_arrhenius(noisy_points(np.random.default_rng(1)))
    inside, outside = fit.predict(1000.0), fit.predict(300.0)
    assert not inside.extrapolated
    assert outside.extrapolated
    assert outside.log10_stderr > 2 * inside.log10_stderr
    assert np.ptp(inside.line_95) < np.ptp(inside.interval_95)
    assert np.ptp(inside.interval_68) < np.ptp(inside.interval_95)


def test_error_of_a_further_label_widens_its_prediction():
    fit = fit_arrhenius(noisy_points(np.random.default_rng(1)))
    assert np.ptp(fit.predict(700.0, log10_stderr=0.3).interval_95) > np.ptp(fit.predict(700.0).interval_95) + 0.5


def test_labels_weigh_by_their_errors():
    points = [ArrheniusPoint(t, line(t), 0.01) for t in (900, 1000, 1200, 1500, 2000)]
    off = ArrheniusPoint(1250, line(1250) + 1.0, 5.0)
    assert fit_arrhenius([*points, off]).Ea_eV == pytest.approx(fit_arrhenius(points).Ea_eV, abs=0.002)


def test_labels_that_contradict_each_other_tell_their_scatter():
    rng = np.random.default_rng(5)
    temperatures = tuple(np.linspace(700, 2000, 16))
    calm = fit_arrhenius(noisy_points(rng, stderr=0.03, temperatures=temperatures))
    wild = fit_arrhenius(noisy_points(rng, stderr=0.03, temperatures=temperatures, scatter=0.4))
    assert calm.scatter_decades < 0.05
    assert wild.scatter_decades == pytest.approx(0.4, abs=0.15)


def test_bound_above_the_line_changes_little_and_below_it_bends():
    points = [ArrheniusPoint(t, line(t), 0.1) for t in (900, 1200, 1500)]
    free = fit_arrhenius(points)
    loose = fit_arrhenius([*points, ArrheniusPoint(600, line(600) + 3.0, np.inf, censored=True)])
    tight = fit_arrhenius([*points, ArrheniusPoint(600, line(600) - 0.5, np.inf, censored=True)])
    assert loose.Ea_eV == pytest.approx(free.Ea_eV, abs=1e-4)
    assert tight.Ea_eV > free.Ea_eV + 0.02
    assert tight.predict(600.0).log10_D < line(600) - 0.3
    assert (tight.measured, tight.censored) == (3, 1)


def test_energy_is_never_negative():
    rising = [ArrheniusPoint(t, value, 0.05) for t, value in ((800, -4.0), (1000, -4.2), (1300, -4.3))]
    fit = fit_arrhenius(rising)
    assert fit.Ea_95_eV[0] >= 0
    assert fit.Ea_eV > 0


def test_curvature():
    """A bend of 0.5 decades with errors of 0.05 is seen; of 60 straight lines at most 8 are called curved (0.5 %)."""
    rng = np.random.default_rng(2)
    bent = fit_arrhenius(noisy_points(rng, stderr=0.05, temperatures=np.linspace(500, 1500, 9), curve=0.5))
    assert bent.curvature.curved
    assert bent.curvature.decades == pytest.approx(0.5, abs=0.15)
    straight = [fit_arrhenius(noisy_points(rng)).curvature for _ in range(60)]
    assert sum(one.curved for one in straight) <= 8
    assert fit_arrhenius([ArrheniusPoint(t, line(t), 0.1) for t in (900, 1200)]).curvature is None


def test_conductivity_is_nernst_einstein():
    """e^2 n D / (k T) with the exact constants of the SI."""
    fit = fit_arrhenius([ArrheniusPoint(t, line(t, log10_D0=-3, Ea=0.3), 1e-3) for t in (250, 300, 350, 400, 500)])
    conductivity = fit.predict_conductivity(300, squared_charges_per_A3=0.02)
    D = 10 ** fit.predict(300).log10_D
    expected = 1.602176634e-19**2 * 0.02e24 * D / (1.380649e-23 * 300)
    assert conductivity.value_S_per_cm == pytest.approx(expected, rel=1e-9)
    assert (
        conductivity.interval_95[0]
        < conductivity.interval_68[0]
        < expected
        < conductivity.interval_68[1]
        < conductivity.interval_95[1]
    )
    assert not conductivity.extrapolated


@pytest.mark.parametrize(
    "points",
    [
        [],
        [ArrheniusPoint(1000, -5, 0.1)],
        [ArrheniusPoint(1000, -5, 0.1), ArrheniusPoint(1000, -5.1, 0.1)],
        [ArrheniusPoint(1000, -5, 0.1), ArrheniusPoint(1200, -5.1, np.inf, censored=True)],
        [ArrheniusPoint(1000, -5, 0.1), ArrheniusPoint(1200, -5.1, 0.0)],
        [ArrheniusPoint(1000, -5, 0.1), ArrheniusPoint(1200, np.nan, 0.1)],
        [ArrheniusPoint(-1000, -5, 0.1), ArrheniusPoint(1200, -5, 0.1)],
        [ArrheniusPoint(1000, 200, 0.1), ArrheniusPoint(1200, 210, 0.1)],
        [ArrheniusPoint(1000, 40, 0.01), ArrheniusPoint(4800, -3, 0.1)],
    ],
)
def test_too_little_to_fit_is_refused(points):
    with pytest.raises(InputError):
        fit_arrhenius(points)


def test_impossible_questions_are_refused():
    fit = fit_arrhenius([ArrheniusPoint(t, line(t), 0.1) for t in (900, 1200)])
    with pytest.raises(InputError, match="temperature"):
        fit.predict(0)
    with pytest.raises(InputError, match="charge"):
        fit.predict_conductivity(300, squared_charges_per_A3=0.0)


@pytest.mark.parametrize(
    "points",
    [
        [ArrheniusPoint(t, value, 0.05) for t, value in ((600, -4.0), (700, -5.0), (800, -6.0), (900, -7.0))],
        [ArrheniusPoint(800, -4.0, 0.05), ArrheniusPoint(1000, -5.0, 0.05)],
    ],
)
def test_labels_that_fall_with_temperature_have_no_energy(points):
    """Called scatter of 0.8 decades, they were given an energy of 0.17 eV."""
    with pytest.raises(InputError, match="temperature rises"):
        fit_arrhenius(points)


def test_an_error_of_D_itself_is_none_of_its_logarithm():
    """A column of errors in cm2/s made every label exact: 0.300 +- 0.009 eV, of labels known to 10 %."""
    points = [ArrheniusPoint(t, line(t), 0.1 * 10 ** line(t)) for t in (600, 700, 800, 900)]
    with pytest.raises(InputError, match=r"standard error.*0\.0001"):
        fit_arrhenius(points)
