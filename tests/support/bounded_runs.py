"""Commands in a child process that is held to a bound of memory and time, with its peak measured."""

import os
import resource
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

LIMIT_BYTES = 2**30  # of memory beyond what the modules take
LONGEST_S = 60  # a hang, on the slowest machine


@dataclass(frozen=True)
class BoundedRun:
    """Outcome of a command.

    Attributes:
        code: exit code; None where it was killed.
        out: printed on stdout.
        err: printed on stderr.
        peak_bytes: memory in use at most, beyond that of the process which started it.
    """

    code: int | None
    out: str
    err: str
    peak_bytes: int


def run_bounded(words):
    """Run a command in a fork of this process, which has imported what the command needs."""
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder) / "out", Path(folder) / "err"
        child = os.fork()
        if child == 0:
            _child(words, out, err)
        _, status, usage = os.wait4(child, 0)
        return BoundedRun(
            code=os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            out=out.read_text(errors="replace"),
            err=err.read_text(errors="replace"),
            peak_bytes=usage.ru_maxrss * 1024 - before,
        )


def _child(words, out, err):
    code = 70
    try:
        signal.alarm(LONGEST_S)
        size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (size + 2 * LIMIT_BYTES,) * 2)
        for path, stream in ((out, 1), (err, 2)):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT), stream)
        sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w", errors="backslashreplace")
        from vitrion.cli.app import run

        code = run([str(word) for word in words])
    except BaseException as error:  # noqa: BLE001 - what the test is to see
        sys.stderr.write(f"{type(error).__name__}: {str(error)[:500]}\n")
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
