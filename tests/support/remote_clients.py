"""Descriptions of remote potentials and clients that answer for them."""

import threading

import yaml

from vitrion_workflows import potentials
from vitrion_workflows.potentials.adapters.lennard_jones import LENNARD_JONES_SHA256
from vitrion_workflows.potentials.remote import serve

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


def describe(tmp_path, **changes):
    content = {"identity": IDENTITY, "command": ["{python}", "-c", SERVE, "{address}"], "call_timeout_s": 30} | changes
    path = tmp_path / "remote.yaml"
    path.write_text(yaml.safe_dump({key: value for key, value in content.items() if value is not None}))
    return path


def by_hand(field, address):
    """A client in a thread of this process: quick to start, and like one that was started by hand."""
    thread = threading.Thread(target=serve, args=(field,), kwargs={"address": address, "patience_s": 20}, daemon=True)
    thread.start()
    return thread


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
