"""All observables of one trajectory together: a salt of known diffusivities, and real ones."""

import os

import numpy as np
import pytest
import walks
from ase import Atoms, units
from ase.io import write as ase_write

from vitrion_models.errors import InputError
from vitrion_workflows.labelling.label import summarize_motion
from vitrion_workflows.schemas import FrameworkState
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.transport.conductivity import ChargeCarriers, nernst_einstein
from vitrion_workflows.transport.observables import observe

TEMPERATURE_K, INTERVAL_PS = 1000.0, 0.02
FRICTION = {3: 20.0, 17: 15.0}
MASS = {3: 6.94, 17: 35.45}


@pytest.fixture(scope="module")
def salt():
    """Twenty Li and twenty Cl that move freely with friction, velocities kept."""
    rng = np.random.default_rng(0)
    parts = [
        walks.langevin_states(
            rng,
            frames=601,
            ions=20,
            mass=MASS[z],
            temperature=TEMPERATURE_K,
            friction=FRICTION[z],
            interval=INTERVAL_PS,
        )
        for z in (3, 17)
    ]
    return Trajectory(
        numbers=np.repeat([3, 17], 20),
        positions_A=np.concatenate([part[0] for part in parts], axis=1) + rng.random((40, 3)) * 9,
        velocities_A_per_ps=np.concatenate([part[1] for part in parts], axis=1),
        lattice_A=np.eye(3) * 9,
        frame_interval_ps=INTERVAL_PS,
        masses_u=np.repeat([MASS[3], MASS[17]], 20),
    )


def test_every_species_and_the_charge(salt):
    """D within four standard errors by slope and by integral; the sum of charges within its own 95 % interval."""
    observed = observe(salt, mobile="Li", discarded_frames=0, charges={"Li": 1, "Cl": -1}, temperature_K=TEMPERATURE_K)
    truth = {"Li": 1e-4 * walks.BOLTZMANN * 1000 / 6.94 / 20, "Cl": 1e-4 * walks.BOLTZMANN * 1000 / 35.45 / 15}
    assert [one.species for one in observed.species] == ["Li", "Cl"]
    for one in observed.species:
        assert abs(one.estimate.value_cm2_per_s - truth[one.species]) < 4 * one.estimate.stderr_cm2_per_s
        assert abs(one.green_kubo.value_cm2_per_s - truth[one.species]) < 4 * one.green_kubo.stderr_cm2_per_s
        assert one.tensor.isotropic_p > 1e-3
        assert one.count == 20
        assert abs(one.non_gaussian.peak[0]) < 0.3
        assert one.correlation.source == "stored"
    expected = nernst_einstein(
        [ChargeCarriers(20, 1, truth["Li"], 0.0), ChargeCarriers(20, -1, truth["Cl"], 0.0)],
        volume_A3=9**3,
        temperature_K=TEMPERATURE_K,
    ).value_S_per_cm
    low, high = observed.charge.conductivity.intervals.interval_95
    assert low < expected < high
    assert observed.charge.nernst_einstein.value_S_per_cm == pytest.approx(expected, rel=0.2)
    assert observed.charge.haven.interval_95[0] < 1 < observed.charge.haven.interval_95[1]
    assert observed.framework.state is FrameworkState.MOLTEN


def test_ions_that_hardly_jump_have_no_haven_ratio():
    """Twelve that make three jumps in all beside twelve that diffuse: the ratio would be of their rattle."""
    rng = np.random.default_rng(9)
    motion = {"frames": 601, "ions": 12, "interval": INTERVAL_PS}
    moving, caged = walks.brownian(rng, D=0.5, **motion), walks.caged_hops(rng, D=0.03, memory=0.2, **motion)
    run = Trajectory(
        numbers=np.repeat([3, 17], 12),
        positions_A=np.concatenate([moving, caged], axis=1) + rng.random((24, 3)) * 9,
        lattice_A=np.eye(3) * 9,
        frame_interval_ps=INTERVAL_PS,
        masses_u=np.repeat([MASS[3], MASS[17]], 12),
    )
    lithium, chlorine = observe(run, mobile="Li", discarded_frames=0).species
    assert lithium.haven is not None
    assert chlorine.haven is None


def test_without_charges_there_is_no_conductivity(salt):
    assert observe(salt, mobile="Li", discarded_frames=0).charge is None
    with pytest.raises(InputError, match="temperature"):
        observe(salt, mobile="Li", discarded_frames=0, charges={"Li": 1})


def test_velocities_survive_files(salt, tmp_path):
    """H5MD as stored; ASE keeps momenta in its own unit of time."""
    again = h5md.read(h5md.write(tmp_path / "run.h5", salt))
    np.testing.assert_allclose(again.velocities_A_per_ps, salt.velocities_A_per_ps)
    images = []
    for frame in range(30):
        atoms = Atoms(salt.numbers, positions=salt.positions_A[frame], cell=salt.lattice_A, pbc=True)
        atoms.set_velocities(salt.velocities_A_per_ps[frame] / (1000 * units.fs))
        images.append(atoms)
    ase_write(tmp_path / "run.traj", images)
    read = read_trajectory(tmp_path / "run.traj", frame_interval_ps=INTERVAL_PS)
    np.testing.assert_allclose(read.velocities_A_per_ps, salt.velocities_A_per_ps[:30], rtol=1e-9)


def test_velocities_must_belong_to_the_positions(salt):
    with pytest.raises(InputError, match="velocities"):
        Trajectory(
            numbers=salt.numbers,
            positions_A=salt.positions_A,
            velocities_A_per_ps=salt.velocities_A_per_ps[:-1],
            lattice_A=salt.lattice_A,
            frame_interval_ps=INTERVAL_PS,
        )


@pytest.mark.data
def test_lgps_conductivity_is_pymatgens():
    """27.2047915 mS/cm at 600 K for 4.25976905436e-07 cm2/s, asserted upstream (smoothed=False)."""
    folder = os.environ["VITRION_DATA_MIRROR"] + "/trajectories"
    trajectory = read_trajectory(f"{folder}/lgps/DiffusionAnalyzer.json")
    lithium = ChargeCarriers(int((trajectory.numbers == 3).sum()), 1.0, 4.25976905436e-07, 1e-8)
    volume = abs(np.linalg.det(trajectory.lattice_A))
    conductivity = nernst_einstein([lithium], volume_A3=volume, temperature_K=600.0)
    assert 1000 * conductivity.value_S_per_cm == pytest.approx(27.20479170406027, rel=1e-5)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "interval", "mobile", "groups"),
    [
        ("argyrodite/Li6PS5Cl_50p_run1_XDATCAR.gz", 0.1, "Li", 32),
        ("lgps/DiffusionAnalyzer.json", None, "Li", 6),
        ("cna3ps4/cNa3PS4_pda.json", None, "Na", 16),
    ],
)
def test_frameworks_of_real_conductors_vibrate(name, interval, mobile, groups):
    """Every PS4 and GeS4 tetrahedron of the formula is found, and none turns within 2 to 14 ps at 500 to 800 K."""
    folder = os.environ["VITRION_DATA_MIRROR"] + "/trajectories"
    observed = observe(
        read_trajectory(f"{folder}/{name}", frame_interval_ps=interval), mobile=mobile, discarded_frames=0
    )
    assert observed.framework.state is FrameworkState.VIBRATING
    assert observed.framework.orientation.groups == groups
    assert observed.framework.orientation.correlation.min() > 0.95


@pytest.mark.data
def test_liquid_sodium_by_slope_and_by_integral():
    """One run, two estimates: they agree within their errors; a simple liquid is nearly Gaussian and isotropic."""
    folder = os.environ["VITRION_DATA_MIRROR"] + "/trajectories"
    sodium = read_trajectory(f"{folder}/liquid_na/XDATCAR_856.0K.gz", frame_interval_ps=0.002)
    (one,) = observe(sodium, mobile="Na", discarded_frames=0).species
    error = np.hypot(one.estimate.stderr_cm2_per_s, one.green_kubo.stderr_cm2_per_s)
    assert abs(one.estimate.value_cm2_per_s - one.green_kubo.value_cm2_per_s) < 3 * error
    assert one.haven is None
    assert one.non_gaussian.peak[0] < 0.2
    assert one.vibrations.resolved
    assert one.vibrations.density_per_THz[0] > 0.1


def test_motion_on_a_label_is_what_observe_says(salt):
    observed = observe(salt, mobile="Li", discarded_frames=100)
    lithium = observed.species[0]
    motion = summarize_motion(
        salt, species="Li", discarded_frames=100, estimate=lithium.estimate, framework=observed.framework
    )
    np.testing.assert_allclose(motion.principal, lithium.tensor.principal_cm2_per_s)
    assert motion.green_kubo == pytest.approx(lithium.green_kubo.value_cm2_per_s)
    assert (motion.alpha2, motion.alpha2_ps) == lithium.non_gaussian.peak
    assert motion.haven_interval_95 == pytest.approx(lithium.haven.interval_95)
    assert motion.turned is None


@pytest.mark.parametrize(("D", "resolved"), [(0.1, False), (1.0, True)])
def test_a_label_of_few_jumps_states_no_haven_ratio(D, resolved):
    """Three jumps' worth of motion bound D: a ratio of what is not measured would look as sound as any other."""
    rng = np.random.default_rng(5)
    ions = walks.brownian(rng, frames=601, ions=4, D=D, interval=0.02)
    host = walks.rattle(rng, frames=601, ions=4, amplitude=0.1, memory=0.1, interval=0.02)
    numbers = np.repeat([3, 17], 4)
    salt = Trajectory(numbers, np.concatenate([ions, host], axis=1), 12.0 * np.eye(3), 0.02)
    observed = observe(salt, mobile="Li", discarded_frames=0)
    estimate = observed.species[0].estimate
    motion = summarize_motion(salt, species="Li", discarded_frames=0, estimate=estimate, framework=observed.framework)
    assert (motion.haven_interval_95 is not None) == resolved


@pytest.mark.data
def test_thiophosphate_vibrates_where_spectroscopy_sees_it():
    """PS4(3-): nu3, in which P moves, lies at 540-555 cm-1 (16.4 THz) in Raman and infrared; PBE is softer by 5-8 %.

    In nu1 (420 cm-1, 12.6 THz) the four S breathe and P stands still.
    """
    folder = os.environ["VITRION_DATA_MIRROR"] + "/trajectories"
    trajectory = read_trajectory(f"{folder}/cna3ps4/cNa3PS4_pda.json")
    vibrations = {one.species: one.vibrations for one in observe(trajectory, mobile="Na", discarded_frames=0).species}
    assert vibrations["P"].peak_THz == pytest.approx(16.4 * 0.935, rel=0.03)
    breathing = (vibrations["S"].frequency_THz > 10.5) & (vibrations["S"].frequency_THz < 13)
    at = np.argmax(np.where(breathing, vibrations["S"].density_per_THz, 0))
    assert vibrations["S"].frequency_THz[at] == pytest.approx(12.6 * 0.935, rel=0.03)
    assert vibrations["S"].density_per_THz[at] > 5 * vibrations["P"].density_per_THz[at]
