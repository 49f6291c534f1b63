"""Isotopes in dynamics: frequencies, temperatures and momenta follow the masses of the cell."""

import hashlib
import json
from dataclasses import replace

import numpy as np
import pytest
from ase.data import atomic_masses
from md_runs import plan, same
from model_force_fields import FreeParticles, HarmonicWells, nep89_or_skip, rock_salt, scattered
from one_line import error_in_one_line

from vitrion_models.constants import BOLTZMANN_eV_PER_K, MASS_FACTOR_eV_PS2_PER_U_A2
from vitrion_models.errors import VitrionError
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.dynamics.ase_reference import ase_reference
from vitrion_workflows.trajectories import h5md

NVE = {"thermostat": "nve", "friction_per_ps": None, "frame_every": 1}
LI6, LI7, H, D, LI = 6.015, 7.016, 1.008, 2.014102, 6.94


def light(system, masses_u=(LI6, 126.904)):
    """Return a cell whose first and second element have these masses."""
    first = system.numbers == system.numbers[0]
    return replace(system, masses_u=np.where(first, *masses_u))


def cosines(path_A):
    """Return cos(w h) of harmonic paths, shape (F, N): each satisfies x(t + h) + x(t - h) = 2 cos(w h) x(t)."""
    middle = path_A[1:-1]
    return ((path_A[2:] + path_A[:-2]) * middle).sum(axis=0) / (2 * (middle**2).sum(axis=0))


def test_verlet_gives_each_isotope_its_harmonic_frequency():
    """Velocity Verlet of a harmonic well is exact in closed form: cos(w h) = 1 - k h^2 / 2m."""
    start = scattered([3] * 6)
    masses = np.array([LI6, LI7, LI, LI6, LI7, 60.0])
    run_plan = plan(**NVE, steps=200, time_step_fs=4.0, remove_drift=False)
    wells = HarmonicWells(start.positions_A, 2.0)
    result = dynamics.run_md(replace(start, masses_u=masses), wells, run_plan)
    paths = result.trajectory.positions_A - start.positions_A
    expected = 1 - 2.0 * run_plan.time_step_ps**2 / (2 * MASS_FACTOR_eV_PS2_PER_U_A2 * masses)
    assert cosines(paths[..., 0]) == pytest.approx(expected, rel=1e-9)


def test_four_times_the_mass_is_twice_the_time():
    """Newton's equation: masses and squared times by one factor leave every path as it is."""
    field, cell = potentials.load("lennard-jones"), rock_salt(noise_A=0.1)
    velocities = np.random.default_rng(3).normal(0, 5, (8, 3))
    once = dynamics.run_md(cell, field, plan(**NVE, time_step_fs=1.0), velocities=velocities)
    heavy = replace(cell, masses_u=4 * cell.masses_u)
    twice = dynamics.run_md(heavy, field, plan(**NVE, time_step_fs=2.0), velocities=velocities / 2)
    assert twice.trajectory.positions_A == pytest.approx(once.trajectory.positions_A, abs=1e-9)
    assert twice.trajectory.temperatures_K == pytest.approx(once.trajectory.temperatures_K, rel=1e-9)
    assert twice.system.masses_u == pytest.approx(heavy.masses_u)


def test_deuteride_vibrates_slower_than_hydride_by_its_reduced_mass():
    """The optical mode at the zone centre of rock salt: w^2 = k / mu with 1 / mu = 1 / m(Li) + 1 / m(H)."""
    nep89_or_skip()
    cell = rock_salt(edge_A=4.0, symbols=(3, 1))
    h_ps, squared = 5e-4, {}
    reduced = {mass: LI * mass / (LI + mass) for mass in (H, D)}
    for mass in (H, D):
        system = light(cell, (LI, mass))
        moved = np.where(cell.numbers == 3, 1 / LI, -1 / mass)[:, None] * np.array([0.004, 0, 0]) * reduced[mass]
        result = dynamics.run_md(
            replace(system, positions_A=cell.positions_A + moved),
            potentials.load("nep89"),
            plan(**NVE, steps=400, time_step_fs=h_ps * 1000),
            velocities=np.zeros((8, 3)),
        )
        path = result.trajectory.positions_A[:, cell.numbers == 1, 0] - cell.positions_A[cell.numbers == 1, 0]
        squared[mass] = float(2 * (1 - cosines(path)).mean() / h_ps**2)
    assert (squared[H] / squared[D]) ** 0.5 == pytest.approx((reduced[D] / reduced[H]) ** 0.5, rel=1e-3)
    assert 10 < squared[H] ** 0.5 / (2 * np.pi) < 40  # THz; inelastic neutron scattering has 18 (TO) to 33 (LO)


@pytest.mark.parametrize("thermostat", ["langevin", "nose-hoover"])
def test_isotopes_share_the_temperature_that_is_set(thermostat):
    """Equipartition: m v^2 of light and heavy lithium are equal on average."""
    count, kelvin = 1500, 600.0
    start = scattered([3] * count, edge_A=200.0)
    system = replace(start, masses_u=np.where(np.arange(count) % 2, LI6, 4 * LI6))
    run_plan = plan(thermostat=thermostat, temperature_K=kelvin, friction_per_ps=20.0, steps=200, frame_every=20)
    result = dynamics.run_md(system, HarmonicWells(start.positions_A, 1.0), run_plan)
    velocities = result.state.velocities_A_per_ps
    energies = MASS_FACTOR_eV_PS2_PER_U_A2 * system.masses_u[:, None] * velocities**2 / BOLTZMANN_eV_PER_K
    if thermostat == "langevin":
        for atoms in (slice(0, None, 2), slice(1, None, 2)):
            assert energies[atoms].mean() == pytest.approx(kelvin, rel=5 * (2 / (1.5 * count)) ** 0.5)
        assert result.trajectory.temperatures_K[6:].mean() == pytest.approx(kelvin, rel=0.06)
    assert result.trajectory.temperatures_K[-1] == pytest.approx(energies.sum() / (3 * count - 3), rel=1e-9)


@pytest.mark.parametrize("thermostat", ["langevin", "nose-hoover"])
def test_the_momentum_of_isotopes_stays_zero(thermostat):
    system = light(rock_salt(noise_A=0.1), (LI6, 36.966))
    result = dynamics.run_md(system, potentials.load("lennard-jones"), plan(thermostat=thermostat))
    momenta = system.masses_u[:, None] * result.state.velocities_A_per_ps
    assert np.abs(momenta.sum(axis=0)).max() < 1e-10 * np.abs(momenta).sum()


def test_energy_is_conserved_and_ase_agrees():
    system = light(rock_salt(noise_A=0.1), (2 * LI6, 35.45))
    field, run_plan = potentials.load("lennard-jones"), plan(**NVE, steps=100, time_step_fs=1.0)
    ours, theirs = dynamics.run_md(system, field, run_plan).trajectory, ase_reference(system, field, run_plan)
    assert ours.positions_A == pytest.approx(theirs.positions_A, abs=1e-7)
    kinetic = 0.5 * (3 * len(system) - 3) * BOLTZMANN_eV_PER_K * ours.temperatures_K
    assert np.ptp(kinetic + ours.potential_energies_eV) < 2e-3 * kinetic.mean()


def test_isotopes_survive_a_stop_a_batch_and_the_trajectory_file(tmp_path):
    cells = [light(rock_salt(noise_A=0.1)), rock_salt(noise_A=0.1)]
    field = potentials.load("lennard-jones")
    whole, ordinary = (dynamics.run_md(cell, field, plan()).trajectory for cell in cells)
    assert not np.allclose(whole.positions_A, ordinary.positions_A)
    calls = iter(range(1000))
    options = {"folder": tmp_path / "run", "checkpoint_seconds": 0}
    stopped = dynamics.run_md(cells[0], field, plan(), should_stop=lambda: next(calls) > 20, **options)
    assert not stopped.finished
    with error_in_one_line(VitrionError, "another"):
        dynamics.run_md(cells[1], field, plan(), **options)
    continued = dynamics.run_md(cells[0], field, plan(), **options)
    same(continued.trajectory, whole)
    assert h5md.read(continued.path).masses_u == pytest.approx(cells[0].masses_u)
    for result, alone in zip(dynamics.run_batch(cells, field, [plan()] * 2), (whole, ordinary), strict=True):
        same(result.trajectory, alone)
        assert result.system.masses_u == pytest.approx(result.trajectory.masses_u)


def test_checkpoints_of_cells_without_isotopes_are_those_of_earlier_versions(tmp_path):
    """Their identity is the hash of numbers, positions, lattice and velocities alone."""
    cell, velocities = rock_salt(noise_A=0.1), np.random.default_rng(1).normal(0, 5, (8, 3))
    dynamics.run_md(cell, potentials.load("lennard-jones"), plan(), folder=tmp_path, velocities=velocities)
    digest = hashlib.sha256()
    for array in (cell.numbers, cell.positions_A, cell.lattice_A, velocities):
        digest.update(array.tobytes())
    assert json.loads((tmp_path / "run.json").read_text())["start_sha256"] == digest.hexdigest()
    assert cell.masses_u == pytest.approx(atomic_masses[cell.numbers])


def test_relaxation_keeps_masses():
    system = light(rock_salt(noise_A=0.1))
    options = {"relax_cell": True, "force_tolerance_eV_per_A": 1.0, "max_steps": 200}
    relaxed = dynamics.relax(system, potentials.load("lennard-jones"), **options).system
    assert relaxed.masses_u == pytest.approx(system.masses_u)


def test_free_flight_is_the_thermal_speed_of_each_isotope():
    system = replace(scattered([3] * 4000, edge_A=300.0), masses_u=np.repeat([LI6, 4 * LI6], 2000))
    result = dynamics.run_md(system, FreeParticles(), plan(**NVE, steps=1))
    step = np.diff(result.trajectory.positions_A, axis=0)[0] / plan().time_step_ps
    thermal = BOLTZMANN_eV_PER_K * plan().temperature_K / MASS_FACTOR_eV_PS2_PER_U_A2
    for atoms, mass in ((slice(2000), LI6), (slice(2000, None), 4 * LI6)):
        assert (step[atoms] ** 2).mean() == pytest.approx(thermal / mass, rel=5 * (2 / 6000) ** 0.5)
