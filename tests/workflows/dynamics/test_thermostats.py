"""Statistical mechanics in closed form. False-alarm rates are stated beside each limit; seeds are fixed."""

import numpy as np
import pytest
from md_runs import warm_plan as plan
from model_force_fields import FreeParticles, HarmonicWells, rock_salt, scattered
from scipy import stats

from vitrion_models.constants import BOLTZMANN_eV_PER_K, MASS_FACTOR_eV_PS2_PER_U_A2
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.dynamics.state import kinetic_energy_eV, maxwell_boltzmann, temperature_K, without_drift


def test_constants_agree_with_ase():
    from ase import units

    assert pytest.approx(units.kB, rel=2e-6) == BOLTZMANN_eV_PER_K
    assert pytest.approx(units._amu / units._e * 1e4, rel=1e-6) == MASS_FACTOR_eV_PS2_PER_U_A2


def test_starting_velocities_are_maxwell_boltzmann():
    masses = np.repeat([6.94, 126.9], 4000)
    velocities = maxwell_boltzmann(masses, temperature_K=800, seed=3, remove_drift=False)
    scaled = velocities * np.sqrt(MASS_FACTOR_eV_PS2_PER_U_A2 * masses / (BOLTZMANN_eV_PER_K * 800))[:, None]
    # Kolmogorov-Smirnov against the standard normal distribution: false alarms 1 in 1000 for each half.
    for half in (scaled[:4000], scaled[4000:]):
        assert stats.kstest(half.ravel(), "norm").pvalue > 1e-3


def test_removed_drift_leaves_no_momentum():
    masses = np.array([1.0, 7.0, 127.0, 35.0])
    velocities = maxwell_boltzmann(masses, temperature_K=800, seed=3, remove_drift=True)
    np.testing.assert_allclose(masses @ velocities, 0, atol=1e-12)
    np.testing.assert_allclose(without_drift(velocities, masses), velocities, atol=1e-12)


@pytest.mark.parametrize("thermostat", ["langevin", "nose-hoover", "nve"])
def test_total_momentum_stays_zero(thermostat):
    friction = None if thermostat == "nve" else 5.0
    system = rock_salt(noise_A=0.1)
    result = dynamics.run_md(
        system, potentials.load("lennard-jones"), plan(thermostat=thermostat, friction_per_ps=friction)
    )
    masses = result.trajectory.masses_u
    speed_scale = np.abs(masses[:, None] * result.state.velocities_A_per_ps).sum()
    assert np.abs(masses @ result.state.velocities_A_per_ps).max() < 1e-12 * speed_scale


@pytest.mark.parametrize("remove_drift", [True, False])
def test_langevin_kinetic_energy_is_chi_squared(remove_drift):
    # 2 K / kT of f degrees of freedom is chi-squared with f. Free particles: the O step is exact at any time step.
    system = scattered([3] * 5 + [53] * 5)
    result = dynamics.run_md(
        system,
        FreeParticles(),
        plan(steps=8000, frame_every=20, time_step_fs=5, friction_per_ps=50, remove_drift=remove_drift),
    )
    freedom = 30 - 3 * remove_drift
    twice_kinetic_over_kT = result.trajectory.temperatures_K[20:] / 300 * freedom
    # Samples 5 velocity relaxation times apart. Kolmogorov-Smirnov: false alarms 1 in 1000.
    assert stats.kstest(twice_kinetic_over_kT, "chi2", args=(freedom,)).pvalue > 1e-3


@pytest.mark.parametrize("time_step_fs", [1.0, 8.0])
def test_langevin_samples_the_einstein_crystal_at_any_step(time_step_fs):
    # <x^2> = kT / k without error in the time step (Leimkuhler and Matthews 2013). k = 3 eV/A^2, Li: omega = 64 / ps,
    # so that omega h is 0.06 and 0.52: velocity-Verlet-like schemes would be off by (omega h)^2 / 4 = 7 % at 8 fs.
    system = scattered([3] * 400)
    wells = HarmonicWells(system.positions_A, 3.0)
    every = round(160 / time_step_fs)
    result = dynamics.run_md(
        system,
        wells,
        plan(steps=every * 25, frame_every=every, time_step_fs=time_step_fs, friction_per_ps=64.0, remove_drift=False),
    )
    away = result.trajectory.positions_A[5:] - wells.sites_A
    # 21 x 1200 samples, ten periods apart: the variance is known to sqrt(2/25200) = 0.9 %; 3.6 % is 4 sigma, 6e-5.
    assert (away**2).mean() == pytest.approx(BOLTZMANN_eV_PER_K * 300 / 3.0, rel=0.036)


def test_langevin_free_particle_diffuses_as_einstein_says():
    # D = kT / (m gamma), for BAOAB at a finite step (kT h / 2m) coth(gamma h / 2).
    system = scattered([3] * 700 + [53] * 700)
    gamma, step_ps = 20.0, 0.01
    result = dynamics.run_md(
        system,
        FreeParticles(),
        plan(steps=2000, frame_every=500, time_step_fs=10, friction_per_ps=gamma, remove_drift=False),
    )
    positions = result.trajectory.positions_A
    jumps = positions[1:] - positions[:-1]
    for chosen, mass in ((slice(0, 700), 6.94), (slice(700, 1400), 126.90447)):
        thermal = BOLTZMANN_eV_PER_K * 300 / (MASS_FACTOR_eV_PS2_PER_U_A2 * mass)
        expected = thermal * step_ps / 2 / np.tanh(gamma * step_ps / 2)
        assert expected == pytest.approx(thermal / gamma, rel=0.004)
        ballistic = 1 - (1 - np.exp(-gamma * 5.0)) / (gamma * 5.0)
        found = (jumps[:, chosen] ** 2).mean() / (2 * 5.0) / ballistic
        # 8400 samples: sqrt(2/8400) = 1.5 %; 6.2 % is 4 sigma, 6e-5.
        assert found == pytest.approx(expected, rel=0.062)


def test_nose_hoover_conserves_its_extended_energy():
    # H' = K + U + sum Q v^2 / 2 + f kT xi_1 + kT (xi_2 + xi_3) is constant (Martyna, Klein, Tuckerman 1992).
    system = rock_salt(noise_A=0.15, seed=2)
    force_field = potentials.load("lennard-jones")
    freedom, kT, rate = 3 * len(system) - 3, BOLTZMANN_eV_PER_K * 900, 20.0
    inertia = np.array([freedom, 1, 1]) * kT / rate**2

    def extended(state, masses):
        xi, speed = state.thermostat
        kinetic = kinetic_energy_eV(state.velocities_A_per_ps, masses)
        chain = (inertia * speed**2).sum() / 2 + kT * (freedom * xi[0] + xi[1] + xi[2])
        return kinetic + state.potential_energy_eV + chain

    def spread(step_fs):
        energies = []
        for length in range(100, 1001, 100):
            p = plan(
                steps=round(length / step_fs),
                frame_every=1,
                time_step_fs=step_fs,
                temperature_K=900,
                thermostat="nose-hoover",
                friction_per_ps=rate,
            )
            result = dynamics.run_md(system, force_field, p)
            energies.append(extended(result.state, result.trajectory.masses_u))
        return np.std(energies)

    coarse, fine = spread(2.0), spread(1.0)
    assert coarse < 0.02
    # Second order in the time step: half the step, a quarter of the error.
    assert 2.5 < coarse / fine < 6.5


def test_nose_hoover_temperature_and_its_fluctuation():
    system = rock_salt(noise_A=0.1, edge_A=5.6)
    p = plan(
        steps=15000, frame_every=5, temperature_K=1200, thermostat="nose-hoover", friction_per_ps=20.0, time_step_fs=2
    )
    temperatures = dynamics.run_md(system, potentials.load("lennard-jones"), p).trajectory.temperatures_K[600:]
    blocks = temperatures[: len(temperatures) // 20 * 20].reshape(20, -1).mean(axis=1)
    # Blocks of 1.2 ps, 24 thermostat times: their scatter gives the error of the mean. 4 sigma: 6e-5 (and t of 19).
    assert abs(blocks.mean() - 1200) < 4.5 * blocks.std(ddof=1) / np.sqrt(20)
    # Canonical: std(T) / T = sqrt(2/f), f = 21. Known to some 5 % from the correlated samples.
    assert temperatures.std() / temperatures.mean() == pytest.approx(np.sqrt(2 / 21), rel=0.2)


def test_nve_conserves_energy_to_second_order():
    system = rock_salt(noise_A=0.05, edge_A=5.2)
    force_field = potentials.load("lennard-jones")

    def energies(step_fs):
        every = round(4 / step_fs)
        p = plan(steps=every * 400, frame_every=every, time_step_fs=step_fs, thermostat="nve", friction_per_ps=None)
        run = dynamics.run_md(system, force_field, p).trajectory
        return run.potential_energies_eV + 0.5 * (3 * len(system) - 3) * BOLTZMANN_eV_PER_K * run.temperatures_K

    coarse, fine = energies(4.0), energies(2.0)
    assert 2.5 < coarse.std() / fine.std() < 6.5
    # No drift: the means of the first and the last quarter agree within the fluctuation.
    assert abs(fine[:100].mean() - fine[-100:].mean()) < fine.std()
    assert np.ptp(fine) / len(system) < 1e-4


def test_a_ramp_is_followed():
    p = plan(steps=4000, frame_every=40, temperature_K=2000, final_temperature_K=200, friction_per_ps=50)
    assert p.target_temperature_K(0) == pytest.approx(2000, abs=1)
    assert p.target_temperature_K(3999) == pytest.approx(200, abs=1)
    temperatures = dynamics.run_md(scattered([3] * 100), FreeParticles(), p).trajectory.temperatures_K
    expected = np.linspace(2000, 200, 101)
    # A frame's temperature has a relative deviation of sqrt(2/297) = 8 %; means of ten frames 3 %, lag 1 %.
    for block in range(0, 100, 10):
        inside = slice(block, block + 10)
        assert temperatures[inside].mean() == pytest.approx(expected[inside].mean(), rel=0.15)


def test_temperature_counts_degrees_of_freedom():
    masses = np.full(4, 10.0)
    velocities = np.ones((4, 3))
    kinetic = 0.5 * 4 * 3 * 10.0 * MASS_FACTOR_eV_PS2_PER_U_A2
    assert temperature_K(velocities, masses, 9) == pytest.approx(2 * kinetic / (9 * BOLTZMANN_eV_PER_K))
