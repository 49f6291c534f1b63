"""The FireWorks launchpad: tasks become workflows on a MongoDB server, workers run them, results come by JobStore.

A task's identity stands in its workflow's metadata. It is submitted once, whoever asks again; a worker that stopped
sending heartbeats has its firework run again, from the checkpoint in the shared scratch folder.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fireworks import FWorker, LaunchPad
from fireworks.core import rocket, rocket_launcher
from jobflow import JobStore
from jobflow.managers.fireworks import flow_to_workflow
from maggma.stores import MongoURIStore
from pymongo.uri_parser import parse_uri

from vitrion.database.connection import DEFAULT_NAME, URI_VARIABLE
from vitrion.database.indexes import JOBS_COLLECTION
from vitrion.running.task import TASK_METADATA_KEY, ResultHandler, Task, TaskResult, Watch
from vitrion_models.errors import InputError

POLL_SECONDS = 1.0
HEARTBEATS_BEFORE_LOST = 4
FINISHED_STATES = ("COMPLETED", "FIZZLED", "DEFUSED", "ARCHIVED")


def connect_launchpad(uri: str | None) -> LaunchPad:
    """The launchpad in the campaign's own database.

    Raises:
        InputError: no server is configured; FireWorks cannot run on the embedded store.
    """
    address, name = _server(uri)
    pad = LaunchPad(host=address, uri_mode=True, name=name, strm_lvl="ERROR")
    if pad.fw_id_assigner.find_one({}, {"_id": 1}) is None:
        pad.fw_id_assigner.update_one({}, {"$setOnInsert": {"next_fw_id": 1, "next_launch_id": 1}}, upsert=True)
        pad.tuneup(bkground=False)
    pad.workflows.create_index(f"metadata.{TASK_METADATA_KEY}")
    return pad


def connect_job_store(uri: str | None) -> JobStore:
    """The JobStore of the campaign's database in a form that travels to the workers: by address.

    Raises:
        InputError: no server is configured.
    """
    address, name = _server(uri)
    store = JobStore(MongoURIStore(address, collection_name=JOBS_COLLECTION, database=name, key="uuid"))
    store.connect()
    return store


def _server(uri: str | None) -> tuple[str, str]:
    address = uri or os.environ.get(URI_VARIABLE)
    if not address:
        raise InputError(f"runner: fireworks needs a MongoDB server: set {URI_VARIABLE}")
    return address, parse_uri(address)["database"] or DEFAULT_NAME


class LaunchpadRunner:
    """Runs tasks through a launchpad; see `vitrion.running.task.Runner`."""

    def __init__(self, pad: LaunchPad, job_store: JobStore, *, lost_after_seconds: float) -> None:
        """Prepare.

        Args:
            pad: where workflows go.
            job_store: where the workers leave outputs; reachable from their machines.
            lost_after_seconds: a running firework without heartbeat for so long is run again.
        """
        self._pad = pad
        self._store = job_store
        self._lost_after = lost_after_seconds

    def run(self, tasks: Sequence[Task], *, on_result: ResultHandler, watch: Watch) -> bool:
        """Submit the tasks, follow them to their end, submit what their results bring."""
        outstanding = {task.id: task for task in tasks}
        for task in tasks:
            self._submit(task)
        while outstanding:
            watch.on_tick([])
            if watch.should_stop():
                return False
            self._pad.detect_lostruns(expiration_secs=self._lost_after, rerun=True)
            for result in self._finished(list(outstanding)):
                del outstanding[result.task_id]
                for task in on_result(result):
                    outstanding[task.id] = task
                    self._submit(task)
            if outstanding:
                time.sleep(POLL_SECONDS)
        return True

    def close(self) -> None:
        """Nothing is held here: the workers are other people's processes."""

    def _submit(self, task: Task) -> None:
        key = f"metadata.{TASK_METADATA_KEY}"
        if self._pad.workflows.find_one({key: task.id}, {"_id": 1}) is None:
            workflow = flow_to_workflow(task.flow, store=self._store, metadata={TASK_METADATA_KEY: task.id})
            workflow.name = task.title
            self._pad.add_wf(workflow)

    def _finished(self, task_ids: list[str]) -> list[TaskResult]:
        key = f"metadata.{TASK_METADATA_KEY}"
        states = self._pad.workflows.find(
            {key: {"$in": task_ids}, "state": {"$in": FINISHED_STATES}},
            {"metadata": 1, "state": 1, "nodes": 1},
        )
        return [self._result(workflow) for workflow in states]

    def _result(self, workflow: dict[str, Any]) -> TaskResult:
        task_id = workflow["metadata"][TASK_METADATA_KEY]
        if workflow["state"] != "COMPLETED":
            return TaskResult(task_id=task_id, documents=(), error=self._fault(workflow), worker="launchpad")
        documents = self._store.query({f"metadata.{TASK_METADATA_KEY}": task_id}, sort={"completed_at": 1}, load=True)
        plain = tuple({key: value for key, value in document.items() if key != "_id"} for document in documents)
        return TaskResult(task_id=task_id, documents=plain, worker="launchpad")

    def _fault(self, workflow: dict[str, Any]) -> str:
        launches = self._pad.launches.find({"fw_id": {"$in": workflow["nodes"]}, "state": "FIZZLED"}, {"action": 1})
        for launch in launches:
            stored = (launch.get("action") or {}).get("stored_data", {})
            trace = stored.get("_exception", {}).get("_stacktrace", "").strip()
            if trace:
                return str(trace.splitlines()[-1])
        return f"its workflow ended as {workflow['state']}"


def work(pad: LaunchPad, *, folder: Path, scratch: Path, name: str, heartbeat_seconds: float, once: bool) -> None:
    """Take fireworks from a launchpad and run them, one after another.

    Args:
        pad: where fireworks come from.
        folder: launch folders are made below it.
        scratch: checkpoints; shared by all workers that may take over from each other.
        name: of this worker.
        heartbeat_seconds: how often the launchpad hears that a firework still runs.
        once: end when nothing is ready, instead of waiting for more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.environ["VITRION_SCRATCH"] = str(scratch.resolve())
    rocket.PING_TIME_SECS = heartbeat_seconds
    rocket_launcher.rapidfire(
        pad,
        FWorker(name=name),
        m_dir=str(folder.resolve()),
        nlaunches=0 if once else -1,
        sleep_time=round(max(POLL_SECONDS, 1)),
        strm_lvl="ERROR",
    )
