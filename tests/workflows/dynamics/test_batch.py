"""Many cells side by side: each is bitwise what it is alone, whatever happens to the others."""

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from md_runs import plan, same
from model_force_fields import FreeParticles, Poisoned, rock_salt, scattered

from vitrion_models.constants import BOLTZMANN_eV_PER_K
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.potentials.force_field import ForceResult
from vitrion_workflows.trajectories import h5md

SYSTEMS = [
    rock_salt(noise_A=0.1),
    rock_salt(noise_A=0.1, repeats=2, seed=3),
    AtomicSystem([3] * 5, np.arange(5)[:, None] * [2.9, 2.6, 1.1], np.diag([14.5, 13.0, 9.0])),
    AtomicSystem([3], [[0.1, 0.2, 0.3]], np.eye(3) * 7.0),
]


@pytest.mark.parametrize("thermostat", ["langevin", "nose-hoover", "nve"])
def test_each_cell_does_what_it_does_alone(thermostat):
    friction = {"friction_per_ps": None} if thermostat == "nve" else {}
    changes = [{}, {"steps": 30, "frame_every": 3, "seed": 2}, {"time_step_fs": 1.0}, {"temperature_K": 300.0}]
    if thermostat != "nve":
        changes[1] |= {"final_temperature_K": 300.0, "friction_per_ps": 8.0}
    plans = [plan(thermostat=thermostat, **(friction | change)) for change in changes]
    field = potentials.load("lennard-jones")
    together = dynamics.run_batch(SYSTEMS, field, plans)
    for system, one, result in zip(SYSTEMS, plans, together, strict=True):
        assert result.finished
        assert result.steps_done == one.steps
        same(result.trajectory, dynamics.run_md(system, field, one).trajectory)


def test_a_cell_that_breaks_leaves_the_others_alone():
    hot = AtomicSystem([3, 3], [[0.0, 0, 0], [0.05, 0, 0]], np.eye(3) * 9.0)
    field = potentials.load("lennard-jones")
    broken, whole = dynamics.run_batch([hot, SYSTEMS[0]], field, [plan(), plan()])
    assert isinstance(broken, dynamics.DynamicsError)
    assert "\n" not in str(broken)
    same(whole.trajectory, dynamics.run_md(SYSTEMS[0], field, plan()).trajectory)


def test_a_potential_that_gives_nonsense_ends_every_cell_in_one_line():
    outcomes = dynamics.run_batch([scattered([3] * 5)] * 2, Poisoned(9), [plan(), plan(seed=1)])
    assert all(isinstance(outcome, dynamics.DynamicsError) for outcome in outcomes)
    assert all("not finite" in str(outcome) for outcome in outcomes)


def test_what_is_no_batch_is_refused():
    field = FreeParticles()
    with pytest.raises(InputError, match="as many plans"):
        dynamics.run_batch([SYSTEMS[2]], field, [])
    with pytest.raises(InputError, match="share one thermostat"):
        dynamics.run_batch([SYSTEMS[2]] * 2, field, [plan(), plan(thermostat="nve", friction_per_ps=None)])


def test_stopped_batches_go_on_from_each_cells_own_place(tmp_path):
    field = potentials.load("lennard-jones")
    plans = [plan(steps=30), plan(steps=60, frame_every=4, seed=5), plan(steps=60, seed=6)]
    folders = [tmp_path / str(index) for index in range(3)]
    asked = 0

    def stop():
        nonlocal asked
        asked += 1
        return asked == 37

    first = dynamics.run_batch(SYSTEMS[:3], field, plans, folders=folders, should_stop=stop)
    assert [result.finished for result in first] == [True, False, False]
    second = dynamics.run_batch(SYSTEMS[:3], field, plans, folders=folders)
    for system, one, result in zip(SYSTEMS, plans, second, strict=False):
        assert result.finished
        same(h5md.read(result.path), dynamics.run_md(system, field, one).trajectory)


CHILD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from md_runs import plan
    from model_force_fields import rock_salt
    from vitrion_workflows import dynamics, potentials
    from vitrion_workflows.trajectories import h5md

    plans = [
        plan(steps=steps, thermostat="nose-hoover", friction_per_ps=10.0, frame_every=2, seed=steps)
        for steps in (16, 20)
    ]
    systems = [rock_salt(noise_A=0.1), rock_salt(noise_A=0.1, seed=4)]
    folders = [None, None] if sys.argv[2] == "-" else [Path(sys.argv[2]) / str(index) for index in range(2)]
    results = dynamics.run_batch(systems, potentials.load(sys.argv[1]), plans, folders=folders, checkpoint_seconds=0)
    for index, result in enumerate(results):
        h5md.write(Path(sys.argv[3]) / f"{index}.h5", result.trajectory)
    print("done")
    """
)


@pytest.mark.parametrize("name", ["lennard-jones", "chgnet", pytest.param("diep", marks=pytest.mark.slow)])
def test_kill_9_and_go_on_is_bitwise_the_run_that_never_stopped(tmp_path, name):
    if name != "lennard-jones":
        pytest.importorskip(name)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    chance = random.Random(3)

    def child(folder, results):
        results.mkdir(exist_ok=True)
        command = [sys.executable, "-c", CHILD, name, str(folder), str(results)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)

    whole = child("-", tmp_path / "whole")
    for _ in range(1 + (name == "lennard-jones")):
        victim = child(tmp_path / "run", tmp_path / "results")
        known = set((tmp_path / "run").rglob("frames-*"))
        while victim.poll() is None and len(set((tmp_path / "run").rglob("frames-*")) - known) < 4:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.02))
        victim.send_signal(signal.SIGKILL)
        victim.wait()
        victim.stdout.close()
    last = child(tmp_path / "run", tmp_path / "results")
    assert last.communicate()[0].strip() == "done"
    assert whole.communicate()[0].strip() == "done"
    for index in range(2):
        same(h5md.read(tmp_path / "results" / f"{index}.h5"), h5md.read(tmp_path / "whole" / f"{index}.h5"))


def test_a_run_may_end_when_it_has_enough_frames(tmp_path):
    system, field = scattered([3] * 6), FreeParticles()
    asked = []

    def decide(trajectory):
        asked.append(len(trajectory))
        return len(trajectory) >= 9

    early_end = dynamics.EarlyEnd(decide, frame_counts=range(5, 1000, 2))
    whole = dynamics.run_md(system, field, plan(), early_end=early_end)
    assert asked == [5, 7, 9]
    assert whole.finished
    assert whole.steps_done == 40
    full = dynamics.run_md(system, field, plan()).trajectory
    np.testing.assert_array_equal(whole.trajectory.positions_A, full.positions_A[:9])
    # Stopped just before the second question, then gone on with: the same questions, the same end.
    stops = iter([False] * 29 + [True])
    first = dynamics.run_md(
        system, field, plan(), folder=tmp_path, early_end=early_end, should_stop=lambda: next(stops)
    )
    assert not first.finished
    again = dynamics.run_md(system, field, plan(), folder=tmp_path, early_end=early_end)
    same(again.trajectory, whole.trajectory)
    same(dynamics.run_md(system, field, plan(), folder=tmp_path, early_end=early_end).trajectory, whole.trajectory)


class Springs(FreeParticles):
    """A chain of equal atoms along each axis, periodic: a harmonic solid with known modes."""

    spring_eV_per_A2 = 4.0

    def compute(self, numbers, positions_A, lattice_A, *, stress=False):  # noqa: ARG002 - as real ones
        ideal = np.arange(len(numbers))[:, None] * lattice_A[0] / len(numbers)
        away = positions_A - ideal
        stretch = np.roll(away, -1, axis=0) - away
        energy = 0.5 * self.spring_eV_per_A2 * float((stretch**2).sum())
        return ForceResult(energy, self.spring_eV_per_A2 * (stretch - np.roll(stretch, 1, axis=0)))


@pytest.mark.parametrize("time_step_fs", [2.0, 6.0])
def test_a_harmonic_solid_vibrates_as_theory_says(time_step_fs):
    # Each mode has <q^2> = kT / (4 k sin^2(pi n / N)); the centre of mass is held. Mean over atoms of <x^2> in one
    # direction: kT / (k N) sum 1 / (4 sin^2). BAOAB has no error in the time step here; omega h is up to 0.9.
    count = 16
    system = AtomicSystem([3] * count, np.arange(count)[:, None] * [2.0, 0, 0], np.diag([2.0 * count, 8, 8]))
    plans = [
        plan(steps=5000, frame_every=25, time_step_fs=time_step_fs, friction_per_ps=20.0, seed=seed)
        for seed in range(12)
    ]
    results = dynamics.run_batch([system] * 12, Springs(), plans)
    expected = (
        BOLTZMANN_eV_PER_K
        * 900
        / 4.0
        * np.mean(np.concatenate([[0.0], 1 / (4 * np.sin(np.pi * np.arange(1, count) / count) ** 2)]))
    )
    means = np.array([((result.trajectory.positions_A[20:] - system.positions_A) ** 2).mean() for result in results])
    # Twelve independent runs give the error of their mean; 4.5 of it: false alarms 1 in 1000 (t of 11).
    assert abs(means.mean() - expected) < 4.5 * means.std(ddof=1) / np.sqrt(12)
    assert means.std(ddof=1) / np.sqrt(12) < 0.05 * expected


def test_diffusivity_is_that_of_the_ase_engine():
    # Eight cells of a hot model liquid, by run_batch and by ASE's velocity Verlet from other velocities.
    system, field = rock_salt(noise_A=0.2, edge_A=7.0), potentials.load("lennard-jones")
    choice = {"steps": 1000, "frame_every": 10, "temperature_K": 3000.0, "thermostat": "nve", "friction_per_ps": None}
    ours = dynamics.run_batch([system] * 8, field, [plan(**choice, seed=seed) for seed in range(8)])
    theirs = [dynamics.ase_reference(system, field, plan(**choice, seed=100 + seed)) for seed in range(8)]

    def slopes(trajectories):
        # Einstein's relation between lags of 0.2 and 1 ps, A^2/ps.
        values = []
        for trajectory in trajectories:
            x = trajectory.positions_A[trajectory.positions_A.shape[0] // 10 :]
            early, late = (((x[lag:] - x[:-lag]) ** 2).sum(2).mean() for lag in (10, 50))
            values.append((late - early) / (6 * 0.8))
        return np.array(values)

    left, right = slopes([result.trajectory for result in ours]), slopes(theirs)
    error = np.sqrt((left.var(ddof=1) + right.var(ddof=1)) / 8)
    # 4 standard errors of the difference, 14 degrees of freedom: false alarms 1 in 750.
    assert abs(left.mean() - right.mean()) < 4 * error
    assert error < 0.35 * right.mean()
