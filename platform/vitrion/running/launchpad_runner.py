"""Runner on a FireWorks launchpad: tasks become workflows on a MongoDB server, results come by JobStore.

The identity of a task stands in its workflow's metadata and in its fireworks' specs; a task is submitted once.
Workflows carry no address and no credentials: each worker uses the JobStore of its own connection.
"""

import time
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from fireworks import LaunchPad
from jobflow import JobStore
from jobflow.managers.fireworks import flow_to_workflow
from pymongo.errors import DuplicateKeyError
from pymongo.uri_parser import parse_uri

from vitrion.database.database import DEFAULT_NAME
from vitrion.database.errors import translate_errors
from vitrion.running.recovery import Recovery
from vitrion.running.task import (
    ResultHandler,
    RunCallbacks,
    Task,
    TaskKind,
    TaskResult,
    WorkerStatus,
)
from vitrion.settings import URI_VARIABLE
from vitrion_models.errors import InputError
from vitrion_workflows.execution.scratch import TASK_METADATA_KEY

POLL_SECONDS = 1.0
FINISHED_STATES = ("COMPLETED", "FIZZLED", "DEFUSED", "ARCHIVED")
FAULT_FIELD = "vitrion_fault"
TASK_IN_WORKFLOW = f"metadata.{TASK_METADATA_KEY}"
TASK_IN_SPEC = f"spec.{TASK_METADATA_KEY}"
# FireWorks' own place of its counters, written by `lpad reset`.
COUNTERS_ID = -1


def connect_launchpad(uri: str | None, *, kind: type[LaunchPad] = LaunchPad) -> LaunchPad:
    """Connect to the launchpad in the campaign's database; an empty one is prepared, an existing one left as it is.

    Raises:
        InputError: no server is configured; FireWorks cannot run on the embedded store.
    """
    if not uri:
        raise InputError(f"a FireWorks launchpad needs a MongoDB server: set {URI_VARIABLE}")
    name = parse_uri(uri)["database"] or DEFAULT_NAME
    pad = kind(host=uri, uri_mode=True, name=name, strm_lvl="ERROR")
    if pad.fw_id_assigner.find_one({}, {"_id": 1}) is None:
        pad.tuneup()
        with suppress(DuplicateKeyError):  # another process prepares it at this moment
            pad.fw_id_assigner.update_one(
                {"_id": COUNTERS_ID}, {"$setOnInsert": {"next_fw_id": 1, "next_launch_id": 1}}, upsert=True
            )
    pad.workflows.create_index(TASK_IN_WORKFLOW)
    pad.fireworks.create_index(TASK_IN_SPEC)
    return pad


class LaunchpadRunner:
    """Runs tasks through a launchpad; see `vitrion.running.task.Runner`."""

    def __init__(self, pad: LaunchPad, job_store: JobStore, *, where: str, lost_after_seconds: float) -> None:
        """Prepare.

        Args:
            pad: where workflows go.
            job_store: where the workers leave outputs.
            where: address of the server, for messages.
            lost_after_seconds: time without heartbeat after which a running firework is run again.
        """
        self._pad = pad
        self._store = job_store
        self._where = where
        self._lost_after = lost_after_seconds

    def run(self, tasks: Sequence[Task], *, on_result: ResultHandler, callbacks: RunCallbacks) -> bool:
        """Submit the tasks, follow them to their end, submit the tasks that follow from their results.

        A stop ends this call only: the workers are processes of their own and go on.

        Raises:
            DatabaseUnreachableError: the server is gone; the same call goes on when it is back.
        """
        with translate_errors(self._where):
            return self._follow(tasks, on_result, callbacks)

    def retry(self, task_ids: Sequence[str], *, rerun_finished: bool = False) -> None:
        """Reignite defused and rerun fizzled fireworks and those whose output is elsewhere; archived ones stay."""
        tasks = {TASK_IN_SPEC: {"$in": list(task_ids)}}
        with translate_errors(self._where):
            # In this order: a defused firework may be fizzled underneath, and a rerun one may be completed at once.
            for fw_id in self._ids(tasks, "COMPLETED") if rerun_finished else self._without_output(tasks):
                self._pad.rerun_fw(fw_id)
            for fw_id in self._ids(tasks, "DEFUSED"):
                self._pad.reignite_fw(fw_id)
            for fw_id in self._ids(tasks, "FIZZLED"):
                self._pad.rerun_fw(fw_id)

    def close(self) -> None:
        """Close the connection."""
        self._pad.connection.close()

    def _follow(self, tasks: Sequence[Task], on_result: ResultHandler, callbacks: RunCallbacks) -> bool:
        outstanding = {task.id: task for task in tasks}
        recovery = Recovery(self._pad, lost_after_seconds=self._lost_after)
        for task in tasks:
            self._submit(task)
        while outstanding:
            callbacks.on_tick(self._statuses(outstanding))
            if callbacks.should_stop():
                return False
            recovery.repair(list(outstanding))
            for result in self._finished(list(outstanding)):
                del outstanding[result.task_id]
                for task in on_result(result):
                    outstanding[task.id] = task
                    self._submit(task)
            if outstanding:
                time.sleep(POLL_SECONDS)
        return True

    def _submit(self, task: Task) -> None:
        if self._pad.workflows.find_one({TASK_IN_WORKFLOW: task.id}, {"_id": 1}) is not None:
            return
        # FireWorks writes fireworks first and their workflow last: these are of a coordinator killed in between.
        self._pad.fireworks.delete_many({TASK_IN_SPEC: task.id})
        self._pad.add_wf(flow_to_workflow(task.flow, name=task.title, metadata={TASK_METADATA_KEY: task.id}))

    def _ids(self, query: dict[str, Any], state: str) -> list[int]:
        return [entry["fw_id"] for entry in self._pad.fireworks.find({**query, "state": state}, {"fw_id": 1})]

    def _without_output(self, query: dict[str, Any]) -> list[int]:
        """Return the completed fireworks whose output the JobStore does not have: another one took it."""
        jobs = self._jobs({**query, "state": "COMPLETED"})
        stored = self._store.query({"uuid": {"$in": list(jobs.values())}}, properties=["uuid"], load=False)
        present = {row["uuid"] for row in stored}
        return sorted(fw_id for fw_id, uuid in jobs.items() if uuid not in present)

    def _jobs(self, query: dict[str, Any]) -> dict[int, str]:
        """Return the uuids of the jobs of fireworks."""
        entries = self._pad.fireworks.find(query, {"fw_id": 1, "spec._tasks.job.uuid": 1})
        return {entry["fw_id"]: entry["spec"]["_tasks"][0]["job"]["uuid"] for entry in entries}

    def _statuses(self, tasks: dict[str, Task]) -> list[WorkerStatus]:
        running = self._pad.fireworks.find(
            {TASK_IN_SPEC: {"$in": list(tasks)}, "state": "RUNNING"}, {TASK_IN_SPEC: 1, "launches": 1}
        )
        task_of = {launch: entry["spec"][TASK_METADATA_KEY] for entry in running for launch in entry["launches"]}
        launches = self._pad.launches.find({"launch_id": {"$in": list(task_of)}}, {"action": 0})
        return [_status(tasks[task_of[launch["launch_id"]]], launch) for launch in launches]

    def _finished(self, task_ids: list[str]) -> list[TaskResult]:
        ended = self._pad.workflows.find(
            {TASK_IN_WORKFLOW: {"$in": task_ids}, "state": {"$in": FINISHED_STATES}},
            {"metadata": 1, "state": 1, "nodes": 1},
        )
        results = [self._result(workflow) for workflow in ended]
        return [result for result in results if result is not None]

    def _result(self, workflow: dict[str, Any]) -> TaskResult | None:
        launches = list(self._pad.launches.find({"fw_id": {"$in": workflow["nodes"]}}, sort=[("launch_id", 1)]))
        error = None
        if workflow["state"] != "COMPLETED":
            nodes = self._pad.fireworks.find({"fw_id": {"$in": workflow["nodes"]}}, {"launches": 1})
            current = {launch for entry in nodes for launch in entry["launches"]}  # not those before a rerun
            error = _fault([launch for launch in launches if launch["launch_id"] in current])
            if error is None and workflow["state"] == "FIZZLED":
                return None  # nothing went wrong with the task itself: `Recovery` has it run again
            error = error or f"its workflow was {workflow['state'].lower()}, by a person or after too many lost workers"
        if elsewhere := self._without_output({"fw_id": {"$in": workflow["nodes"]}}):
            error = (
                f"firework {', '.join(map(str, elsewhere))} ran with another JobStore (by `rlaunch`?), which has its"
                " output: leave it to `vitrion worker`, and then `vitrion campaign retry FILE`"
            )
        return TaskResult(
            task_id=workflow["metadata"][TASK_METADATA_KEY],
            documents=() if error else self._documents(workflow["nodes"]),
            error=error,
            seconds=sum(map(_seconds, launches)),
            worker=launches[-1]["fworker"]["name"] if launches else "",
        )

    def _documents(self, fw_ids: list[int]) -> tuple[dict[str, Any], ...]:
        # By the uuids that were submitted, for which the JobStore has its index: a coordinator that was started again
        # has made flows of its own, and other campaigns' outputs lie beside these.
        uuids = list(self._jobs({"fw_id": {"$in": fw_ids}}).values())
        stored = self._store.query({"uuid": {"$in": uuids}}, sort={"completed_at": 1}, load=True)
        return tuple({key: value for key, value in document.items() if key != "_id"} for document in stored)


def _fault(launches: Sequence[dict[str, Any]]) -> str | None:
    """Return the fault of the task itself in one line; None where only its worker was lost."""
    for launch in launches:
        stored = (launch.get("action") or {}).get("stored_data", {})
        if FAULT_FIELD in stored:
            return str(stored[FAULT_FIELD])
        trace = (stored.get("_exception") or {}).get("_stacktrace", "").strip()
        if trace and launch["state"] == "FIZZLED":
            return str(trace.splitlines()[-1])
    return None


def _seconds(launch: dict[str, Any]) -> float:
    """Return the time from the start of a launch to its last heartbeat."""
    running = [entry for entry in launch["state_history"] if entry["state"] == "RUNNING"]
    return sum(
        (datetime.fromisoformat(entry["updated_on"]) - datetime.fromisoformat(entry["created_on"])).total_seconds()
        for entry in running
    )


def _status(task: Task, launch: dict[str, Any]) -> WorkerStatus:
    return WorkerStatus(
        worker=launch["fworker"]["name"],
        task_id=task.id,
        title=task.title,
        kind=TaskKind(task.kind),
        started=datetime.fromisoformat(launch["time_start"]).timestamp(),
    )
