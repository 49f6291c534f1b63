"""Client of a remote potential: the i-PI protocol around any ASE calculator.

This file stands alone: it needs Python 3.10, numpy and ASE and nothing of Vitrion, so that it can be copied to, or
started by path in, an environment or on a machine where Vitrion is not installed:

    python client.py --calculator sevenn.calculator:SevenNetCalculator --arguments '{"model": "7net-0"}'
        --name sevennet --version 7net-0 --weights checkpoint.pth --elements Li,P,S --identity sevennet.json
        --address unix:/tmp/sevennet

The i-PI protocol sends positions and lattices, not elements. This client therefore reports NEEDINIT, and the driver
sends the atomic numbers as JSON in the initialisation string of the protocol. With each set of forces it returns its
identity as JSON in the extra string, so that a driver notices another potential than described. After a connection is
lost without EXIT the client connects again: drivers come and go, weights are loaded once.
"""

import argparse
import hashlib
import json
import socket
import tempfile
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
from ase.calculators.socketio import IPIProtocol
from ase.data import chemical_symbols

RETRY_SECONDS = 0.05
PATIENCE_SECONDS = 60.0
UNIX_PREFIX = "unix:"

# (numbers, positions in A, lattice in A, True for the stress) -> energy in eV, forces in eV/A, stress in eV/A^3.
Evaluate = Callable[[Any, Any, Any, bool], tuple[float, Any, Any | None]]


def serve(
    evaluate: Evaluate, *, address: str, identity: "dict[str, Any]", patience_s: float = PATIENCE_SECONDS
) -> None:
    """Answer drivers at an address until one sends EXIT, or none is there for too long.

    Args:
        evaluate: the potential.
        address: where the driver listens: ``host:port`` or ``unix:/path``.
        identity: name, version and weights_sha256, sent with each set of forces.
        patience_s: longest time without a driver in s.
    """
    words = {key: identity[key] for key in ("name", "version", "weights_sha256")}
    extra = np.frombuffer(json.dumps(words).encode(), dtype=np.byte)
    while True:
        connection = _connect(address, patience_s)
        if connection is None:
            return
        with connection:
            try:
                _answer(IPIProtocol(connection), evaluate, extra)
            except OSError:
                continue  # the driver has ended, or starts again with other atoms
            return


def _connect(address: str, patience_s: float) -> "socket.socket | None":
    is_path = address.startswith(UNIX_PREFIX)
    host, _, port = address.rpartition(":")
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        connection = socket.socket(socket.AF_UNIX if is_path else socket.AF_INET)
        try:
            connection.connect(address[len(UNIX_PREFIX) :] if is_path else (host, int(port)))
        except OSError:
            connection.close()
            time.sleep(RETRY_SECONDS)
        else:
            return connection
    return None


def _answer(protocol: IPIProtocol, evaluate: Evaluate, extra: Any) -> None:
    state = "NEEDINIT"
    numbers, wants_stress = np.zeros(0, int), False
    result: Any = None
    while True:
        message = protocol.recvmsg()
        if message == "EXIT":
            return
        if message == "STATUS":
            protocol.sendmsg(state)
        elif message == "INIT":
            protocol.recv(1, np.int32)
            length = int(protocol.recv(1, np.int32)[0])
            content = json.loads(protocol.recv(length, np.byte).tobytes())
            numbers, wants_stress = np.array(content["numbers"]), bool(content["stress"])
            state = "READY"
        elif message == "POSDATA":
            lattice, _, positions = protocol.recvposdata()
            result = evaluate(numbers, positions, lattice, wants_stress)
            state = "HAVEDATA"
        elif message == "GETFORCE":
            energy, forces, stress = result
            volume = abs(np.linalg.det(lattice))
            virial = np.zeros((3, 3)) if stress is None else -volume * np.asarray(stress)
            protocol.sendforce(float(energy), np.asarray(forces), virial, extra)
            state = "READY"
        else:
            raise OSError(f"the driver sends {message!r}, which is not a message of the i-PI protocol")


def calculator_evaluate(calculator: Any) -> Evaluate:
    """Return the function that `serve` evaluates, for an ASE calculator."""
    from ase import Atoms  # noqa: PLC0415 - a second to import

    def evaluate(numbers: Any, positions: Any, lattice: Any, stress: bool) -> tuple[float, Any, Any | None]:  # noqa: FBT001
        # A new object each time: nothing is kept between calls, so that a restart gives the same digits.
        inside = positions - np.floor(positions @ np.linalg.inv(lattice)) @ lattice
        atoms = Atoms(numbers=numbers, positions=inside, cell=lattice, pbc=True)
        atoms.calc = calculator
        forces = atoms.get_forces()
        tensor = atoms.get_stress(voigt=False) if stress else None
        return float(atoms.get_potential_energy()), forces, tensor

    return evaluate


def write_identity(path: Path, identity: "dict[str, Any]") -> None:
    """Write the identity file atomically."""
    with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False) as partial:
        json.dump(identity, partial, indent=1)
        partial.write("\n")
    Path(partial.name).replace(path)


def main() -> None:
    """Serve an ASE calculator named on the command line."""
    parser = argparse.ArgumentParser(description="Serve an ASE calculator to Vitrion, or to any i-PI driver.")
    parser.add_argument("--calculator", required=True, help="module.path:Class")
    parser.add_argument("--arguments", default="{}", help="its keyword arguments, as a JSON object")
    parser.add_argument("--name", required=True)
    parser.add_argument("--version", required=True)
    weights = parser.add_mutually_exclusive_group(required=True)
    weights.add_argument("--weights", type=Path, help="file of the weights, whose sha256 is the identity")
    weights.add_argument("--weights-sha256", help="stated sha256, where the weights are not a file")
    parser.add_argument("--elements", required=True, help="covered elements: Li,P,S or all")
    parser.add_argument("--identity", type=Path, help="write the identity to this file")
    parser.add_argument("--address", help="host:port or unix:/path; without it only the identity is written")
    parser.add_argument("--patience", type=float, default=PATIENCE_SECONDS, help="seconds to wait for a driver")
    given = parser.parse_args()
    if not (given.identity or given.address):
        parser.error("give --identity, --address or both")
    digest = given.weights_sha256 or hashlib.sha256(given.weights.read_bytes()).hexdigest()
    elements = chemical_symbols[1:] if given.elements == "all" else given.elements.split(",")
    identity = {"name": given.name, "version": given.version, "weights_sha256": digest, "elements": elements}
    if given.identity:
        write_identity(given.identity, identity)
    if given.address:
        module, _, name = given.calculator.partition(":")
        calculator = getattr(import_module(module), name)(**json.loads(given.arguments))
        serve(calculator_evaluate(calculator), address=given.address, identity=identity, patience_s=given.patience)


if __name__ == "__main__":
    main()
