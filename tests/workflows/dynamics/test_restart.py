"""Killed or stopped anywhere, a run goes on to bitwise the trajectory of an uninterrupted one."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import pytest
from md_runs import plan, same
from model_force_fields import FreeParticles, HarmonicWells, rock_salt, scattered
from one_line import error_in_one_line

from vitrion_models.errors import CheckpointError
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.dynamics import checkpoint
from vitrion_workflows.trajectories import h5md

CHILD = textwrap.dedent(
    """
    import sys
    from md_runs import plan
    from model_force_fields import rock_salt
    from vitrion_workflows import dynamics, potentials

    system, force_field = rock_salt(noise_A=0.1), potentials.load("lennard-jones")
    print(dynamics.run_md(system, force_field, plan(steps=2000), folder=sys.argv[1], checkpoint_seconds=0).finished)
    """
)


def test_kill_9_several_times_loses_and_repeats_nothing(tmp_path):
    chance = random.Random(5)
    folder = tmp_path / "run"
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    kills = 0
    for attempt in range(12):
        child = subprocess.Popen(
            [sys.executable, "-c", CHILD, str(folder)], env=environment, stdout=subprocess.PIPE, text=True
        )
        if attempt < 4:
            # Wait until this child writes frames of its own, so that each kill falls into running dynamics.
            known = set(folder.glob("frames-*.npz"))
            while child.poll() is None and len(set(folder.glob("frames-*.npz")) - known) < 2:
                time.sleep(0.005)
            time.sleep(chance.uniform(0, 0.15))
            child.send_signal(signal.SIGKILL)
            kills += child.wait() == -signal.SIGKILL
            child.stdout.close()
            continue
        output, _ = child.communicate(timeout=120)
        assert output.strip() == "True"
        break
    assert kills == 4
    assert not list(folder.glob("frames-*.npz"))
    whole = dynamics.run_md(rock_salt(noise_A=0.1), potentials.load("lennard-jones"), plan(steps=2000)).trajectory
    same(h5md.read(folder / "trajectory.h5"), whole)


SYSTEM = scattered([3] * 6)


def free_run(*, seed=11, **options):
    return dynamics.run_md(SYSTEM, FreeParticles(), plan(seed=seed), **options)


class Crash(BaseException):
    """A death at a chosen write: nothing may catch it."""


@pytest.mark.parametrize("thermostat", ["langevin", "nose-hoover"])
@pytest.mark.parametrize("after_rename", [False, True])
def test_death_at_each_write_in_turn(tmp_path, monkeypatch, thermostat, after_rename):
    wells = HarmonicWells(SYSTEM.positions_A, 1.0)
    p = plan(thermostat=thermostat)
    whole = dynamics.run_md(SYSTEM, wells, p).trajectory
    write, writes = checkpoint.write_atomically, 0

    def dies(path, content):
        nonlocal writes
        writes += 1
        if writes == deadly:
            if after_rename:
                write(path, content)
            else:
                path.with_name(f".{path.name}.partial").write_bytes(content[: len(content) // 2])
            raise Crash
        write(path, content)

    monkeypatch.setattr(checkpoint, "write_atomically", dies)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)  # deaths of the process, not of the machine
    for deadly in range(1, 40):
        writes = 0
        folder = tmp_path / str(deadly)
        try:
            dynamics.run_md(SYSTEM, wells, p, folder=folder, checkpoint_seconds=0)
        except Crash:
            pass
        else:
            break
        writes = -1000
        result = dynamics.run_md(SYSTEM, wells, p, folder=folder, checkpoint_seconds=0)
        same(result.trajectory, whole)
        same(h5md.read(result.path), whole)
    assert deadly > 25  # run.json, then two files for each of 12 frames


def test_death_while_the_trajectory_is_written(tmp_path, monkeypatch):
    whole = free_run().trajectory

    def dies(path, *_args, **_kwargs):
        path.with_name(f".{path.name}.partial").write_bytes(b"\x89HDF torn")
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(h5md, "write", dies)
        with pytest.raises(Crash):
            free_run(folder=tmp_path)
    result = free_run(folder=tmp_path)
    same(result.trajectory, whole)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["lock", "run.json", "state.npz", "trajectory.h5"]


@pytest.mark.parametrize("thermostat", ["langevin", "nose-hoover", "nve"])
def test_stopping_after_every_few_steps_changes_nothing(tmp_path, thermostat):
    system, force_field = rock_salt(noise_A=0.1), potentials.load("lennard-jones")
    p = plan(thermostat=thermostat, friction_per_ps=None if thermostat == "nve" else 5.0)
    whole = dynamics.run_md(system, force_field, p).trajectory
    sessions, result = 0, None
    while result is None or not result.finished:
        calls = iter(range(100))
        result = dynamics.run_md(system, force_field, p, folder=tmp_path, should_stop=lambda c=calls: next(c) == 6)
        sessions += 1
    assert sessions > 8
    same(result.trajectory, whole)


def test_a_finished_run_is_read_not_run_again(tmp_path):
    first = free_run(folder=tmp_path)
    second = free_run(folder=tmp_path, on_progress=lambda *_: pytest.fail("ran again"))
    same(first.trajectory, second.trajectory)
    assert second.finished
    assert second.path == first.path
    np.testing.assert_array_equal(second.state.velocities_A_per_ps, first.state.velocities_A_per_ps)
    assert second.trajectory.frame_interval_ps == first.trajectory.frame_interval_ps


def stopped(folder, *, system=SYSTEM, force_field=None, checkpoint_seconds=10.0, **changes):
    calls = iter(range(100))
    return dynamics.run_md(
        system,
        force_field or FreeParticles(),
        plan(**changes),
        folder=folder,
        should_stop=lambda: next(calls) == 20,
        checkpoint_seconds=checkpoint_seconds,
    )


OTHER_WEIGHTS = FreeParticles()
OTHER_WEIGHTS.weights_sha256 = "2" * 64


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        ({"temperature_K": 950.0}, r"another run \(temperature_K 900.0, not 950.0\)"),
        ({"force_field": OTHER_WEIGHTS}, r"weights 0{12}\.\.\., not 2{12}\.\.\."),
        ({"system": scattered([3] * 6, seed=9)}, "another starting cell"),
    ],
)
def test_another_run_is_refused_naming_the_difference(tmp_path, change, difference):
    stopped(tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.*")}
    with error_in_one_line(dynamics.DynamicsError, difference):
        stopped(tmp_path, **change)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.*")} == before


def test_a_folder_in_use_is_refused(tmp_path):

    def intrude():
        with pytest.raises(dynamics.DynamicsError, match="in use by another process"):
            free_run(folder=tmp_path)
        return True

    assert not free_run(folder=tmp_path, should_stop=intrude).finished


def changed(path, **arrays):
    with np.load(path) as stored:
        np.savez(path, **(dict(stored) | arrays))


def truncated(path):
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def garbage(path):
    path.write_bytes(b"garbage")


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        *((name, damage) for name in ("state.npz", "frames-000000.npz", "run.json") for damage in (truncated, garbage)),
        ("run.json", lambda path: path.write_text("[]")),
        ("run.json", lambda path: path.write_text(json.dumps({"format": checkpoint.FORMAT, "plan": None}))),
        ("state.npz", lambda path: np.savez(path, step=np.int64(3))),
        ("state.npz", lambda path: changed(path, step=np.int64(15))),
        ("state.npz", lambda path: changed(path, positions_A=np.zeros((3, 3)))),
        # A pickle is not loaded.
        ("state.npz", lambda path: np.savez(path, segments=np.array([{"a": 1}], dtype=object))),
        ("frames-000000.npz", lambda path: changed(path, temperatures_K=np.ones(1))),
        ("frames-000001.npz", lambda path: shutil.copy(path.with_name("frames-000000.npz"), path)),
    ],
)
def test_damaged_files_are_named(tmp_path, name, damage):
    stopped(tmp_path, checkpoint_seconds=0)
    damage(tmp_path / name)
    with error_in_one_line(CheckpointError, rf"{name} is damaged"):
        free_run(folder=tmp_path)


def test_the_frames_of_another_run_are_not_taken_for_ones_own(tmp_path):
    for seed in (11, 12):
        folder = tmp_path / str(seed)
        stopped(folder, seed=seed)
        free_run(seed=seed, folder=folder / "whole")
    shutil.copy(tmp_path / "12" / "frames-000000.npz", tmp_path / "11")
    with pytest.raises(CheckpointError, match=r"frames-000000\.npz is damaged"):
        free_run(seed=11, folder=tmp_path / "11")
    shutil.copy(tmp_path / "12" / "whole" / "trajectory.h5", tmp_path / "11" / "whole")
    with pytest.raises(CheckpointError, match=r"trajectory\.h5 .* state of its run"):
        free_run(seed=11, folder=tmp_path / "11" / "whole")


def test_another_format_is_refused(tmp_path):
    stopped(tmp_path)
    stored = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps(stored | {"format": 99}))
    with pytest.raises(CheckpointError, match="another version"):
        stopped(tmp_path)


def test_a_full_disk_ends_the_run_in_one_line_and_it_can_go_on(tmp_path, monkeypatch):
    whole = free_run().trajectory
    synced = os.fsync
    calls = 0

    def full(descriptor):
        nonlocal calls
        calls += 1
        if calls > 6:
            raise OSError(28, "No space left on device")
        synced(descriptor)

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(CheckpointError, match="No space left on device") as caught:
            free_run(folder=tmp_path, checkpoint_seconds=0)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob(".*.partial"))
    same(free_run(folder=tmp_path).trajectory, whole)


def test_a_folder_that_cannot_be_made_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(dynamics.DynamicsError, match="cannot use"):
        free_run(folder=tmp_path / "file" / "run")
