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
from md_runs import plan
from model_force_fields import assert_same_forces, calculated, rock_salt
from one_line import error_in_one_line
from remote_clients import ASES_OWN_CLIENT, by_hand, describe, free_port

from vitrion_models.errors import InputError, MissingDependencyError
from vitrion_models.system import AtomicSystem
from vitrion_workflows import dynamics, potentials
from vitrion_workflows.potentials.remote import RemoteError, RemoteForceField, load_remote

PLAN = plan(temperature_K=800.0, friction_per_ps=5.0, frame_every=10, seed=4)


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
