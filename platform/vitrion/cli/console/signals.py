"""Exit codes of commands that a signal ends: 128 and its number, as a shell reports it, in every command.

A command that can write a checkpoint takes the signal itself (`vitrion_workflows.execution.stop_signal`); the others
end where they are.
"""

import _thread
import signal
import sys
import threading
from types import FrameType, TracebackType
from typing import Any, Self

AGAIN_SECONDS = 0.05
ENDED_BY_SIGNAL = {128 + signal.SIGINT: "interrupted", 128 + signal.SIGTERM: "terminated"}


def exit_code(number: int | None) -> int:
    """Return the exit code after a signal; without one (a stop file, a prompt left) that of Ctrl-C."""
    return 128 + (number or signal.SIGINT)


class Signals:
    """Context in which Ctrl-C and SIGTERM raise KeyboardInterrupt and are remembered.

    Attributes:
        received: number of the last one.
    """

    def __init__(self) -> None:
        """Remember nothing yet."""
        self.received: int | None = None
        self._before: dict[int, Any] = {}

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = {number: signal.signal(number, self._raise) for number in (signal.SIGINT, signal.SIGTERM)}
        self._hook = sys.unraisablehook
        sys.unraisablehook = self._raise_again
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        sys.unraisablehook = self._hook

    def _raise(self, number: int, _frame: FrameType | None) -> None:
        self.received = number
        raise KeyboardInterrupt

    def _raise_again(self, unraisable: Any) -> None:
        # Python drops what is raised in a destructor or a callback of the garbage collector.
        if self.received is not None and issubclass(unraisable.exc_type, KeyboardInterrupt):
            again = threading.Timer(AGAIN_SECONDS, _thread.interrupt_main, (self.received,))
            again.daemon = True
            again.start()
        else:
            self._hook(unraisable)
