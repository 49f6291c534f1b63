"""The writer's lock of an embedded store: one process writes, and the error of a second names it."""

import fcntl
import json
import os
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from vitrion.database.errors import DatabaseLockedError

LOCK_NAME = "writer.lock"

# POSIX locks belong to a process and say nothing inside it: what this process holds is kept here, by its id, so that
# a forked child does not believe that it holds the lock of its parent.
_HELD: dict[tuple[int, Path], "WriterLock"] = {}
_GUARD = threading.Lock()


@dataclass(frozen=True)
class Holder:
    """The process that writes to a store."""

    pid: int
    host: str
    command: str
    since: str

    @classmethod
    def current(cls) -> "Holder":
        """Return this process."""
        return cls(
            pid=os.getpid(),
            host=socket.gethostname(),
            command=" ".join(Path(word).name if number == 0 else word for number, word in enumerate(sys.argv)),
            since=datetime.now(tz=UTC).isoformat(timespec="seconds"),
        )

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host} ({self.command or 'python'}) since {self.since}"


class WriterLock:
    """A POSIX record lock on ``writer.lock``.

    The kernel lets go of it when its holder dies, however it dies, so a stale lock is taken over by simply locking; and
    unlike flock it is not inherited by children, so an orphaned worker cannot keep it. The holder's name in the file is
    for the message only.
    """

    def __init__(self, home: Path) -> None:
        """Take the lock.

        Args:
            home: folder of the embedded store; it exists.

        Raises:
            DatabaseLockedError: another process holds it; the message names it.
        """
        self._path = (home / LOCK_NAME).resolve()
        self._identity = (os.getpid(), self._path)
        with _GUARD:
            if self._identity in _HELD:
                # Opening and closing the file here would drop the lock this process has: answer from memory.
                raise DatabaseLockedError(
                    f"the store in {home} is open for writing in this process already: close it first"
                    " or connect with readonly=True",
                )
            self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as fault:
                holder = _holder(self._descriptor)
                os.close(self._descriptor)
                raise DatabaseLockedError(
                    f"the store in {home} is being written to by {holder}: wait for it, connect with readonly=True,"
                    " or use a MongoDB server for several writers",
                ) from fault
            _HELD[self._identity] = self
        os.ftruncate(self._descriptor, 0)
        os.pwrite(self._descriptor, json.dumps(asdict(Holder.current())).encode(), 0)

    def release(self) -> None:
        """Release the lock; repeated calls, and calls in a forked child, have no effect."""
        if os.getpid() != self._identity[0]:
            return
        with _GUARD:
            if _HELD.pop(self._identity, None) is not None:
                os.ftruncate(self._descriptor, 0)
                os.close(self._descriptor)


def _holder(descriptor: int) -> str:
    try:
        return str(Holder(**json.loads(os.pread(descriptor, 65536, 0))))
    except (ValueError, TypeError):
        return "another process"
