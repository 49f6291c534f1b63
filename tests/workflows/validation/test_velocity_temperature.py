"""Temperature from positions, with stiff bonds left out, against closed forms."""

import numpy as np
import pytest
from ase import Atoms, units
from ase.io import write
from scipy.signal import lfilter

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.validation.equilibration import ratio_stderr
from vitrion_workflows.validation.kinetic_consistency import (
    ReferenceTemperature,
    measure_recorded_temperature,
    measure_species_temperatures,
)
from vitrion_workflows.validation.temperature import (
    Coupling,
    ThermostatNoise,
    measure_temperature_drift,
    measure_temperature_stderr,
)
from vitrion_workflows.validation.velocity_temperature import (
    SpeciesTemperature,
    ThermalMotion,
    remove_bond_stretching,
    thermal_motion,
)

TEMPERATURE_K = 1200.0
CELL_A, SMALL_CELL_A = 80.0, 36.0
CARBON, OXYGEN = 6, 8
BOND_A = 1.15
MASSES = {CARBON: 12.011, OXYGEN: 15.999}
# Carbon monoxide: 64 THz, of which frames 20 fs apart (25 THz) show a false one.
STRETCH_PER_PS = 2 * np.pi * 64.0


def dumbbells(*, molecules=40, frames=400, interval_ps=0.02, seed=0):
    """Free molecules that fly, turn and stretch, each with k_B T / 2 a coordinate: exact paths, no integrator."""
    rng = np.random.default_rng(seed)
    carbon, oxygen = MASSES[CARBON], MASSES[OXYGEN]
    total, reduced = carbon + oxygen, carbon * oxygen / (carbon + oxygen)
    heat = BOLTZMANN_u_A2_PER_PS2_K * TEMPERATURE_K
    time = np.arange(frames)[:, None, None] * interval_ps
    grid = np.stack(np.meshgrid(*[np.arange(4) * CELL_A / 4] * 3), axis=-1).reshape(-1, 3)[:molecules]
    flight = grid + time * rng.normal(scale=np.sqrt(heat / total), size=(molecules, 3))
    frame = np.linalg.qr(rng.normal(size=(molecules, 3, 3)))[0]
    turning = np.linalg.norm(rng.normal(scale=np.sqrt(heat / reduced), size=(molecules, 2)), axis=1) / BOND_A
    angle = turning[:, None] * time
    arms = np.cos(angle) * frame[:, 0] + np.sin(angle) * frame[:, 1]
    strain = rng.normal(scale=np.sqrt(heat / reduced) / STRETCH_PER_PS, size=(2, molecules, 1))
    length = BOND_A + strain[0] * np.cos(STRETCH_PER_PS * time) + strain[1] * np.sin(STRETCH_PER_PS * time)
    positions = np.empty((frames, 2 * molecules, 3))
    positions[:, ::2] = flight - oxygen / total * length * arms
    positions[:, 1::2] = flight + carbon / total * length * arms
    numbers = np.tile([CARBON, OXYGEN], molecules)
    return positions, numbers, np.array([MASSES[number] for number in numbers.tolist()])


def test_five_of_six_degrees_of_freedom_and_no_stretching_remain():
    positions, numbers, masses = dumbbells(frames=60)
    rest = remove_bond_stretching(positions, numbers, masses_u=masses, lattice_A=np.eye(3) * CELL_A)
    assert rest.degrees_of_freedom.reshape(len(rest.degrees_of_freedom), -1, 2).sum(axis=2) == pytest.approx(
        5.0, abs=1e-6
    )
    relative = rest.steps_A[:, ::2] - rest.steps_A[:, 1::2]
    middle = 0.5 * (positions[1:] + positions[:-1])
    arms = middle[:, ::2] - middle[:, 1::2]
    assert np.abs(np.einsum("tax,tax->ta", relative, arms)).max() < 1e-6


def test_unresolved_bonds_hide_no_temperature():
    """A sixth of the energy lies beyond the frames, which bond stretching holds: it is left out."""
    positions, _numbers, masses = dumbbells(frames=200)
    steps = np.diff(positions, axis=0)
    plain = float((masses[:, None] * steps**2).sum(axis=(1, 2)).mean()) / 0.02**2 / BOLTZMANN_u_A2_PER_PS2_K
    motions = [
        thermal_motion(
            *dumbbells(frames=200, seed=seed)[:2],
            masses_u=masses,
            lattice_A=np.eye(3) * CELL_A,
            frame_interval_ps=0.02,
        )
        for seed in range(4)
    ]
    assert plain / (3 * len(masses)) < 0.9 * TEMPERATURE_K
    # 160 molecules that keep the energies they begin with: 5 % standard error.
    mean = np.mean([one.cell.temperature_K for one in motions])
    assert mean == pytest.approx(TEMPERATURE_K, rel=0.15)


def exchanging(*, molecules=8, frames=400, interval_ps=0.02, memory_ps=0.4, seed=0):
    """The same molecules, whose flight and stretch keep their energy for a while only; and what a program records."""
    rng = np.random.default_rng(seed)
    carbon, oxygen = MASSES[CARBON], MASSES[OXYGEN]
    total, reduced = carbon + oxygen, carbon * oxygen / (carbon + oxygen)
    heat = BOLTZMANN_u_A2_PER_PS2_K * TEMPERATURE_K
    kept = np.exp(-interval_ps / memory_ps)

    def wandering(*shape):
        kicks = rng.normal(size=(frames, *shape)) * np.sqrt(1 - kept**2)
        kicks[0] = rng.normal(size=shape)
        return lfilter([1.0], [1.0, -kept], kicks, axis=0)

    speed = np.sqrt(heat / total) * wandering(molecules, 3)
    swing = np.sqrt(heat / reduced) * wandering(molecules, 2)
    phase = STRETCH_PER_PS * interval_ps * np.arange(frames)[:, None]
    pull = swing[..., 0] * np.cos(phase) - swing[..., 1] * np.sin(phase)
    length = BOND_A + (swing[..., 0] * np.sin(phase) + swing[..., 1] * np.cos(phase)) / STRETCH_PER_PS
    arm = np.eye(3)[rng.integers(3, size=molecules)]
    grid = np.stack(np.meshgrid(*[np.arange(2) * SMALL_CELL_A / 2] * 3), axis=-1).reshape(-1, 3)[:molecules]
    centre = grid + np.cumsum(speed, axis=0) * interval_ps
    positions = np.empty((frames, 2 * molecules, 3))
    positions[:, ::2] = centre - oxygen / total * length[..., None] * arm
    positions[:, 1::2] = centre + carbon / total * length[..., None] * arm
    recorded = (total * (speed**2).sum(axis=(1, 2)) + reduced * (pull**2).sum(axis=1)) / (4 * molecules)
    numbers = np.tile([CARBON, OXYGEN], molecules)
    return positions, numbers, np.array([MASSES[one] for one in numbers.tolist()]), recorded


def test_without_stretching_the_rest_wanders_by_the_stated_error():
    """Scatter of 50 runs about their mean against the mean stated error: one, known within 10 %."""
    ratios, stated = [], []
    for seed in range(50):
        positions, numbers, masses, recorded = exchanging(seed=seed)
        rest = remove_bond_stretching(positions, numbers, masses_u=masses, lattice_A=np.eye(3) * SMALL_CELL_A)
        energy = np.einsum("fni,fni,n->f", rest.steps_A, rest.steps_A, masses)
        between = 0.5 * (recorded[1:] + recorded[:-1])
        ratios.append(energy.sum() / between.sum())
        stated.append(ratio_stderr(energy, between))
    assert np.std(ratios) / np.mean(ratios) == pytest.approx(np.mean(stated), rel=0.3)


def recorded_limits(recorded, *, wandering, complete=False):
    steps = len(recorded) - 1
    energies = np.ones(steps) + wandering * lfilter([1.0], [1.0, -0.95], np.random.default_rng(0).normal(size=steps))
    species = SpeciesTemperature(8, 32, 90.0, 1000.0, 0.01, 0.01, bonds_resolved=True)
    return measure_recorded_temperature(
        ThermalMotion((species,), energies, complete=complete), recorded, noise=ThermostatNoise(0.0)
    )


def test_recorded_temperatures_have_the_room_that_the_run_needs_and_never_a_tenth():
    steady = recorded_limits(np.full(500, 1000.0), wandering=1e-4)
    assert (steady.lower, steady.upper) == pytest.approx((0.97, 1.03), abs=1e-3)
    scattered = recorded_limits(np.full(500, 1000.0), wandering=0.01)
    assert 0.952 < scattered.lower < 0.965
    assert recorded_limits(np.full(500, 1000.0), wandering=0.5).upper == pytest.approx(1.05)
    assert not recorded_limits(np.full(500, 1100.0), wandering=0.5).passed
    # Where nothing is left out a record that does not follow the motion gains nothing by that.
    assert not recorded_limits(np.full(500, 1045.0), wandering=0.05, complete=True).passed


def test_more_bonds_than_a_matrix_holds_are_not_constrained():
    """A cell in the wrong unit, where every atom touches every other, is no reason to run out of memory."""
    positions, numbers, masses = dumbbells(frames=20)
    rest = remove_bond_stretching(positions / 60, numbers, masses_u=masses, lattice_A=np.eye(3) * CELL_A / 60)
    assert not rest.constrained
    assert rest.bonded.any()
    assert (rest.degrees_of_freedom == 3.0).all()


def test_unbonded_ions_are_left_as_they_are():
    positions = np.cumsum(np.random.default_rng(0).normal(scale=0.01, size=(50, 8, 3)), axis=0)
    positions += np.stack(np.meshgrid(*[np.arange(2) * 6.0] * 3), axis=-1).reshape(-1, 3)
    numbers = np.repeat([3, 17], 4)
    rest = remove_bond_stretching(positions, numbers, masses_u=np.ones(8), lattice_A=np.eye(3) * 12)
    assert (rest.degrees_of_freedom == 3.0).all()
    np.testing.assert_array_equal(rest.steps_A, np.diff(positions, axis=0))


@pytest.mark.parametrize("speed_A_per_ps", [0.0, 2.0])
def test_the_motion_of_the_whole_cell_is_no_temperature(tmp_path, speed_A_per_ps):
    """A cell at rest has 3 N - 3 degrees of freedom: equipartition, whether it flies or not."""
    rng = np.random.default_rng(0)
    atoms = Atoms("Li16I16", positions=rng.random((32, 3)) * 12, cell=[12, 12, 12], pbc=True)
    velocities = rng.normal(size=(32, 3)) / np.sqrt(atoms.get_masses())[:, None]
    velocities -= np.average(velocities, axis=0, weights=atoms.get_masses())
    kinetic = 0.5 * float((atoms.get_masses()[:, None] * velocities**2).sum())
    velocities *= np.sqrt(93 / 2 * units.kB * 900.0 / kinetic)
    atoms.set_velocities(velocities + speed_A_per_ps / (1000 * units.fs) * np.array([1.0, 0, 0]))
    write(tmp_path / "run.traj", [atoms, atoms])
    trajectory = read_trajectory(tmp_path / "run.traj", frame_interval_ps=0.02)
    assert trajectory.temperatures_K == pytest.approx([900.0, 900.0])


@pytest.mark.parametrize("held", [np.full(400, 1000.0), 1000 + np.linspace(0, 0.03, 400)])
def test_a_temperature_that_is_held_exactly_stands_still(held):
    gate = measure_temperature_drift(held, stderr=None)
    assert gate.passed
    assert np.isfinite(gate.value)


def test_the_length_needed_to_resolve_the_temperature_suffices():
    coupling = Coupling(1.0, noisy=True)
    short = coupling.stderr(32, duration_ps=0.3)
    message = measure_temperature_stderr(short, coupling=coupling, atoms=32, duration_ps=0.3).message
    assert f"analyse {coupling.needed_ps(32):.2g} ps instead of 0.3" in message
    enough = coupling.stderr(32, duration_ps=1.001 * coupling.needed_ps(32))
    assert measure_temperature_stderr(enough, coupling=coupling, atoms=32, duration_ps=50.0).passed


def test_a_single_atom_of_a_species_does_not_speak_for_the_frame_interval():
    def species(number, atoms, kelvin, stderr):
        return SpeciesTemperature(number, atoms, 3.0 * atoms, kelvin, 0.01, stderr, bonds_resolved=True)

    temperatures = [species(39, 1, 1500.0, 0.18), species(3, 8, 1000.0, 0.04), species(17, 18, 1000.0, 0.03)]
    reference = ReferenceTemperature(1000.0, stderr=0.0, noise_fraction=0.0)
    gates = {one.name: one for one in measure_species_temperatures(temperatures, mobile=3, reference=reference)}
    assert all(gate.passed for gate in gates.values())
    assert gates["frame_interval"].lower > 0.5
    assert gates["species_mass"].lower > 0.5
    assert gates["species_temperature"].upper < 1.5
