"""The listening socket of a remote potential, to which its client connects."""

import socket
import time
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock, Timeout

from vitrion_workflows.potentials.remote.description import UNIX_PREFIX, parse_address
from vitrion_workflows.potentials.remote.errors import RemoteError
from vitrion_workflows.potentials.remote.wire import WireError

POLL_SECONDS = 0.05


class Listener:
    """A socket that is opened on first use and can be closed and opened again."""

    def __init__(self, potential: str) -> None:
        """Prepare a listener; `potential` names it in error messages."""
        self._potential = potential
        self._socket: socket.socket | None = None
        self._lock: FileLock | None = None

    def open(self, address: str) -> str:
        """Listen at an address, unless already listening, and return the address.

        Raises:
            RemoteError: the address is in use or cannot be bound.
        """
        if self._socket is None:
            try:
                self._socket = self._bound(parse_address(address))
            except (OSError, Timeout) as error:
                self.close()
                reason = "in use" if isinstance(error, Timeout) else error.strerror or error
                raise RemoteError(
                    f"remote potential {self._potential} cannot listen at {address} ({reason}): "
                    "another process may use it; give a command instead of an address, or use one worker"
                ) from error
        place = self._socket.getsockname()
        return f"{UNIX_PREFIX}{place}" if isinstance(place, str) else f"{place[0]}:{place[1]}"

    def accept(self, *, timeout_s: float, client_ended: Callable[[], str | None]) -> socket.socket:
        """Wait for the client to connect.

        Args:
            timeout_s: longest wait.
            client_ended: returns how the client ended, or None while it may still connect.

        Raises:
            OSError: the client ended, or did not connect in time.
        """
        if self._socket is None:
            raise WireError("the listening socket is closed")
        self._socket.settimeout(POLL_SECONDS)
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                connection, _ = self._socket.accept()
            except TimeoutError:
                ended = client_ended()
                if ended is not None:
                    raise WireError(ended) from None
            else:
                return connection
        raise WireError(f"no client connected within {timeout_s:g} s")

    def close(self) -> None:
        """Close the socket and remove its path."""
        if self._socket is not None:
            place = self._socket.getsockname()
            self._socket.close()
            self._socket = None
            if isinstance(place, str) and place:
                Path(place).unlink(missing_ok=True)
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _bound(self, place: tuple[str, int] | str) -> socket.socket:
        if isinstance(place, str):
            # The lock tells the path of a dead driver's socket, which may be removed, from that of a living one.
            self._lock = FileLock(f"{place}.lock")
            self._lock.acquire(timeout=0)
            Path(place).unlink(missing_ok=True)
        listener = socket.socket(socket.AF_UNIX if isinstance(place, str) else socket.AF_INET)
        try:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(place)
            listener.listen(1)
        except OSError:
            listener.close()
            raise
        return listener
