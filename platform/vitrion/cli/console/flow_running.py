"""Run one flow in this process, with a progress bar and a clean Ctrl-C."""

import json
import os
import signal
import threading
import time
import warnings
from pathlib import Path
from typing import Any

import typer
from jobflow import Flow, JobStore, run_locally
from maggma.stores import MemoryStore

from vitrion.cli.console.output import Advance, note, progress
from vitrion.cli.console.signals import exit_code
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.execution.scratch import PROGRESS_FILE, TASK_METADATA_KEY, scratch_root
from vitrion_workflows.execution.stop_signal import received_signal, stop_on_signal

POLL_SECONDS = 0.3
# Begins the name of the folder of a command's progress, before the number of its process.
COMMAND = "command-"


def run_flow(flow: Flow, *, description: str, quiet: bool) -> list[dict[str, Any]]:
    """Run a flow and return its JobStore documents.

    Returns:
        JobStore documents in the order in which the jobs ended.

    Raises:
        typer.Exit: Ctrl-C or SIGTERM, after a checkpoint.
        VitrionError: a job failed.
    """
    for other in scratch_root().glob(f"{COMMAND}*"):
        if not _is_running(int(other.name.removeprefix(COMMAND))):
            _clear(other)
    folder = scratch_root() / f"{COMMAND}{os.getpid()}"
    flow.update_metadata({TASK_METADATA_KEY: folder.name})
    store = JobStore(MemoryStore())
    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    stop_on_signal(signal.SIGINT, signal.SIGTERM)
    over = threading.Event()
    with progress(description, quiet=quiet) as advance:
        watcher = threading.Thread(target=_follow, args=(folder / PROGRESS_FILE, advance, over), daemon=True)
        watcher.start()
        try:
            with warnings.catch_warnings():
                # jobflow 0.4 changes folder through monty's deprecated `cd`.
                warnings.filterwarnings("ignore", message="cd is deprecated")
                run_locally(flow, store=store, log=False, raise_immediately=True)
        except StoppedError:
            note("stopped after a checkpoint: run the same command again to continue")
            raise typer.Exit(exit_code(received_signal())) from None
        finally:
            over.set()
            watcher.join()
            for each, handler in before.items():
                signal.signal(each, handler)
            _clear(folder)
    return [
        {key: value for key, value in document.items() if key != "_id"}
        for document in store.query(sort={"completed_at": 1})
    ]


def _follow(path: Path, advance: Advance, over: threading.Event) -> None:
    while not over.is_set():
        try:
            content = json.loads(path.read_text())
            advance(content["step"], content["steps"], content["stage"])
        except (OSError, ValueError, KeyError):
            pass  # not written yet, or just being replaced
        time.sleep(POLL_SECONDS)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # of another user
        return True
    return True


def _clear(folder: Path) -> None:
    (folder / PROGRESS_FILE).unlink(missing_ok=True)
    try:
        folder.rmdir()
    except OSError:
        return
