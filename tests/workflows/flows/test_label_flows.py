import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure

from vitrion_models.errors import CheckpointError, InputError
from vitrion_workflows import potentials
from vitrion_workflows.dynamics import h5md
from vitrion_workflows.flows import DiffusivityMaker, RefereeMaker, StoppedError, stop_on_signal
from vitrion_workflows.schemas import LabelOutcome, LabelProtocol, fingerprint, label_key

pytestmark = pytest.mark.filterwarnings("ignore:cd is deprecated")

LICL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.3), ["Li", "Cl"], [[0, 0, 0], [0.5] * 3])
PROTOCOL = LabelProtocol(production_ps=2.0)
MAKER = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL)


@pytest.fixture(autouse=True)
def scratch(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_SCRATCH", str(tmp_path / "scratch"))
    return tmp_path / "scratch"


def run(flow):
    responses = run_locally(flow, store=JobStore(MemoryStore()), log=False, raise_immediately=True)
    return responses[flow.jobs[-1].uuid][1].output


def key_of(temperature_K, seed, potential="lennard-jones", protocol=PROTOCOL):
    return label_key(
        structure_fingerprint=fingerprint(LICL),
        species="Li",
        temperature_K=temperature_K,
        protocol=protocol,
        weights_sha256=potentials.load(potential).weights_sha256,
        seed=seed,
    )


def test_a_label_carries_method_trajectory_and_gates(scratch):
    outcome = run(MAKER.make(LICL, temperature_K=900, seed=3))
    assert isinstance(outcome, LabelOutcome)
    assert outcome.structure_fingerprint == fingerprint(LICL)
    assert outcome.method.potential == "lennard-jones"
    assert outcome.method.seed == 3
    assert outcome.method.frame_interval_ps == pytest.approx(0.02)
    assert "langevin" in outcome.method.thermostat
    assert outcome.gates
    folder = scratch / key_of(900, 3)
    trajectory = folder / "trajectory.h5md"
    assert hashlib.sha256(trajectory.read_bytes()).hexdigest() == outcome.trajectory_sha256
    assert len(h5md.read(trajectory)) == PROTOCOL.frames + 1
    assert not (folder / "run").exists()


def test_a_finished_label_is_returned_and_not_run_again(scratch):
    first = run(MAKER.make(LICL, temperature_K=900, seed=3))
    path = scratch / key_of(900, 3) / "outcome.json"
    written = path.stat().st_mtime_ns
    (path.parent / "trajectory.h5md").unlink()  # as the builder does once the artefact store has it
    assert run(MAKER.make(LICL, temperature_K=900, seed=3)) == first
    assert path.stat().st_mtime_ns == written


def test_a_damaged_outcome_is_told_in_one_line(scratch):
    folder = scratch / key_of(900, 3)
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text('{"value": 1')
    with pytest.raises(CheckpointError, match=r"outcome\.json is damaged") as told:
        run(MAKER.make(LICL, temperature_K=900, seed=3))
    assert "\n" not in str(told.value)


def test_stop_file_ends_the_run_with_a_checkpoint_and_it_goes_on_exactly(scratch):
    whole = run(MAKER.make(LICL, temperature_K=900, seed=5))
    for path in (scratch / key_of(900, 5)).iterdir():
        path.unlink()
    (scratch / "stop").touch()
    with pytest.raises(StoppedError):
        run(MAKER.make(LICL, temperature_K=900, seed=5))
    (scratch / "stop").unlink()
    again = run(MAKER.make(LICL, temperature_K=900, seed=5))
    assert again.model_copy(update={"wall_seconds": 0.0, "trajectory_sha256": None}) == whole.model_copy(
        update={"wall_seconds": 0.0, "trajectory_sha256": None}
    )


def test_a_signal_asks_for_a_stop_once():
    before = signal.getsignal(signal.SIGTERM)
    try:
        stop_on_signal(signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(StoppedError):
            run(MAKER.make(LICL, temperature_K=900, seed=6))
        stop_on_signal(signal.SIGTERM)
        assert run(MAKER.make(LICL, temperature_K=900, seed=6)).method.seed == 6
    finally:
        signal.signal(signal.SIGTERM, before)


CHILD = """
import sys, warnings
sys.path.insert(0, ".")
warnings.simplefilter("ignore")
from test_label_flows_child import MAKER, LICL, run
print(repr(run(MAKER.make(LICL, temperature_K=900, seed=9)).value), flush=True)
"""


def test_killed_labels_go_on_to_the_same_number(scratch, tmp_path):
    whole = run(MAKER.make(LICL, temperature_K=900, seed=9))
    folder = scratch / key_of(900, 9)
    for path in folder.iterdir():
        path.unlink()
    child_folder = tmp_path / "child"
    child_folder.mkdir()
    (child_folder / "test_label_flows_child.py").write_text(Path(__file__).read_text())
    command = [sys.executable, "-c", CHILD]
    environment = {**os.environ, "VITRION_SCRATCH": str(scratch)}
    child = subprocess.Popen(command, cwd=child_folder, env=environment)
    while not (folder / "run/run.json").exists() and child.poll() is None:
        time.sleep(0.01)
    time.sleep(0.1)
    child.kill()
    child.wait()
    done = subprocess.run(command, cwd=child_folder, env=environment, capture_output=True, text=True, check=True)
    assert float(done.stdout) == whole.value


def test_given_velocities_are_used():
    rng = np.random.default_rng(0)
    velocities = rng.normal(0, 5, (len(LICL), 3)).tolist()
    drawn = run(MAKER.make(LICL, temperature_K=900, seed=1))
    other = run(
        DiffusivityMaker(potential="lennard-jones", protocol=LabelProtocol(production_ps=1.98)).make(
            LICL, temperature_K=900, seed=1, initial_velocities=velocities
        )
    )
    assert drawn.value != other.value


def test_a_cell_at_rest_is_warm_from_the_start():
    # Half of twice the kinetic energy goes into vibrations: the first picosecond is near the set temperature
    # (64 atoms, kinetic fluctuations sqrt(2 / (3 N)) = 10 %, averaged over some 10 independent moments).
    protocol = LabelProtocol(production_ps=1.0)
    maker = DiffusivityMaker(potential="lennard-jones", protocol=protocol)
    outcome = run(maker.make(LICL * (2, 2, 2), temperature_K=300, seed=2))
    assert outcome.mean_temperature_K == pytest.approx(300, rel=0.2)


def test_a_referee_answers_the_same_question_with_its_own_identity(scratch):
    referee = RefereeMaker(
        potential="lennard-jones", workhorse="lennard-jones", protocol=PROTOCOL, equilibration_ps=0.5
    )
    outcome = run(referee.make(LICL, temperature_K=900, seed=4))
    assert outcome.structure_fingerprint == fingerprint(LICL)
    assert outcome.method.weights_sha256 == potentials.load("lennard-jones").weights_sha256
    assert run(referee.make(LICL, temperature_K=900, seed=4)) == outcome
    assert (scratch / key_of(900, 4) / "outcome.json").is_file()


@pytest.mark.parametrize(
    ("settings", "fault"),
    [
        ({"temperature_K": 0}, "temperature of 0 K is impossible"),
        ({"temperature_K": 20000}, "temperature of 20000 K is impossible"),
        ({"temperature_K": float("nan")}, "is impossible"),
        ({"seed": -2}, "must not be negative"),
    ],
)
def test_impossible_questions_are_refused_before_anything_runs(settings, fault, scratch):
    with pytest.raises(InputError, match=fault):
        MAKER.make(LICL, **{"temperature_K": 900, "seed": 1, **settings})
    assert not scratch.exists()


def test_species_that_are_not_there_and_partial_sites_are_refused():
    with pytest.raises(InputError, match="holds no Na"):
        DiffusivityMaker(species="Na").make(LICL, temperature_K=900, seed=1)
    partial = Structure(Lattice.cubic(5), [{"Li": 0.5}], [[0, 0, 0]])
    with pytest.raises(InputError, match="partially occupied"):
        MAKER.make(partial, temperature_K=900, seed=1)
