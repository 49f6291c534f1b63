"""Collective diffusivity, Haven ratio and conductivity against motions whose correlations are known."""

import numpy as np
import pytest
import walks
from scipy import constants

from vitrion_models.conductivity import conductivity_per_diffusivity
from vitrion_models.errors import InputError
from vitrion_workflows.diffusivity.gates import diffusivity
from vitrion_workflows.diffusivity.regression import fit_line
from vitrion_workflows.transport import collective
from vitrion_workflows.transport.collective import collective_diffusivity, haven_ratio, in_host_frame
from vitrion_workflows.transport.conductivity import (
    ChargeCarriers,
    charges_of,
    collective_conductivity,
    nernst_einstein,
)

INTERVAL_PS = 0.02
FRAMES, IONS, D = 401, 16, 0.5


def vacancies(rng):
    return walks.vacancy_gas(rng, frames=401, sites=4, vacancies=16, rate=0.15, interval=0.05)


# Exact: independent ions D; groups of n, n D. A lattice gas has no correlation in its sum (each exchange of an ion and
# a vacancy is as likely as its reverse from where it stands): rate x pairs of ion and vacancy x a^2 / (6 N).
SHORT = {"frames": FRAMES, "ions": IONS, "D": D, "interval": INTERVAL_PS}
MOTIONS = {
    "independent": (lambda r: walks.brownian(r, **SHORT), 0.02, D),
    "groups of four": (lambda r: walks.groups(r, size=4, **SHORT), 0.02, 4 * D),
    "channels": (lambda r: walks.brownian(r, frames=601, ions=IONS, D=D, interval=0.2) * np.sqrt([3, 0, 0]), 0.2, D),
    "cage and jumps": (lambda r: walks.caged_hops(r, **SHORT), 0.02, D),
    "lattice gas": (vacancies, 0.05, 0.15 * (6 * 16 * 48 / 63) * 9 / (6 * 48)),
}


@pytest.mark.parametrize("name", MOTIONS)
def test_collective_diffusivity_covers(name):
    """60 replicas: 95 % has a standard error of 2.8 %, the mean one of the scatter over sqrt(60)."""
    motion, interval, truth = MOTIONS[name]
    rng = np.random.default_rng(11)
    paths = [motion(rng) for _ in range(60)]
    estimates = [collective_diffusivity(path, np.ones(path.shape[1]), interval) for path in paths]
    values = np.array([one.value_cm2_per_s for one in estimates]) / (truth * 1e-4)
    inside = [
        one.intervals.interval_95[0] <= truth * 1e-4 <= one.intervals.interval_95[1]
        for one in estimates
        if one.intervals
    ]
    assert len(inside) > 45
    assert np.mean(inside) > 0.85
    assert abs(values.mean() - 1) < 3.5 * values.std() / np.sqrt(60)


def test_rattling_that_lasts_is_not_taken_for_new_in_every_frame():
    """Soft cages, 15 frames of memory: 120 runs, 93.0 % (400 other runs) of 95 % intervals hold D.

    105 or fewer of 120 do in 2.1 % of seeds. With the covariance of a rattle that is new in every frame it was 81 %,
    of which 2.2 % of seeds have more: tighter or looser, one of the two would be tested less well.
    """
    rng = np.random.default_rng(12)
    motion = {"frames": 601, "ions": 24, "D": 0.1, "interval": INTERVAL_PS, "memory": 0.3, "amplitude": 0.5}
    estimates = [collective_diffusivity(walks.caged_hops(rng, **motion), np.ones(24), INTERVAL_PS) for _ in range(120)]
    inside = [
        one.intervals.interval_95[0] <= 0.1e-4 <= one.intervals.interval_95[1] for one in estimates if one.intervals
    ]
    assert len(inside) > 110
    assert np.mean(inside) > 0.88


@pytest.mark.parametrize("frames", [601, 1001])
def test_the_window_is_that_of_the_fit_where_frames_are_left_out(monkeypatch, frames):
    """Soft cages leave out all but every few frames: lags are counted in what is left."""
    fits = []

    def spied(msd, lags, *, increments):
        fits.append((lags, increments))
        return fit_line(msd, lags, increments=increments)

    monkeypatch.setattr(collective, "fit_line", spied)
    motion = {"frames": frames, "ions": 24, "D": 0.1, "interval": INTERVAL_PS, "memory": 0.5, "amplitude": 0.5}
    collective_estimate = collective_diffusivity(
        walks.caged_hops(np.random.default_rng(1), **motion), np.ones(24), INTERVAL_PS
    )
    ((lags, increments),) = fits
    stride = round((frames - 1) / increments)
    assert stride > 1
    assert collective_estimate.fit_window_ps == pytest.approx(
        (lags[0] * stride * INTERVAL_PS, lags[-1] * stride * INTERVAL_PS)
    )


def test_sign_and_size_of_charges():
    path = walks.brownian(np.random.default_rng(0), **SHORT)
    one = collective_diffusivity(path, np.ones(IONS), INTERVAL_PS)
    assert collective_diffusivity(path, np.full(IONS, -2.0), INTERVAL_PS).value_cm2_per_s == pytest.approx(
        one.value_cm2_per_s
    )
    # Ions of opposite charge that move together carry nothing.
    pairs = np.repeat(path, 2, axis=1)
    neutral = collective_diffusivity(pairs, np.tile([1.0, -1.0], IONS), INTERVAL_PS)
    assert neutral.value_cm2_per_s == pytest.approx(0.0, abs=1e-18)
    assert neutral.intervals is None


@pytest.mark.parametrize(("size", "expected"), [(1, 1.0), (4, 0.25), (16, 0.0625)])
def test_haven_ratio_of_independent_and_of_grouped_ions(size, expected):
    """40 replicas: 95 % intervals hold the exact ratio in 85 % or more."""
    rng = np.random.default_rng(size)
    inside = []
    for _ in range(40):
        path = walks.groups(rng, size=size, **SHORT)
        haven = haven_ratio(path, diffusivity(path, INTERVAL_PS))
        if haven is not None:
            assert (
                haven.interval_95[0] < haven.interval_68[0] < haven.ratio < haven.interval_68[1] < haven.interval_95[1]
            )
            inside.append(haven.interval_95[0] <= expected <= haven.interval_95[1])
    # Where all move as one, the tracer too is a single walker, and fewer ratios are resolved within 60 %.
    assert len(inside) > 20
    assert np.mean(inside) >= 0.85


def test_haven_ratio_of_one_ion_is_one():
    path = walks.brownian(np.random.default_rng(0), frames=FRAMES, ions=1, D=D, interval=INTERVAL_PS)
    haven = haven_ratio(path, diffusivity(path, INTERVAL_PS))
    assert haven.ratio == 1.0
    assert haven.interval_95 == (1.0, 1.0)


def test_cell_of_one_species_has_no_haven_ratio():
    """With the centre of mass removed, the sum of all displacements is zero."""
    path = walks.brownian(np.random.default_rng(0), **SHORT)
    path -= path.mean(axis=1, keepdims=True)
    assert haven_ratio(path, diffusivity(path, INTERVAL_PS)) is None


def test_nernst_einstein_is_the_closed_form():
    """e^2 n z^2 D / kT with the constants of CODATA (scipy), in S/cm."""
    conductivity = nernst_einstein([ChargeCarriers(20, 2.0, 3e-6, 3e-7)], volume_A3=1000.0, temperature_K=700.0)
    density = 20 / (1000.0 * constants.angstrom**3)
    expected = density * (2 * constants.e) ** 2 * 3e-10 / (constants.k * 700.0) / 100
    assert conductivity.value_S_per_cm == pytest.approx(expected, rel=1e-9)
    assert conductivity.stderr_S_per_cm == pytest.approx(expected / 10, rel=1e-9)
    assert conductivity.intervals.interval_95[0] < expected < conductivity.intervals.interval_95[1]


def test_species_add_up():
    lithium = ChargeCarriers(20, 1.0, 3e-6, 3e-7)
    chlorine = ChargeCarriers(20, -1.0, 1e-6, 4e-7)
    both, one, other = (
        nernst_einstein(carriers, volume_A3=900.0, temperature_K=900.0)
        for carriers in ([lithium, chlorine], [lithium], [chlorine])
    )
    assert both.value_S_per_cm == pytest.approx(one.value_S_per_cm + other.value_S_per_cm)
    assert both.stderr_S_per_cm == pytest.approx(np.hypot(one.stderr_S_per_cm, other.stderr_S_per_cm))


def test_collective_conductivity_over_nernst_einstein_is_the_inverse_haven_ratio():
    path = walks.groups(np.random.default_rng(1), frames=4 * FRAMES, ions=IONS, D=D, interval=INTERVAL_PS, size=4)
    estimate, charges = diffusivity(path, INTERVAL_PS), np.ones(IONS)
    collective = collective_diffusivity(path, charges, INTERVAL_PS)
    cell = {"volume_A3": 1000.0, "temperature_K": 1000.0}
    carriers = [ChargeCarriers(IONS, 1.0, estimate.value_cm2_per_s, estimate.stderr_cm2_per_s)]
    ratio = (
        nernst_einstein(carriers, **cell).value_S_per_cm
        / collective_conductivity(collective, charges, **cell).value_S_per_cm
    )
    assert ratio == pytest.approx(haven_ratio(path, estimate).ratio)


def test_charges_are_stated_and_never_assumed():
    numbers = np.array([3, 3, 8, 15])
    np.testing.assert_array_equal(charges_of(numbers, {"Li": 1}), [1, 1, 0, 0])
    np.testing.assert_array_equal(charges_of(numbers, {"Li": 1.5, "O": -2, "P": -1}), [1.5, 1.5, -2, -1])
    for wrong, fault in [
        ({}, "no charge is stated"),
        ({"Li": 0}, "no charge is stated"),
        ({"Na": 1}, "it holds Li, O, P"),
        ({"Xx": 1}, "'Xx'"),
        ({"Li": np.inf}, "finite"),
        ({"Li": 1, "O": -2, "P": 5}, r"add to \+5"),
    ]:
        with pytest.raises(InputError, match=fault):
            charges_of(numbers, wrong)


def test_wrong_input_is_refused():
    path = np.zeros((50, 4, 3))
    for charges in (np.zeros(4), np.ones(3), np.full(4, np.nan)):
        with pytest.raises(InputError, match="charge"):
            collective_diffusivity(path, charges, INTERVAL_PS)
    with pytest.raises(InputError, match="frames"):
        collective_diffusivity(path[:5], np.ones(4), INTERVAL_PS)
    with pytest.raises(InputError, match="volume"):
        conductivity_per_diffusivity(squared_charges=1.0, volume_A3=0.0, temperature_K=300.0)
    with pytest.raises(InputError, match="charge"):
        nernst_einstein([], volume_A3=1.0, temperature_K=300.0)


def test_host_frame_holds_the_balancing_charge():
    """Ions in a rigid host of opposite charge: stating the host's charges, or leaving them out, is one current."""
    rng = np.random.default_rng(4)
    ions = walks.brownian(rng, **SHORT)
    everyone = np.concatenate([ions, np.zeros_like(ions)], axis=1)
    masses = np.repeat([6.94, 35.45], IONS)
    centred = everyone - np.einsum("fnd,n->fd", everyone, masses)[:, None] / masses.sum()
    carriers = np.repeat([True, False], IONS)
    relative = in_host_frame(centred, masses, carriers)
    np.testing.assert_allclose(relative, ions, atol=1e-9)
    # Against the centre of mass of all, the recoil of the host hides part of the current: closed form.
    recoil = 1 + 6.94 / 35.45
    np.testing.assert_allclose(centred[:, carriers].sum(axis=1) * recoil, relative.sum(axis=1), atol=1e-9)
    alone = collective_diffusivity(relative, np.ones(IONS), INTERVAL_PS)
    both = collective_diffusivity(
        in_host_frame(centred, masses, np.ones(2 * IONS, dtype=bool)), np.repeat([1.0, -1.0], IONS), INTERVAL_PS
    )
    # D_sigma is per sum of squared charges, which is twice as large with the host's: the current is the same.
    assert both.fit_window_ps == alone.fit_window_ps
    assert 2 * both.value_cm2_per_s == pytest.approx(alone.value_cm2_per_s)
