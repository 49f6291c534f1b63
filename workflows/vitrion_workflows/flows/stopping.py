"""Stopping a job cleanly: a signal sets a flag, the running stage writes its checkpoint and raises."""

import signal
import threading
from types import FrameType

from vitrion_models.errors import VitrionError

_requested = threading.Event()


class StoppedError(VitrionError):
    """A stop was asked for; the checkpoint is written and the same job goes on from it when it is run again."""


def stop_on_signal(*signals: signal.Signals) -> None:
    """Turn signals (SIGTERM by default) into a request to stop at the next checkpoint; main thread only."""
    for number in signals or (signal.SIGTERM,):
        signal.signal(number, _request)


def stop_requested() -> bool:
    """Whether a stop was asked for: what the engine's `should_stop` asks."""
    return _requested.is_set()


def _request(_number: int, _frame: FrameType | None) -> None:
    _requested.set()
