"""Worker of a FireWorks launchpad: takes fireworks, runs them, and returns those that it was stopped in."""

import io
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jobflow
from filelock import Timeout
from fireworks import FWorker, LaunchPad
from fireworks.core import rocket

from vitrion.running.launchpad_runner import FAULT_FIELD, POLL_SECONDS, TASK_IN_SPEC
from vitrion.running.local_worker import MACHINE_FAULTS
from vitrion.running.task import MachineFaultError
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.execution.scratch import SCRATCH_VARIABLE


class WorkerLaunchPad(LaunchPad):
    """A launchpad on which interrupted work does not count as failed.

    FireWorks fizzles a firework after any exception. Here a firework whose job was stopped, whose run another process
    has locked, or which met a fault of the machine, is made ready again instead; a fault of the job is kept in one line
    beside its traceback.

    Attributes:
        given_back: True if the last firework was made ready again.
        machine_fault: one line on a fault of this machine, else empty.
    """

    given_back = False
    machine_fault = ""

    def complete_launch(self, launch_id: int, action: Any = None, state: str = "COMPLETED") -> Any:
        """Store the end of a launch; see `fireworks.LaunchPad.complete_launch`."""
        fault = sys.exception()
        if fault is not None and action is not None and state == "FIZZLED":
            line = f"{type(fault).__name__}: {fault}".splitlines()[0]
            in_other_hands = isinstance(fault, Timeout) or isinstance(fault.__cause__, Timeout)
            if not in_other_hands and isinstance(fault, MACHINE_FAULTS):
                self.machine_fault = line
            if in_other_hands or self.machine_fault or isinstance(fault, StoppedError):
                self.given_back = True
                fw_id = self.launches.find_one({"launch_id": launch_id}, {"fw_id": 1})["fw_id"]
                self.rerun_fw(fw_id)
                action = None
            else:
                action.stored_data[FAULT_FIELD] = line
        return super().complete_launch(launch_id, action, state)


def work(
    pad: WorkerLaunchPad,
    job_store: jobflow.JobStore,
    *,
    scratch: Path,
    name: str,
    heartbeat_seconds: float,
    once: bool,
    should_stop: Callable[[], bool],
) -> None:
    """Take tasks from a launchpad and run them, one after another.

    Args:
        pad: source of fireworks; those of other applications are left alone.
        job_store: store of outputs.
        scratch: folder of checkpoints, shared by the coordinator and all workers that may take over from each other.
        name: of this worker.
        heartbeat_seconds: interval of heartbeats to the launchpad.
        once: end when nothing is ready and nothing is about to be, instead of waiting for more.
        should_stop: called between fireworks; jobs have their own.

    Raises:
        MachineFaultError: a fault of this machine; its firework is ready for other workers.
    """
    os.environ[SCRATCH_VARIABLE] = str(scratch.resolve())
    jobflow.SETTINGS.JOB_STORE = job_store
    rocket.PING_TIME_SECS = heartbeat_seconds
    rocket.ROCKET_STREAM_LOGLEVEL = "ERROR"
    rocket.PRINT_FW_JSON = False  # jobs of ours leave nothing in the working directory
    worker = FWorker(name=name, query={TASK_IN_SPEC: {"$exists": True}})
    while not should_stop():
        pad.given_back = False
        ran = rocket.Rocket(pad, worker, None).run(err_file=io.StringIO())
        if pad.machine_fault:
            raise MachineFaultError(f"{name} cannot go on and has given its task back: {pad.machine_fault}")
        if not ran and once and not pad.future_run_exists(worker):
            return
        if not ran or pad.given_back:
            time.sleep(POLL_SECONDS)
