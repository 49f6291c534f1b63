"""Frames that follow each other though single ions hop, and frames that do not."""

import numpy as np
import pytest
from ase.data import atomic_masses

from vitrion_workflows.labelling.analysis import analyse_trajectory
from vitrion_workflows.schemas import failed_measurements
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.continuity import repeated_frames
from vitrion_workflows.validation.interruptions import _recoil, frame_steps, most_likely_interruption

pytestmark = pytest.mark.usefixtures("independent_walkers")

INTERVAL_PS = 0.02
HOP_A = 3.0
BOX_A = 14.0


def cages(rng, *, frames, ions, hops_per_frame, memory=0.8, width_A=0.25):
    """Ions that rattle in cages (an autoregression) and now and then hop to another one within a frame."""
    rattle = np.empty((frames, ions, 3))
    rattle[0] = rng.normal(size=(ions, 3))
    for frame in range(1, frames):
        rattle[frame] = memory * rattle[frame - 1] + np.sqrt(1 - memory**2) * rng.normal(size=(ions, 3))
    hops = (rng.random((frames, ions)) < hops_per_frame)[:, :, None] * HOP_A * _directions(rng, (frames, ions))
    return width_A * rattle + np.cumsum(hops, axis=0)


def vibrations(rng, *, frames, ions, hops_per_frame):
    """Ions that swing at periods of eight to sixteen frames, as smooth as real ones, and hop now and then."""
    hops = cages(rng, frames=frames, ions=ions, hops_per_frame=hops_per_frame, width_A=0.0)
    rates = 2 * np.pi / rng.uniform(8, 16, size=(12, 1, ions, 3))
    phases = rng.uniform(0, 2 * np.pi, size=rates.shape)
    return hops + 0.05 * np.sin(rates * np.arange(frames)[:, None, None] + phases).sum(axis=0)


def lattice_gas(rng, *, frames, ions, sites=5):
    """Ions on a cubic grid that move to a free neighbouring site, never two on one."""
    places = rng.permutation(sites**3)[:ions]
    grid = np.stack(np.unravel_index(places, (sites,) * 3), axis=1)
    path = np.empty((frames, ions, 3))
    for frame in range(frames):
        path[frame] = grid
        for ion in rng.permutation(ions)[: max(ions // 4, 1)]:
            aim = grid[ion] + _directions(rng, ()).astype(int)
            if not ((grid - aim) % sites == 0).all(axis=1).any():
                grid[ion] = aim
    return HOP_A * path


def _directions(rng, shape):
    axes = np.eye(3)[rng.integers(3, size=shape)]
    return axes * rng.choice([-1.0, 1.0], size=shape)[..., None] if shape else axes * rng.choice([-1.0, 1.0])


def interruption_of(path, numbers, **recorded):
    return most_likely_interruption(frame_steps(path, numbers, masses_u=atomic_masses[numbers], **recorded), numbers)


def copies_of(path, numbers):
    steps = frame_steps(path, numbers, masses_u=atomic_masses[numbers])
    return repeated_frames(path, numbers, squared_A2=steps.squared_A2)


def start(rng, ions):
    grid = np.stack(np.meshgrid(*[np.arange(5)] * 3, indexing="ij"), axis=-1).reshape(-1, 3) * BOX_A / 5
    return grid[rng.permutation(len(grid))[:ions]]


MOTIONS = {
    "cages": lambda rng: cages(rng, frames=600, ions=20, hops_per_frame=0.004),
    "slow cages": lambda rng: cages(rng, frames=600, ions=20, hops_per_frame=0.004, memory=0.98),
    "vibrations": lambda rng: vibrations(rng, frames=600, ions=20, hops_per_frame=0.004),
    "fast hops": lambda rng: cages(rng, frames=600, ions=20, hops_per_frame=0.05),
    "one ion of many": lambda rng: cages(rng, frames=600, ions=60, hops_per_frame=0.0003),
    "lattice gas": lambda rng: lattice_gas(rng, frames=600, ions=20),
    "dense lattice gas": lambda rng: lattice_gas(rng, frames=600, ions=100),
    "brownian": lambda rng: np.cumsum(0.1 * rng.normal(size=(600, 20, 3)), axis=0),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("motion", MOTIONS)
def test_hopping_ions_are_no_interruption(motion, seed):
    """One run in a thousand may be suspected by construction: of these 24, one in forty such tables."""
    rng = np.random.default_rng(seed)
    path = MOTIONS[motion](rng)
    numbers = np.full(path.shape[1], 3)
    interruption = interruption_of(path - path[0], numbers)
    assert interruption is None or interruption.log_odds <= interruption.limit
    assert interruption is None or not copies_of(path - path[0], numbers)


@pytest.mark.parametrize("motion", MOTIONS)
def test_walkers_are_refused_for_no_fault_of_their_frames(motion):
    rng = np.random.default_rng(5)
    path = MOTIONS[motion](rng)
    positions = start(rng, path.shape[1])[None] + path - path[0]
    trajectory = Trajectory(
        numbers=np.full(path.shape[1], 3),
        positions_A=positions,
        lattice_A=BOX_A * np.eye(3),
        frame_interval_ps=INTERVAL_PS,
        source="walkers",
    )
    analysis = analyse_trajectory(trajectory, species="Li")
    of_frames = {"missing_frame", "repeated_frame", "wrapped_step", "sublattice_drift", "density", "closest_contact"}
    assert not of_frames & set(failed_measurements(analysis.gates))
    assert ("density" in analysis.checks.not_checked) == (path.shape[1] == 20)


@pytest.mark.parametrize("lost", [1, 4])
@pytest.mark.parametrize("hops_per_frame", [0.0, 0.001, 0.01])
def test_missing_frames_among_hops_are_found(lost, hops_per_frame):
    path = vibrations(np.random.default_rng(0), frames=600, ions=60, hops_per_frame=hops_per_frame)
    numbers = np.full(60, 3)
    whole = interruption_of(path, numbers)
    assert whole.detectable
    assert whole.log_odds < whole.limit
    cut = interruption_of(np.delete(path, slice(300, 300 + lost), axis=0), numbers)
    assert cut.log_odds > cut.limit
    assert cut.frame == 300


def test_restart_that_went_back_is_found_among_hops():
    path = vibrations(np.random.default_rng(1), frames=600, ions=60, hops_per_frame=0.001)
    path, numbers = np.concatenate([path[:300], path[260:]]), np.full(60, 3)
    cut = interruption_of(path, numbers)
    assert copies_of(path, numbers)
    assert cut.log_odds > cut.limit


@pytest.mark.parametrize("seed", range(3))
def test_light_atoms_that_move_at_random_do_not_interrupt_smooth_heavy_ones(seed):
    """What both share is not their median step: sulphur among lithium was suspected for it, 16 atoms together."""
    rng = np.random.default_rng(seed)
    light = np.cumsum(0.15 * rng.normal(size=(400, 32, 3)), axis=0)
    heavy = vibrations(rng, frames=400, ions=16, hops_per_frame=0.0)
    numbers = np.repeat([3, 53], [32, 16])
    path = remove_drift(np.concatenate([light, heavy], axis=1), atomic_masses[numbers])
    alone = interruption_of(heavy - heavy[0], np.full(16, 53))
    interruption = interruption_of(path - path[0], numbers)
    assert interruption.log_odds < 0.5 * alone.log_odds < 0
    cut = interruption_of(np.delete(path, 200, axis=0), numbers)
    assert cut.log_odds > 2 * cut.limit


def test_recoil_is_weighed_with_the_masses_that_the_drift_was_removed_with():
    """Half of the hydrogen made heavy, as for longer time steps: what is at rest carries what the hop took away."""
    rng = np.random.default_rng(4)
    masses = np.where(np.arange(40) < 20, 4.0, 1.008)
    numbers = np.ones(40, dtype=int)
    path = vibrations(rng, frames=400, ions=40, hops_per_frame=0.0)
    path[200:, 0] += [HOP_A, 0, 0]
    smooth = remove_drift(path, masses)
    steps = np.diff(smooth, axis=0)
    recoil = _recoil(steps, numbers, masses)
    resting = np.arange(40) > 0
    np.testing.assert_allclose(
        recoil[199, 0], (steps[199, resting] * masses[resting, None]).sum(axis=0) / masses[resting].sum()
    )


@pytest.mark.parametrize("jitter_A", [0.0, 1e-3])
@pytest.mark.parametrize("times", [2, 3, 10])
def test_a_run_written_several_times_over_is_found(times, jitter_A):
    """More than half of its steps are none: the usual step is that of those which lead on."""
    rng = np.random.default_rng(2)
    path = np.repeat(vibrations(rng, frames=200, ions=40, hops_per_frame=0.001), times, axis=0)
    copies = copies_of(path + jitter_A * rng.normal(size=path.shape), np.full(40, 3))
    assert len(copies) == 200 * (times - 1)


def test_a_start_with_twice_the_energy_is_no_missing_frame_and_a_record_hides_none():
    # The first step of a run from rest: both its length and the recorded temperature are those of twice the energy.
    path = vibrations(np.random.default_rng(5), frames=300, ions=60, hops_per_frame=0.0)
    numbers = np.full(60, 3)
    steps = np.diff(path, axis=0)
    steps[0] *= np.sqrt(2.0)
    hot = np.concatenate([path[:1], path[0] + np.cumsum(steps, axis=0)])
    kelvin = np.full(300, 1000.0)
    kelvin[0] = 3000.0
    bare, recorded = interruption_of(hot, numbers), interruption_of(hot, numbers, temperatures_K=kelvin)
    assert recorded.log_odds < min(bare.log_odds, recorded.limit)
    cut, lying = np.delete(path, 150, axis=0), np.full(299, 1000.0)
    lying[148:151] = 9000.0
    assert interruption_of(cut, numbers, temperatures_K=lying).log_odds > recorded.limit
