"""Potentials in a real second process: the same forces, and runs that survive its death."""

import dataclasses
import gc
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from md_runs import plan
from model_force_fields import assert_same_forces, calculated, rock_salt
from one_line import error_in_one_line

from vitrion_models.errors import CheckpointError, InputError, MissingDependencyError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.potentials.adapters.lennard_jones import LENNARD_JONES_SHA256
from vitrion_workflows.potentials.remote import (
    RemoteError,
    RemoteForceField,
    client,
    load_remote,
    serve,
    write_identity,
)

SERVE = (
    "import sys; from vitrion_workflows import potentials; from vitrion_workflows.potentials.remote import serve;"
    "serve(potentials.load('lennard-jones'), address=sys.argv[1])"
)
IDENTITY = {
    "name": "lennard-jones",
    "version": potentials.load("lennard-jones").version,
    "weights_sha256": LENNARD_JONES_SHA256,
    "elements": ["Li", "Cl", "Ar"],
}
PLAN = plan(temperature_K=800.0, friction_per_ps=5.0, frame_every=10, seed=4)


def describe(tmp_path, **changes):
    content = {"identity": IDENTITY, "command": ["{python}", "-c", SERVE, "{address}"], "call_timeout_s": 30} | changes
    path = tmp_path / "remote.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


@pytest.fixture
def remote(tmp_path):
    """A function that loads a description; what it loaded is closed at the end."""
    loaded = []

    def load(**changes):
        loaded.append(potentials.load(f"remote:{describe(tmp_path, **changes)}"))
        return loaded[-1]

    yield load
    for field in loaded:
        field.close()


def alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_forces_are_those_of_the_same_potential_here(remote):
    field, local = remote(), potentials.load("lennard-jones")
    assert field.client_pid is None  # nothing runs before it is needed
    for system in (rock_salt(noise_A=0.1), rock_salt(repeats=2, noise_A=0.1), rock_salt(noise_A=0.2, seed=1)):
        there, here = field.evaluate(system, stress=True), local.evaluate(system, stress=True)
        assert_same_forces(there, here, energy_eV=1e-11, force_eV_per_A=1e-10, stress_eV_per_A3=1e-12)
        assert field.evaluate(system).stress_eV_per_A3 is None
    # One process answered for all cells: weights are loaded once.
    pid = field.client_pid
    field.evaluate(AtomicSystem([18, 18], [[0, 0, 0], [3, 3, 3]], np.eye(3) * 6))
    assert field.client_pid == pid
    field.close()
    assert not alive(pid)
    with pytest.raises(InputError, match="does not cover Na"):
        field.evaluate(rock_salt(symbols=(11, 17)))


class Sabotaged(RemoteForceField):
    """Something happens to the client before a given call."""

    def sabotage(self, before_call, act):
        self.calls, self.before_call, self.act = 0, before_call, act
        return self

    def compute(self, *arguments, **options):
        self.calls += 1
        if self.calls == self.before_call:
            self.act(self.client_pid)
        return super().compute(*arguments, **options)


def by_hand(field, address):
    """A client in a thread of this process: quick to start, and like one that was started by hand."""
    thread = threading.Thread(target=serve, args=(field,), kwargs={"address": address, "patience_s": 20}, daemon=True)
    thread.start()
    return thread


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Frames of the run with a client to which nothing happens."""
    folder = tmp_path_factory.mktemp("undisturbed")
    address = f"unix:{folder / 'socket'}"
    thread = by_hand(potentials.load("lennard-jones"), address)
    remote = potentials.load(f"remote:{describe(folder, command=None, address=address)}")
    positions = frames(remote)
    remote.close()
    thread.join(20)
    return positions


def frames(field):
    return dynamics.run_md(rock_salt(repeats=2, noise_A=0.05), field, PLAN).trajectory.positions_A


@pytest.mark.parametrize(
    ("number", "changes"), [(signal.SIGKILL, {}), (signal.SIGSTOP, {"call_timeout_s": 1.0})], ids=["killed", "hanging"]
)
def test_a_client_that_dies_or_hangs_in_a_run_changes_no_digit(tmp_path, undisturbed, number, changes):
    field = load_remote(str(describe(tmp_path, **changes)), "cpu")
    field.__class__ = Sabotaged
    pids = []
    field.sabotage(33, lambda pid: (pids.append(pid), os.kill(pid, number)))
    np.testing.assert_array_equal(frames(field), undisturbed)
    assert field.client_pid not in {None, pids[0]}
    assert not alive(pids[0])  # also the one that hung
    field.close()


def test_too_many_deaths_are_a_fault_of_the_machine(remote):
    script = "import os, sys; sys.exit('no weights here')"
    field = remote(command=["{python}", "-c", script, "{address}"], restarts=2)
    with error_in_one_line(RemoteError, r"ended with code 1: no weights here \(after 2 restarts\)") as caught:
        field.evaluate(rock_salt())
    assert isinstance(caught.value, OSError)  # what the campaign's workers take for a fault of the machine
    assert field.client_pid is None


GARBAGE = """
import socket, sys, time
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1].removeprefix("unix:"))
connection.sendall(b"\\xff" * 48)
time.sleep(30)
"""


def test_a_client_that_talks_no_words_is_replaced_and_then_given_up(remote):
    field = remote(command=["{python}", "-c", GARBAGE, "{address}"], restarts=1)
    with error_in_one_line(RemoteError, r"protocol \(after 1 restarts\)"):
        field.evaluate(rock_salt())


def test_a_run_goes_on_from_its_checkpoint_after_the_fault(tmp_path, remote, undisturbed):
    system = rock_salt(repeats=2, noise_A=0.05)
    field = load_remote(str(describe(tmp_path, restarts=0)), "cpu")
    field.__class__ = Sabotaged
    field.sabotage(40, lambda pid: os.kill(pid, signal.SIGKILL))
    folder = tmp_path / "run"
    with pytest.raises(RemoteError, match="was killed by signal 9"):
        dynamics.run_md(system, field, PLAN, folder=folder, checkpoint_seconds=0)
    assert (folder / "trajectory.h5").exists() is False
    field.close()
    again = dynamics.run_md(system, remote(), PLAN, folder=folder, checkpoint_seconds=0)
    # H5MD keeps positions in single precision.
    np.testing.assert_allclose(again.trajectory.positions_A, undisturbed, atol=1e-5)
    assert again.finished


def test_a_client_that_never_connects_is_reported(remote):
    field = remote(
        command=["{python}", "-c", "import time; time.sleep(30)", "{address}"], start_timeout_s=0.3, restarts=1
    )
    with pytest.raises(RemoteError, match=r"no client connected within 0.3 s \(after 1 restarts\)"):
        field.evaluate(rock_salt())
    field = remote(command=["/no/such/program", "{address}"])
    with pytest.raises(MissingDependencyError, match="cannot be started: /no/such/program: No such file"):
        field.evaluate(rock_salt())


@pytest.mark.parametrize("unverified", [False, True])
@pytest.mark.parametrize("wrong", [{"name": "lj"}, {"version": "0"}, {"weights_sha256": "0" * 64}], ids=str)
def test_another_potential_at_the_address_is_refused(remote, tmp_path, wrong, unverified):
    address = f"unix:{tmp_path / 'socket'}"
    by_hand(potentials.load("lennard-jones"), address)
    field = remote(identity=IDENTITY | wrong, command=None, address=address, unverified=unverified)
    with pytest.raises(CheckpointError, match=r"its client is lennard-jones \S+ with weights 1b7dd6a450ba"):
        field.evaluate(rock_salt())


@pytest.fixture
def says(monkeypatch, tmp_path):
    """A function that starts a client which says so much of itself, and gives the address it goes to."""
    answer = client._answer

    def start(said):
        extra = np.frombuffer(json.dumps(said).encode(), np.byte)
        monkeypatch.setattr(client, "_answer", lambda protocol, evaluate, _: answer(protocol, evaluate, extra))
        address = f"unix:{tmp_path / 'socket'}"
        by_hand(potentials.load("lennard-jones"), address)
        return address

    return start


@pytest.mark.parametrize("unverified", [False, True])
@pytest.mark.parametrize(
    ("said", "description"),
    [
        ({"weights_sha256": "b" * 64}, "a potential with weights bbbbbbbbbbbb"),
        ({"name": "other", "weights_sha256": "b" * 64}, "other with weights bbbbbbbbbbbb"),
        ({"name": "other"}, "other, described is lennard-jones"),
        ({"name": "lennard-jones", "version": None}, "lennard-jones None, described"),
    ],
    ids=str,
)
def test_half_an_identity_that_is_another_one_is_refused_also_where_none_is_asked_for(
    remote, says, said, description, unverified
):
    field = remote(command=None, address=says(said), unverified=unverified)
    with pytest.raises(CheckpointError, match=f"its client is {description}"):
        field.evaluate(rock_salt())


def test_half_an_identity_that_agrees_is_enough_only_where_none_is_asked_for(remote, says):
    address = says({"name": "lennard-jones", "more": 1})
    with pytest.raises(CheckpointError, match="identity"):
        remote(command=None, address=address).evaluate(rock_salt())
    field = remote(command=None, address=says({"name": "lennard-jones", "more": 1}), unverified=True)
    assert np.isfinite(field.evaluate(rock_salt()).energy_eV)


def test_a_client_without_identity_is_accepted_only_if_unverified_is_stated(remote):
    argon = AtomicSystem([18, 18], [[0, 0, 0], [2.6, 0, 0]], np.eye(3) * 8)
    command = ["{python}", "-c", ASES_OWN_CLIENT, "{address}", "{structure}"]
    with error_in_one_line(CheckpointError, r"identity.*unverified: true"):
        remote(command=command, address=f"127.0.0.1:{free_port()}").evaluate(argon)
    field = remote(command=command, address=f"127.0.0.1:{free_port()}", unverified=True)
    assert np.abs(field.evaluate(argon).forces_eV_per_A).max() > 0
    assert field.name == "remote-unverified:lennard-jones"


def test_the_client_file_serves_any_ase_calculator_without_vitrion(remote, tmp_path):
    # -I: isolated, so that nothing of this checkout can be imported by accident through the working directory.
    identity = tmp_path / "identity.json"
    weights = tmp_path / "weights"
    weights.write_text("epsilon 1")
    client = Path(potentials.remote.__file__).with_name("client.py")
    assert "vitrion" not in [
        line.split()[1].split(".")[0] for line in client.read_text().splitlines() if "import" in line
    ]
    words = ["--calculator", "ase.calculators.lj:LennardJones", "--arguments", '{"rc": 6.0, "sigma": 2.2}']
    words += ["--name", "lj", "--version", "ase", "--weights", str(weights), "--elements", "Ar,Li"]
    words += ["--identity", str(identity)]
    import subprocess

    subprocess.run([sys.executable, "-I", str(client), *words], check=True)
    assert set(json.loads(identity.read_text())) == {"name", "version", "weights_sha256", "elements"}
    command = ["{python}", "-I", "{client}", *words, "--address", "{address}"]
    field = remote(command=command, identity=None, identity_file=str(identity))
    assert field.elements == {"Ar", "Li"}
    from ase.calculators.lj import LennardJones

    system = AtomicSystem([18] * 4, [[0, 0, 0], [2.6, 0, 0], [0, 2.7, 9], [2, 2, 2]], np.eye(3) * 9)
    there, here = field.evaluate(system, stress=True), calculated(system, LennardJones(rc=6.0, sigma=2.2))
    assert_same_forces(there, here, energy_eV=1e-9, force_eV_per_A=1e-9, stress_eV_per_A3=1e-9)


ASES_OWN_CLIENT = """
import sys
from ase.calculators.lj import LennardJones
from ase.calculators.socketio import SocketClient
from ase.io import read
atoms = read(sys.argv[2])
atoms.calc = LennardJones(rc=6.0, sigma=2.2)
client = SocketClient(host="127.0.0.1", port=int(sys.argv[1].rpartition(":")[2]))
client.run(atoms, use_stress=True)
"""


def free_port():
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def test_ases_own_client_works_with_a_structure_file(remote):
    command = ["{python}", "-c", ASES_OWN_CLIENT, "{address}", "{structure}"]
    field = remote(command=command, address=f"127.0.0.1:{free_port()}", unverified=True)
    for numbers in ([18, 18], [18, 3, 3]):
        system = AtomicSystem(numbers, [[0, 0, 0], [2.6, 0, 0], [0, 2.6, 1]][: len(numbers)], np.eye(3) * 8)
        assert np.abs(field.evaluate(system).forces_eV_per_A).max() > 0
        assert field.evaluate(system, stress=True).stress_eV_per_A3.shape == (3, 3)


# ASE's own client leaves its socket open where nobody listens yet.
@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")
@pytest.mark.filterwarnings("ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning")
def test_a_client_that_does_not_ask_for_its_atoms_is_refused_unless_they_are_stated(remote, tmp_path):
    from ase import Atoms
    from ase.calculators.lj import LennardJones
    from ase.calculators.socketio import SocketClient
    from ase.io import write

    argon = AtomicSystem([18, 18], [[0, 0, 0], [2.6, 0, 0]], np.eye(3) * 8)
    port = free_port()
    write(tmp_path / "known.xyz", Atoms("Ar2", cell=np.eye(3) * 8, pbc=True))

    def ases_client():
        atoms = Atoms("Ar2", cell=np.eye(3) * 8, pbc=True, calculator=LennardJones(rc=4.0, sigma=2.2))
        while not stop.is_set():
            try:
                SocketClient(host="127.0.0.1", port=port).run(atoms, use_stress=True)
            except OSError:
                time.sleep(0.05)

    stop = threading.Event()
    thread = threading.Thread(target=ases_client, daemon=True)
    thread.start()
    with pytest.raises(RemoteError, match="does not ask for the elements"):
        remote(command=None, address=f"127.0.0.1:{port}").evaluate(argon)
    field = remote(command=None, address=f"127.0.0.1:{port}", structure=str(tmp_path / "known.xyz"), unverified=True)
    assert np.abs(field.evaluate(argon).forces_eV_per_A).max() > 0
    with pytest.raises(RemoteError, match="differ from this cell"):
        field.evaluate(AtomicSystem([3, 18], argon.positions_A, argon.lattice_A))
    stop.set()
    field.close()
    thread.join(20)
    gc.collect()  # what ASE's client left open goes here, where its warning is expected, and not in the next test


def test_a_client_started_by_hand_serves_one_driver_and_ends_with_it(tmp_path, remote):
    address = f"unix:{tmp_path / 'socket'}"
    local = potentials.load("lennard-jones")
    thread = by_hand(local, address)
    system = rock_salt(noise_A=0.1)
    first, second = (remote(command=None, address=address) for _ in range(2))
    assert first.evaluate(system).energy_eV == pytest.approx(local.evaluate(system).energy_eV)
    with pytest.raises(RemoteError, match=r"cannot listen at .*\(in use\)"):
        second.evaluate(system)
    first.close()
    thread.join(20)
    assert not thread.is_alive()


def test_forces_that_are_not_finite_are_a_result_on_which_the_engine_decides(remote, tmp_path):
    class Diverged(type(potentials.load("lennard-jones"))):
        def compute(self, *arguments, **options):
            return dataclasses.replace(super().compute(*arguments, **options), energy_eV=float("nan"))

    address = f"unix:{tmp_path / 'socket'}"
    by_hand(Diverged(), address)
    field = remote(command=None, address=address, restarts=0)
    assert np.isnan(field.evaluate(rock_salt()).energy_eV)


def test_identity_enters_from_a_file_that_the_server_writes(tmp_path):
    path = tmp_path / "identity.json"
    write_identity(potentials.load("lennard-jones"), path)
    field = potentials.load(f"remote:{describe(tmp_path, identity=None, identity_file='identity.json')}")
    assert field.weights_sha256 == LENNARD_JONES_SHA256
    assert field.name == "remote:lennard-jones"
    assert field.elements == potentials.load("lennard-jones").elements


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"identity": None}, "state the identity"),
        ({"identity_file": "x.json"}, "not both"),
        ({"command": None}, "state an address, or a command"),
        ({"command": ["run"]}, "{address}"),
        ({"address": "nowhere"}, "give host:port"),
        ({"address": "host:99999"}, "give host:port"),
        ({"identity": IDENTITY | {"weights_sha256": "abc"}}, "weights_sha256"),
        ({"identity": IDENTITY | {"elements": ["Li", "Xx"]}}, "Xx"),
        ({"identity": {"name": "lj"}}, "identity.version"),
        ({"restart": 3}, "restart: Extra inputs"),
    ],
)
def test_a_description_that_leaves_something_open_is_refused(tmp_path, changes, words):
    path = describe(tmp_path, **changes)
    with error_in_one_line(InputError, words):
        potentials.load(f"remote:{path}")
    assert not potentials.installed(f"remote:{path}").ok


def test_missing_files_are_reported_in_one_line(tmp_path):
    for name in (f"remote:{tmp_path / 'none.yaml'}", f"remote:{describe(tmp_path, identity=None, identity_file='no')}"):
        with error_in_one_line(MissingDependencyError, "no such file"):
            potentials.load(name)
    with pytest.raises(InputError, match="names no description"):
        potentials.load("remote:")
    (tmp_path / "torn.yaml").write_text("identity: [")
    with pytest.raises(InputError, match=r"torn\.yaml"):
        potentials.load(f"remote:{tmp_path / 'torn.yaml'}")
