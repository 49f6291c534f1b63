"""Runner with worker processes on this machine: one thread each, results spooled before they are reported."""

import json
import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from monty.json import MontyEncoder

from vitrion.keys import short_key
from vitrion.running.local_worker import serve
from vitrion.running.spool import Spool
from vitrion.running.task import MachineFaultError, ResultHandler, RunCallbacks, Task, TaskResult, WorkerStatus
from vitrion_workflows.potentials.devices import one_thread

TICK_SECONDS = 0.5
MOST_ATTEMPTS = 3
STOP_GRACE_SECONDS = 60.0


@dataclass(eq=False)
class _Worker:
    name: str
    process: BaseProcess
    connection: Connection
    task: Task | None = None
    started: float = 0.0

    def assign(self, task: Task) -> None:
        self.task, self.started = task, time.time()
        message = {"id": task.id, "flow": task.flow.as_dict()}
        with suppress(BrokenPipeError, ConnectionResetError):  # it died while idle, which the next read finds
            self.connection.send_bytes(json.dumps(message, cls=MontyEncoder).encode())

    def status(self) -> WorkerStatus:
        task = self.task
        return WorkerStatus(
            worker=self.name,
            task_id=task.id if task else None,
            title=task.title if task else "",
            kind=task.kind if task else None,
            started=self.started,
        )


class LocalRunner:
    """Runs tasks in worker processes of this machine.

    A worker that dies (out of memory, kill -9) is replaced and its task run again from its checkpoint, at most three
    times. A worker writes its result to the spool before it reports it, so that no result is lost if the coordinator
    dies; a worker whose coordinator is gone exits.
    """

    def __init__(self, *, workers: int, scratch: Path) -> None:
        """Prepare; processes start with the first task.

        Args:
            workers: number of processes.
            scratch: folder of the checkpoints, shared by the workers; results are spooled below it.
        """
        self._count = workers
        self._scratch = scratch.resolve()
        self._spool = Spool(self._scratch / "results")
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []

    def run(self, tasks: Sequence[Task], *, on_result: ResultHandler, callbacks: RunCallbacks) -> bool:
        """Run the tasks and those that follow from their results; see `Runner.run`.

        The processes stay for the next call, which saves their start; `close` ends them.
        """
        queue = deque(tasks)
        attempts: dict[str, int] = {}
        while queue or any(worker.task for worker in self._workers):
            self._hand_on_spooled(queue, on_result)
            self._assign(queue)
            callbacks.on_tick([worker.status() for worker in self._workers])
            if callbacks.should_stop():
                self.close()
                return False
            for worker in self._ready():
                queue.extend(self._collect(worker, attempts, on_result))
        callbacks.on_tick([])
        return True

    def retry(self, task_ids: Sequence[str], *, rerun_finished: bool = False) -> None:
        """Remove spooled failures, and with `rerun_finished` every spooled result; see `Runner.retry`."""
        for task_id in task_ids:
            result = self._spool.read(task_id)
            if result is not None and (rerun_finished or result.error is not None):
                self._spool.remove(task_id)

    def close(self) -> None:
        """End the processes; busy ones write their checkpoints first."""
        workers, self._workers = self._workers, []
        _stop(workers)

    def _hand_on_spooled(self, queue: deque[Task], on_result: ResultHandler) -> None:
        """Hand on the results that the workers of an earlier coordinator have spooled."""
        for _ in range(len(queue)):
            task = queue.popleft()
            result = self._spool.read(task.id)
            if result is None:
                queue.append(task)
            else:
                queue.extend(on_result(result))
                self._spool.remove(task.id)

    def _assign(self, queue: deque[Task]) -> None:
        busy = sum(worker.task is not None for worker in self._workers)
        while len(self._workers) < min(self._count, busy + len(queue)):
            self._workers.append(self._start(f"worker-{len(self._workers) + 1}"))
        for worker in self._workers:
            if queue and worker.task is None:
                worker.assign(queue.popleft())

    def _start(self, name: str) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=serve,
            args=(theirs, name, str(self._scratch), os.getpid()),
            name=f"vitrion-{name}",
            daemon=True,
        )
        # Ctrl-C reaches the whole group, and only the coordinator may act on it. Blocked, not ignored: the worker
        # inherits the mask at once, and a Ctrl-C during its start reaches the coordinator later.
        resource_tracker.ensure_running()  # its own start would lift the block
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with one_thread():
                process.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
        theirs.close()
        return _Worker(name=name, process=process, connection=ours)

    def _ready(self) -> list[_Worker]:
        ready = set(wait([worker.connection for worker in self._workers], timeout=TICK_SECONDS))
        return [worker for worker in self._workers if worker.connection in ready]

    def _collect(
        self,
        worker: _Worker,
        attempts: dict[str, int],
        on_result: ResultHandler,
    ) -> list[Task]:
        task = worker.task
        try:
            message = json.loads(worker.connection.recv_bytes())
        except (EOFError, OSError):
            self._workers[self._workers.index(worker)] = self._start(worker.name)
            return self._after_death(worker, attempts, on_result)
        worker.task = None
        if "fault" in message:
            raise MachineFaultError(f"{task.title if task else 'a task'} cannot go on: {message['fault']}")
        result = self._spool.read(message["id"])
        if task is None or result is None:
            raise MachineFaultError(
                f"the result of task {short_key(message['id'])} is gone from {self._scratch}: "
                "another process has taken it, or the folder was emptied"
            )
        following = list(on_result(result))
        self._spool.remove(task.id)
        return following

    def _after_death(self, worker: _Worker, attempts: dict[str, int], on_result: ResultHandler) -> list[Task]:
        task = worker.task
        worker.process.join()
        if task is None:
            return []
        attempts[task.id] = attempts.get(task.id, 0) + 1
        if attempts[task.id] < MOST_ATTEMPTS or self._spool.read(task.id) is not None:
            return [task]
        error = f"its worker died {MOST_ATTEMPTS} times (exit code {worker.process.exitcode})"
        return list(on_result(TaskResult(task_id=task.id, documents=(), error=error, worker=worker.name)))


def _stop(workers: list[_Worker]) -> None:
    """Ask workers for a checkpoint, wait, then kill those still running."""
    for worker in workers:
        if worker.process.is_alive():
            worker.process.terminate()
        worker.connection.close()  # one that has just finished its task waits for the next
    deadline = time.monotonic() + STOP_GRACE_SECONDS
    for worker in workers:
        worker.process.join(timeout=max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
