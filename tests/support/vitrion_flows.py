"""Small jobs that the runner tests send to worker processes."""

import contextlib
import errno
import os
import signal
import time
from pathlib import Path

from jobflow import Flow, job

from vitrion.running.task import RunCallbacks, Task, TaskKind
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.execution.stop_signal import stop_condition


@job
def double(number, record=None):
    """Twice a number; notes that it ran."""
    if record is not None:
        with Path(record).open("a") as file:
            file.write(f"{number}\n")
    return 2 * number


@job
def variable(name):
    """A variable of the worker's environment."""
    return os.environ.get(name)


@job
def sleep(seconds):
    """Take a while."""
    time.sleep(seconds)
    return seconds


@job
def fail(message):
    """Break."""
    raise ValueError(message)


@job
def die_until(folder, times):
    """Kill the own process a number of times, then answer."""
    path = Path(folder) / "deaths"
    deaths = len(path.read_text()) if path.exists() else 0
    if deaths < times:
        with path.open("a") as file:
            file.write("x")
        os.kill(os.getpid(), signal.SIGKILL)
    return deaths


def chain(number):
    """Two jobs, the second taking the first one's output."""
    first = double(number)
    second = double(first.output)
    return Flow([first, second], output=second.output)


@job
def step_on(folder, steps):
    """Count up once in a tenth of a second, in a file that later attempts go on from; can be stopped."""
    path, should_stop = Path(folder) / "steps", stop_condition()
    path.parent.mkdir(parents=True, exist_ok=True)
    while (done := len(path.read_text()) if path.exists() else 0) < steps:
        if should_stop():
            raise StoppedError(f"stopped after {done} steps")
        with path.open("a") as file:
            file.write("x")
        time.sleep(0.1)
    return done


@job
def fill_disk():
    """Meet a full disk."""
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@job
def require(path):
    """Break until a file is there, then answer with its text."""
    if not Path(path).exists():
        raise ValueError(f"no {Path(path).name}")
    return Path(path).read_text()


def be_deaf(connection):
    """A process that hears no SIGTERM and waits for a message."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection.send_bytes(b"ready")
    with contextlib.suppress(EOFError):
        connection.recv_bytes()


def task(name, flow):
    """A label task of that id."""
    return Task(id=name, kind=TaskKind.LABEL, title=name, flow=flow)


def results_of(runner, tasks, *, follow=lambda _result: [], callbacks=None):
    """Run tasks, each result handed over once, and close the runner; return whether all are done, and results by id."""
    results = {}

    def on_result(result):
        assert result.task_id not in results, "handed over twice"
        results[result.task_id] = result
        return follow(result)

    try:
        done = runner.run(tasks, on_result=on_result, callbacks=callbacks or RunCallbacks())
    finally:
        runner.close()
    return done, results


def outputs(results):
    """Outputs of the jobs of each task."""
    return {name: [document["output"] for document in result.documents] for name, result in results.items()}
