"""The process of a client that Vitrion starts and ends."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

from vitrion_models.errors import MissingDependencyError

GRACE_SECONDS = 2.0


class ClientProcess:
    """A client started with a command; its output goes to a file of the scratch folder."""

    def __init__(self, command: list[str], scratch: Path) -> None:
        self._log = scratch / "client.log"
        try:
            with self._log.open("ab") as log:
                # A session of its own: all its processes can be ended together, and Ctrl-C reaches the driver first.
                self._process = subprocess.Popen(  # noqa: S603 - the user's own command
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
        except OSError as error:
            raise MissingDependencyError(
                f"the remote potential's command cannot be started: {command[0]}: {error.strerror}"
            ) from error

    @property
    def pid(self) -> int:
        """Return the id of the process, which is also that of its group."""
        return self._process.pid

    def ended(self, *, within_s: float = 0.0) -> str | None:
        """Return how the process ended and its last line of output, or None while it runs.

        Args:
            within_s: time to wait for its end: a dying process closes its socket before it ends.
        """
        try:
            code = self._process.wait(within_s)
        except subprocess.TimeoutExpired:
            return None
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        last = self.last_line()
        return f"the client {how}" + (f": {last}" if last else "")

    def last_line(self) -> str:
        """Return the last line of output."""
        lines = [line.strip() for line in self._log.read_text(errors="replace").splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def end(self, *, politely: bool) -> None:
        """End the process and its children; a client that got EXIT may first end by itself."""
        if politely:
            try:
                self._process.wait(GRACE_SECONDS)
            except subprocess.TimeoutExpired:
                self._signal(signal.SIGTERM)
                politely = self._gone()
        if not politely:
            # A stopped or hanging process reacts to nothing else.
            self._signal(signal.SIGKILL)
        self._process.wait()

    def _gone(self) -> bool:
        try:
            self._process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has ended already
            os.killpg(self._process.pid, number)
