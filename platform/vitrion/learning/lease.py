"""Leases: which process works on a cycle.

Leases of living processes are respected; those of processes that have ended are taken over at once.
"""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from vitrion.database import Database
from vitrion.database.records import CycleRecord
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

    Args:
        db: database of the campaign.
        campaign: its name.
        index: of the cycle.
        owner: see `lease_owner`.

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
            raise BusyError(f"campaign {campaign}: cycle {index} is being worked on by {holder}")
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
