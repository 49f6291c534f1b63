"""Labels that end when they are good enough, or when they never will be."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from flow_runs import LICL, run

from vitrion_workflows.flows import DiffusivityMaker
from vitrion_workflows.schemas import LabelProtocol, LabelState, StopReason
from vitrion_workflows.trajectories import h5md

pytestmark = [pytest.mark.filterwarnings("ignore:cd is deprecated"), pytest.mark.usefixtures("scratch")]

PROTOCOL = LabelProtocol(production_ps=30.0, target_log10_stderr=0.25, least_ps=1.0)
MAKER = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL)
FROZEN_K, FLUID_K = 300, 4000


def frames_of(scratch):
    (path,) = scratch.glob("*/trajectory.h5md")
    return len(h5md.read(path))


def test_a_frozen_cell_is_given_up_early_and_only_bounded(scratch):
    outcome = run(MAKER.make(LICL, temperature_K=FROZEN_K, seed=1))
    assert outcome.stopped is StopReason.HOPELESS
    assert outcome.state is not LabelState.ACCEPTED
    assert frames_of(scratch) < PROTOCOL.frames / 2
    assert outcome.equilibration_ps + outcome.production_ps == pytest.approx(0.02 * (frames_of(scratch) - 1))


def test_a_fluid_ends_at_its_target(scratch):
    outcome = run(MAKER.make(LICL, temperature_K=FLUID_K, seed=1))
    assert outcome.stopped is StopReason.TARGET
    assert outcome.log10_stderr <= 0.25
    assert frames_of(scratch) < PROTOCOL.frames + 1
    assert outcome.protocol == PROTOCOL


def test_without_a_target_nothing_is_said():
    maker = DiffusivityMaker(potential="lennard-jones", protocol=LabelProtocol(production_ps=1.0))
    assert run(maker.make(LICL, temperature_K=FLUID_K, seed=1)).stopped is None


CHILD = """
import sys, warnings
sys.path.insert(0, ".")
warnings.simplefilter("ignore")
from early_end_child import MAKER, LICL, FLUID_K, run
run(MAKER.make(LICL, temperature_K=FLUID_K, seed=2))
"""


def test_a_label_killed_again_and_again_ends_where_an_undisturbed_one_does(tmp_path, monkeypatch):
    child_folder = tmp_path / "child"
    child_folder.mkdir()
    (child_folder / "early_end_child.py").write_text(Path(__file__).read_text())
    other = tmp_path / "other"
    environment = os.environ | {"VITRION_SCRATCH": str(other), "PYTHONPATH": os.pathsep.join(sys.path)}
    for delay_s in (0.05, 0.3):
        child = subprocess.Popen([sys.executable, "-c", CHILD], cwd=child_folder, env=environment)
        while not list(other.glob("*/run/run.json")) and child.poll() is None:
            time.sleep(0.01)
        time.sleep(delay_s)
        child.kill()
        child.wait()
    whole = run(MAKER.make(LICL, temperature_K=FLUID_K, seed=2))
    monkeypatch.setenv("VITRION_SCRATCH", str(other))
    again = run(MAKER.make(LICL, temperature_K=FLUID_K, seed=2))
    same = {"wall_seconds": 0.0, "trajectory_sha256": None}
    assert again.model_copy(update=same) == whole.model_copy(update=same)
    assert whole.stopped is StopReason.TARGET
