"""Who holds a cycle: leases of the living are respected, those of processes that are gone are not waited for."""

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
_START_FIELD = 19  # of those behind the name in /proc/PID/stat: ticks from boot to the start, which no clock changes


class BusyError(VitrionError):
    """Another process holds the lease of the campaign's cycle."""


def own_name() -> str:
    """This very process as the owner of leases; see `name_of`."""
    return name_of(os.getpid())


def name_of(pid: int) -> str:
    """A living process as the owner of leases: host, process id, and what tells it from all others of that id.

    Raises:
        psutil.NoSuchProcess: there is no such process.
    """
    return f"{socket.gethostname()}:{pid}:{_namespace()}.{_start(pid)}"


def _namespace() -> str:
    """The process ids that this process sees: containers may share a host name and count from 1 each."""
    try:
        return str((_PROCESSES / "self/ns/pid").stat().st_ino)
    except OSError:
        return "0"


def _start(pid: int) -> str:
    try:
        return (_PROCESSES / str(pid) / "stat").read_text().rpartition(")")[2].split()[_START_FIELD]
    except OSError:  # none such, or no Linux
        return str(psutil.Process(pid).create_time())


@contextmanager
def holding(db: Database, campaign: str, index: int, *, owner: str) -> Iterator[CycleRecord]:
    """Hold a cycle for a while.

    Args:
        db: where.
        campaign: name.
        index: of the cycle.
        owner: see `own_name`.

    Yields:
        The cycle as it is under the lease: another process may have moved it on since it was last read.

    Raises:
        BusyError: another process holds it.
    """
    if not db.cycles.acquire_lease(campaign, index, owner, LEASE_SECONDS):
        holder = db.cycles.get(campaign, index).lease_owner
        if holder is not None and (db.embedded or _is_gone(holder)):
            # Only from that owner: whoever was quicker keeps it. An embedded store has one writer, which is us.
            db.cycles.release_lease(campaign, index, holder)
        if not db.cycles.acquire_lease(campaign, index, owner, LEASE_SECONDS):
            raise BusyError(f"campaign {campaign}: cycle {index} is being worked on by {holder}")
    try:
        yield db.cycles.get(campaign, index)
    finally:
        db.cycles.release_lease(campaign, index, owner)


def _is_gone(owner: str) -> bool:
    """Whether an owner on this host is dead; owners elsewhere are believed until their lease expires."""
    host, _, rest = owner.partition(":")
    pid, _, process = rest.partition(":")
    if host != socket.gethostname() or not pid.isdecimal() or process.partition(".")[0] != _namespace():
        return False
    try:
        return name_of(int(pid)) != owner
    except psutil.NoSuchProcess:
        return True
