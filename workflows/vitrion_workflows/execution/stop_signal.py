"""Stop requests: after a signal or a file `stop`, dynamics write a checkpoint and `StoppedError` ends the job."""

import signal
from collections.abc import Callable
from pathlib import Path
from types import FrameType

from vitrion_workflows.execution.scratch import scratch_root

STOP_FILE = "stop"
_STEPS_BETWEEN_LOOKS = 25


class _Flag:
    """Set by a signal handler, read by the dynamics."""

    number: int | None = None


def stop_on_signal(*signals: signal.Signals) -> None:
    """Take a signal (SIGTERM where none is named) as a request to stop at the next step, with a checkpoint.

    Also forgets an earlier request. To be called from the main thread.
    """
    _Flag.number = None
    for each in signals or (signal.SIGTERM,):
        signal.signal(each, _raise_flag)


def stop_condition() -> Callable[[], bool]:
    """Return a function that is True after a signal, or while a file `stop` is in the scratch folder."""
    path = scratch_root() / STOP_FILE
    calls = 0

    def should_stop() -> bool:
        nonlocal calls
        calls += 1
        # The flag costs nothing; the file system is looked at only now and then.
        return _Flag.number is not None or (calls % _STEPS_BETWEEN_LOOKS == 1 and _exists(path))

    return should_stop


def received_signal() -> int | None:
    """Return the number of the signal that requested the stop; None where it was the file, or nothing."""
    return _Flag.number


def _raise_flag(number: int, _frame: FrameType | None) -> None:
    _Flag.number = number


def _exists(path: Path) -> bool:
    return path.exists()
