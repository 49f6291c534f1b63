"""Worker processes of a launchpad, as people start them."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

SUPPORT = Path(__file__).parent


def environment(uri, scratch):
    """Settings of a process that shares a server and a scratch folder with others."""
    paths = os.pathsep.join(filter(None, [str(SUPPORT), os.environ.get("PYTHONPATH")]))
    return {
        **os.environ,
        "VITRION_DATABASE_URI": uri,
        "VITRION_SCRATCH": str(scratch),
        "PYTHONPATH": paths,
        "OMP_NUM_THREADS": "1",
    }


def start(uri, scratch, *options):
    """One `vitrion worker` with a quick heartbeat; what it prints lies beside the scratch folder."""
    log = Path(f"{scratch}.log")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("a") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "vitrion", "worker", "--heartbeat", "1", *options],
            env=environment(uri, scratch),
            stdout=file,
            stderr=file,
        )


@contextmanager
def workers(uri, scratch, *, count):
    """So many workers, ended by SIGTERM; those that a test has killed are left out."""
    processes = [start(uri, scratch) for _ in range(count)]
    try:
        yield processes
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(timeout=60) for process in processes]
    assert set(codes) <= {0, 128 + signal.SIGTERM, -signal.SIGKILL}, Path(f"{scratch}.log").read_text()
