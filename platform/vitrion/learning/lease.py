"""Leases: which process works on a cycle, and its writes to the cycle, which fail once its lease is lost.

Leases of living processes are respected; those of processes that have ended are taken over at once.
"""

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import psutil

from vitrion.database import Database
from vitrion.database.records import CycleRecord
from vitrion.keys import cycle_number
from vitrion_models.errors import VitrionError

LEASE_SECONDS = 300.0
_PROCESSES = Path("/proc")
_START_FIELD = 19  # start time in ticks since boot, counted from the field after the name in /proc/PID/stat


class BusyError(VitrionError):
    """Another process holds the lease of the cycle."""


def lease_owner(pid: int | None = None) -> str:
    """Return the name of a living process as an owner of leases: host, process id, namespace and start time.

    Args:
        pid: process id; this process when None.

    Raises:
        psutil.NoSuchProcess: the process does not exist.
    """
    pid = os.getpid() if pid is None else pid
    return f"{socket.gethostname()}:{pid}:{_namespace()}.{_start(pid)}"


def _namespace() -> str:
    """Return the id of the process namespace: containers may share a host name and count process ids from 1 each."""
    try:
        return str((_PROCESSES / "self/ns/pid").stat().st_ino)
    except OSError:
        return "0"


def _start(pid: int) -> str:
    try:
        return (_PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[_START_FIELD]
    except OSError:  # no such process, or not Linux
        return str(psutil.Process(pid).create_time())


@contextmanager
def lease(db: Database, campaign: str, index: int, *, owner: str) -> Iterator[CycleRecord]:
    """Hold the lease of a cycle for the length of a with block.

    Yields:
        The cycle as read under the lease: another process may have changed it since it was last read.

    Raises:
        BusyError: another process holds the lease.
    """
    if not db.cycles.acquire_lease(campaign, index, owner, LEASE_SECONDS):
        holder = db.cycles.get(campaign, index).lease_owner
        if holder is not None and (db.embedded or _has_ended(holder)):
            # Released only if `holder` still has it: a quicker process keeps it. The embedded store has one writer, us.
            db.cycles.release_lease(campaign, index, holder)
        if not db.cycles.acquire_lease(campaign, index, owner, LEASE_SECONDS):
            raise BusyError(f"campaign {campaign}: cycle {cycle_number(index)} is being worked on by {holder}")
    try:
        yield db.cycles.get(campaign, index)
    finally:
        db.cycles.release_lease(campaign, index, owner)


def _has_ended(owner: str) -> bool:
    """Return True if the owner was a process of this host that has ended; other hosts' leases have to expire."""
    host, _, rest = owner.partition(":")
    pid, _, process = rest.partition(":")
    if host != socket.gethostname() or not pid.isdecimal() or process.partition(".")[0] != _namespace():
        return False
    try:
        return lease_owner(int(pid)) != owner
    except psutil.NoSuchProcess:
        return True


RENEWALS_PER_LEASE = 6


@dataclass
class Ledger:
    """Writes to one cycle."""

    db: Database
    campaign: str
    index: int
    owner: str
    lease_seconds: float
    _renewed: float = field(default_factory=time.monotonic)

    @property
    def cycle(self) -> CycleRecord:
        """The document as it is now."""
        return self.db.cycles.get(self.campaign, self.index)

    def keep_alive(self) -> None:
        """Renew the lease once a sixth of it has passed; cheap to call often."""
        now = time.monotonic()
        if now - self._renewed > self.lease_seconds / RENEWALS_PER_LEASE:
            self.db.cycles.renew_lease(self.campaign, self.index, self.owner, self.lease_seconds)
            self._renewed = now

    def update(self, **fields: Any) -> None:
        """Write fields of the cycle."""
        self.db.cycles.update(self.campaign, self.index, owner=self.owner, **fields)

    @property
    def record(self) -> Mapping[str, Any]:
        """Results that the stages of this cycle have stored, by name."""
        return self._record

    def remember(self, name: str, value: Any) -> None:
        """Write one entry of the cycle's record."""
        record = {**self._record, name: value}
        self.update(record=record)
        self._record = record

    def spend(self, kind: str, task_id: str, seconds: float) -> None:
        """Add the time of one task to the budget, once: after a kill the same task may be reported again."""
        entry = self._budget.get(kind, {"tasks": 0, "seconds": 0.0})
        counted = entry.get("counted", [])
        if task_id in counted:
            return
        total = {
            "tasks": entry["tasks"] + 1,
            "seconds": entry["seconds"] + seconds,
            "counted": [*counted, task_id],
        }
        budget = {**self._budget, kind: total}
        self.update(budget=budget)
        self._budget = budget

    # Read once: nobody else writes under our lease, and the next write fails if it was lost.

    @cached_property
    def _record(self) -> dict[str, Any]:
        return dict(self.cycle.record or {})

    @cached_property
    def _budget(self) -> dict[str, Any]:
        return dict(self.cycle.budget or {})

    def transition(self, expected: str, new: str) -> None:
        """Move the cycle to its next state in one atomic update."""
        self.db.cycles.transition(self.campaign, self.index, expected=expected, new=new, owner=self.owner)
