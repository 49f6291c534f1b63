"""A task: one flow with an identity that outlives processes, its result, and the interface of runners."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from jobflow import Flow, Job

from vitrion_models.errors import VitrionError
from vitrion_workflows.execution.scratch import TASK_METADATA_KEY


class MachineFaultError(VitrionError):
    """A full disk, no memory, damaged files or missing weights; the same command goes on later."""


class TaskKind(StrEnum):
    """Product of a task."""

    CELL = "cell"
    RELAX = "relax"
    LABEL = "label"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Task:
    """One flow to run, once.

    Attributes:
        id: identity, fixed before the work starts; a finished id is never run again.
        kind: of its product.
        title: short text for people, for example ``LiCl 1500 K``.
        flow: the jobflow flow or job; every job in it carries the id as metadata.
    """

    id: str
    kind: TaskKind
    title: str
    flow: Flow | Job

    def __post_init__(self) -> None:
        """Write the identity into every job, so that a JobStore can be searched for it."""
        self.flow.update_metadata({TASK_METADATA_KEY: self.id})


@dataclass(frozen=True)
class TaskResult:
    """Documents of a finished task as a JobStore holds them, or the reason why there are none.

    Attributes:
        task_id: the task's identity.
        documents: JobStore documents in the order in which the jobs ran; empty after an error.
        error: one line, or None.
        seconds: wall time of the attempt that finished.
        worker: name of the worker that ran it.
    """

    task_id: str
    documents: tuple[dict[str, Any], ...]
    error: str | None = None
    seconds: float = 0.0
    worker: str = ""


@dataclass(frozen=True)
class WorkerStatus:
    """Activity of one worker, for the progress display."""

    worker: str
    task_id: str | None
    title: str
    kind: TaskKind | None
    started: float


@dataclass(frozen=True)
class RunCallbacks:
    """Functions by which the caller follows and stops a run.

    Attributes:
        should_stop: called about twice a second; True stops the workers at their next checkpoint.
        on_tick: called about twice a second with the activity of each worker; also renews leases.
    """

    should_stop: Callable[[], bool] = field(default=lambda: False)
    on_tick: Callable[[Sequence[WorkerStatus]], None] = field(default=lambda _statuses: None)


ResultHandler = Callable[[TaskResult], Iterable[Task]]
"""Stores a result and returns the tasks that follow from it."""


class Runner(Protocol):
    """Runs tasks until none is left or the caller stops it."""

    def run(self, tasks: Sequence[Task], *, on_result: ResultHandler, callbacks: RunCallbacks) -> bool:
        """Run the tasks and those that follow from their results.

        Args:
            tasks: the first ones.
            on_result: called once for each finished task, in the caller's process.
            callbacks: progress and stopping.

        Returns:
            True if all tasks were done, False after a stop.
        """
        ...

    def retry(self, task_ids: Sequence[str], *, rerun_finished: bool = False) -> None:
        """Remove the failures of tasks, so that the next `run` runs them again; finished jobs of a task are kept.

        Args:
            task_ids: tasks that failed; others are left as they are.
            rerun_finished: also run those again that did not fail.
        """
        ...

    def close(self) -> None:
        """Release processes and connections; busy workers write their checkpoints first."""
        ...
