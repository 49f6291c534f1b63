"""The launchpad's worker: takes fireworks, runs them, and gives back what it was stopped in."""

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

from vitrion.running.launchpad import FAULT_FIELD, POLL_SECONDS, TASK_IN_SPEC
from vitrion.running.task import MachineFaultError
from vitrion.running.worker import MACHINE_FAULTS
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.execution.scratch import SCRATCH_VARIABLE


class WorkerLaunchPad(LaunchPad):
    """A launchpad on which work that was stopped in the middle does not count as failed.

    FireWorks has one answer to any exception: the firework is fizzled, for good. Here a firework whose job was asked
    to stop, found its run in another process's hands, or met a fault of the machine, is ready again before anybody sees
    it fail; and a fault is kept in one line beside its traceback.

    Attributes:
        given_back: whether the last firework was.
        machine_fault: one line on what is wrong with this machine, else empty.
    """

    given_back = False
    machine_fault = ""

    def complete_launch(self, launch_id: int, action: Any = None, state: str = "COMPLETED") -> Any:
        """Write down the end of a launch; see `fireworks.LaunchPad.complete_launch`."""
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
        pad: where fireworks come from; those that are no Vitrion task are left alone.
        job_store: where outputs go.
        scratch: checkpoints; shared by all workers that may take over from each other, and by the coordinator.
        name: of this worker.
        heartbeat_seconds: how often the launchpad hears that a firework still runs.
        once: end when nothing is ready and nothing is about to be, instead of waiting for more.
        should_stop: asked between fireworks and by the jobs themselves.

    Raises:
        MachineFaultError: this machine can run none of them; what was in hand is given back to others.
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
