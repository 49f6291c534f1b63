import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from flow_runs import LICL, run
from one_line import error_in_one_line
from pymatgen.core import Lattice, Structure

from vitrion_models.errors import CheckpointError, InputError
from vitrion_workflows import potentials
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.execution.stop_signal import stop_on_signal
from vitrion_workflows.flows import DiffusivityMaker, ReferenceMaker
from vitrion_workflows.schemas import LabelOutcome, LabelProtocol, StartKind, fingerprint, label_key, outcome_key
from vitrion_workflows.trajectories import h5md

pytestmark = [pytest.mark.filterwarnings("ignore:cd is deprecated"), pytest.mark.usefixtures("scratch")]

PROTOCOL = LabelProtocol(production_ps=2.0)
MAKER = DiffusivityMaker(potential="lennard-jones", protocol=PROTOCOL)


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
    assert outcome.method.thermostat.startswith("nose-hoover")
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
    # Of an older version, it is made again.
    path.write_text(first.model_copy(update={"gate_version": 0}).model_dump_json())
    assert run(MAKER.make(LICL, temperature_K=900, seed=3)).gate_version == first.gate_version


def test_a_damaged_outcome_is_told_in_one_line(scratch):
    folder = scratch / key_of(900, 3)
    folder.mkdir(parents=True)
    (folder / "outcome.json").write_text('{"value": 1')
    with error_in_one_line(CheckpointError, r"outcome\.json is damaged"):
        run(MAKER.make(LICL, temperature_K=900, seed=3))


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
print(repr(run(MAKER.make(LICL, temperature_K=900, seed=9)).msd), flush=True)
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
    environment = os.environ | {"VITRION_SCRATCH": str(scratch), "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen(command, cwd=child_folder, env=environment)
    while not (folder / "run/run.json").exists() and child.poll() is None:
        time.sleep(0.01)
    time.sleep(0.1)
    child.kill()
    child.wait()
    done = subprocess.run(command, cwd=child_folder, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(whole.msd)


def test_given_velocities_are_used_and_part_of_the_key(scratch):
    rng = np.random.default_rng(0)
    velocities = rng.normal(0, 5, (len(LICL), 3)).tolist()
    drawn = run(MAKER.make(LICL, temperature_K=900, seed=1))
    given = run(MAKER.make(LICL, temperature_K=900, seed=1, initial_velocities=velocities))
    other = run(MAKER.make(LICL, temperature_K=900, seed=1, initial_velocities=velocities[::-1]))
    assert len({outcome.mean_temperature_K for outcome in (drawn, given, other)}) == 3
    assert drawn.method.start is None
    assert given.method.start.kind is StartKind.GIVEN
    assert len({outcome_key(outcome) for outcome in (drawn, given, other)}) == 3
    assert outcome_key(drawn) == key_of(900, 1)
    assert (scratch / outcome_key(given) / "outcome.json").is_file()


@pytest.mark.parametrize("rows", [[[1.0, 2.0]] * 8, [[1.0, 2.0, 3.0]] * 7, [[1.0, 2.0, float("nan")]] * 8, [[1.0], 2]])
def test_velocities_of_another_shape_are_refused(rows):
    with pytest.raises(InputError, match="8 rows of three finite numbers"):
        MAKER.make(LICL, temperature_K=900, seed=1, initial_velocities=rows)


def test_a_cell_at_rest_is_warm_from_the_start():
    # Half of twice the kinetic energy goes into vibrations: the first picosecond is near the set temperature
    # (64 atoms, kinetic fluctuations sqrt(2 / (3 N)) = 10 %, averaged over some 10 independent moments).
    protocol = LabelProtocol(production_ps=1.0)
    maker = DiffusivityMaker(potential="lennard-jones", protocol=protocol)
    outcome = run(maker.make(LICL * (2, 2, 2), temperature_K=300, seed=2))
    assert outcome.mean_temperature_K == pytest.approx(300, rel=0.2)


def test_a_referee_answers_the_same_question_with_its_own_identity(scratch):
    referee = ReferenceMaker(
        potential="lennard-jones", production_potential="lennard-jones", protocol=PROTOCOL, equilibration_ps=0.5
    )
    outcome = run(referee.make(LICL, temperature_K=900, seed=4))
    assert outcome.structure_fingerprint == fingerprint(LICL)
    weights = potentials.load("lennard-jones").weights_sha256
    assert outcome.method.weights_sha256 == weights
    start = outcome.method.start
    assert (start.kind, start.potential, start.weights_sha256) == (StartKind.EQUILIBRATED, "lennard-jones", weights)
    assert start.equilibration_ps == pytest.approx(0.5)
    assert run(referee.make(LICL, temperature_K=900, seed=4)) == outcome
    assert outcome_key(outcome) == referee.key(fingerprint(LICL), temperature_K=900, seed=4) != key_of(900, 4)
    assert (scratch / outcome_key(outcome) / "outcome.json").is_file()


def test_referees_that_start_elsewhere_are_other_labels():
    def key(**changes):
        settings = {"potential": "lennard-jones", "production_potential": "lennard-jones", "protocol": PROTOCOL}
        referee = ReferenceMaker(**settings | changes)
        return referee.key(fingerprint(LICL), temperature_K=900, seed=4)

    keys = [key(), key(production_potential="chgnet"), key(equilibration_ps=2.0)]
    assert len({*keys, MAKER.key(fingerprint(LICL), temperature_K=900, seed=4)}) == 4
    assert key(equilibration_ps=4.001) == keys[0]  # in whole frames the same run


def test_the_key_of_an_ordinary_start_is_the_one_it_always_was():
    # From the release before starts were recorded: labels that exist keep their keys.
    protocol = LabelProtocol(
        time_step_fs=2.0, frame_interval_fs=20.0, production_ps=12.0, thermostat="langevin", friction_per_ps=1.0
    )
    key = label_key(
        structure_fingerprint="ab" * 32,
        species="Li",
        temperature_K=1000.0,
        protocol=protocol,
        weights_sha256="cd" * 32,
        seed=7,
    )
    assert key == "9b22223d3ac2b1a3ed2d99a5f839d31078e6edd7d701c816dd280b2797785eb0"


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


def test_a_label_at_the_volume_of_its_temperature(scratch):
    names = fingerprint(LICL)
    own = run(MAKER.make(LICL, temperature_K=900, seed=3))
    scaled = run(MAKER.make(LICL, temperature_K=900, seed=3, volume_A3_per_atom=20.5))
    assert scaled.structure_fingerprint == own.structure_fingerprint == names
    assert scaled.method.start.volume_A3_per_atom == 20.5
    assert outcome_key(own) == MAKER.key(names, temperature_K=900, seed=3)
    assert outcome_key(scaled) == MAKER.key(names, temperature_K=900, seed=3, volume_A3_per_atom=20.5)
    assert len({outcome_key(own), outcome_key(scaled)}) == 2
    trajectory = h5md.read(scratch / outcome_key(scaled) / "trajectory.h5md")
    assert abs(np.linalg.det(trajectory.lattice_A)) / len(LICL) == pytest.approx(20.5)


def test_velocities_and_a_volume_exclude_each_other():
    with pytest.raises(InputError, match="volume"):
        MAKER.make(LICL, temperature_K=900, seed=3, initial_velocities=[[0.0] * 3] * len(LICL), volume_A3_per_atom=20.0)
