"""A flow run in this process, in memory, and a crystal to run it on."""

from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from pymatgen.core import Lattice, Structure

LICL = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.3), ["Li", "Cl"], [[0, 0, 0], [0.5] * 3])


def run(flow):
    """Output of the last job of a flow."""
    responses = run_locally(flow, store=JobStore(MemoryStore()), log=False, raise_immediately=True)
    return responses[flow.jobs[-1].uuid][1].output
