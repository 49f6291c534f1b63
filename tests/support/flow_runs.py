"""A flow run in this process, in memory."""

from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore


def run(flow):
    """Output of the last job of a flow."""
    responses = run_locally(flow, store=JobStore(MemoryStore()), log=False, raise_immediately=True)
    return responses[flow.jobs[-1].uuid][1].output
