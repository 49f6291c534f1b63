"""Worker process of the local runner: runs one flow after another and ends with its coordinator."""

import json
import os
import signal
import sys
import threading
import time
import warnings
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from filelock import FileLock
from jobflow import JobStore, run_locally
from maggma.stores import MemoryStore
from monty.json import MontyDecoder

from vitrion.running.spool import Spool
from vitrion.running.task import TaskResult
from vitrion_models.errors import CheckpointError, MissingDependencyError
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.execution.scratch import SCRATCH_VARIABLE
from vitrion_workflows.execution.stop_signal import stop_on_signal

PARENT_POLL_SECONDS = 0.5
# Faults of the machine: a full disk, no memory, damaged files, missing weights. The task is run again later.
MACHINE_FAULTS = (OSError, MemoryError, CheckpointError, MissingDependencyError)


def serve(connection: Connection, name: str, scratch: str, parent_pid: int) -> None:
    """Run the flows that come through the connection until it closes.

    Args:
        connection: brings ``{"id", "flow"}`` as JSON, takes ``{"id"}`` once the result is spooled.
        name: of the worker, in results.
        scratch: folder of checkpoints and of the spool.
        parent_pid: process with which the worker ends.
    """
    threading.Thread(target=_end_with_parent, args=(parent_pid,), daemon=True).start()
    os.environ[SCRATCH_VARIABLE] = scratch

    # jobflow's own use of a deprecated name; nothing a user of a campaign could act on.
    warnings.filterwarnings("ignore", category=FutureWarning, module=r"jobflow\..*")
    spool = Spool(Path(scratch) / "results")
    while True:
        try:
            message = json.loads(connection.recv_bytes())
        except (EOFError, OSError):
            return
        answer = {"id": message["id"], **_finish(message, name, scratch, spool)}
        try:
            connection.send_bytes(json.dumps(answer).encode())
        except OSError:
            return  # the coordinator is gone, and the result is in the spool


def _finish(message: dict[str, Any], name: str, scratch: str, spool: Spool) -> dict[str, str]:
    """Run a task and spool its result; return the fault of the machine where there is one."""
    with FileLock(Path(scratch) / f"{message['id']}.lock"):
        if spool.read(message["id"]) is not None:
            return {}
        stop_on_signal(signal.SIGTERM)
        try:
            spool.write(_execute(message, name))
        except MACHINE_FAULTS as fault:
            return {"fault": f"{type(fault).__name__}: {fault}".splitlines()[0]}
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
    return {}


def _execute(message: dict[str, Any], name: str) -> TaskResult:
    begun = time.monotonic()
    store = JobStore(MemoryStore())
    error = None
    try:
        flow = MontyDecoder().process_decoded(message["flow"])
        run_locally(flow, store=store, log=False, raise_immediately=True, allow_external_references=True)
    except StoppedError:
        sys.exit(0)
    except MACHINE_FAULTS:
        raise
    except Exception as failure:  # noqa: BLE001 - any fault of one task is recorded with it and must not end the campaign
        error = f"{type(failure).__name__}: {failure}".splitlines()[0]
    documents = [
        {key: value for key, value in document.items() if key != "_id"}
        for document in store.query(sort={"completed_at": 1})
    ]
    return TaskResult(
        task_id=message["id"],
        documents=() if error else tuple(documents),
        error=error,
        seconds=time.monotonic() - begun,
        worker=name,
    )


def _end_with_parent(parent_pid: int) -> None:
    """End this process when its coordinator is gone: its tasks must not stay locked."""
    while os.getppid() == parent_pid:
        time.sleep(PARENT_POLL_SECONDS)
    os._exit(1)
