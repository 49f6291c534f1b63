"""A task: one flow with an identity that outlives processes, and what came of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from jobflow import Flow, Job

from vitrion_models.errors import VitrionError

TASK_METADATA_KEY = "vitrion_task"


class MachineFaultError(VitrionError):
    """A full disk, no memory, damaged files or missing weights: nothing is decided, the same command goes on later."""


class TaskKind(StrEnum):
    """What a task makes."""

    CELL = "cell"
    RELAX = "relax"
    LABEL = "label"
    REFERENCE = "reference"


@dataclass(frozen=True)
class Task:
    """One flow to run, once.

    Attributes:
        id: identity known before the work starts; a finished id is never run again.
        kind: what it makes.
        title: short text for people, for example ``LiCl 1500 K``.
        flow: the jobflow flow or job; every job in it carries the id as metadata.
    """

    id: str
    kind: TaskKind
    title: str
    flow: Flow | Job

    def __post_init__(self) -> None:
        """Write the identity into every job, so that the JobStore can be asked for it."""
        self.flow.update_metadata({TASK_METADATA_KEY: self.id})


@dataclass(frozen=True)
class TaskResult:
    """Documents of a finished task as a JobStore holds them, or the reason why there are none.

    Attributes:
        task_id: the task's identity.
        documents: JobStore documents in the order in which the jobs ran; empty after an error.
        error: one line, or None.
        seconds: wall time of the attempt that finished.
        worker: who did it.
    """

    task_id: str
    documents: tuple[dict[str, Any], ...]
    error: str | None = None
    seconds: float = 0.0
    worker: str = ""


@dataclass(frozen=True)
class WorkerStatus:
    """What one worker does at this moment, for the progress display."""

    worker: str
    task_id: str | None
    title: str
    kind: TaskKind | None
    started: float


@dataclass(frozen=True)
class Watch:
    """How the caller follows and stops a run.

    Attributes:
        should_stop: asked about twice a second; true asks the workers to stop at their next checkpoint.
        on_tick: called about twice a second with what each worker does; also the place to renew leases.
    """

    should_stop: Callable[[], bool] = field(default=lambda: False)
    on_tick: Callable[[Sequence[WorkerStatus]], None] = field(default=lambda _statuses: None)


ResultHandler = Callable[[TaskResult], Iterable[Task]]
"""Makes a result durable and returns the tasks that it makes possible."""


class Runner(Protocol):
    """Runs tasks until none is left or a stop is asked for."""

    def run(self, tasks: Sequence[Task], *, on_result: ResultHandler, watch: Watch) -> bool:
        """Run the tasks and all that their results bring.

        Args:
            tasks: what to begin with.
            on_result: called once for each finished task, in the caller's process.
            watch: progress and stopping.

        Returns:
            Whether everything was done; False after a stop.
        """
        ...

    def ask_again(self, task_ids: Sequence[str], *, anew: bool = False) -> None:
        """Forget how tasks failed, so that they are run when they are given next; what they finished is kept.

        Args:
            task_ids: tasks that failed; those that did not, or are unknown, are left as they are.
            anew: run those that did not fail once more, too.
        """
        ...

    def close(self) -> None:
        """Let go of what the runner holds; those that work write their checkpoints first."""
        ...
