"""Who holds a cycle: leases of the living are respected, those of processes that are gone are not waited for."""

import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from vitrion.database import CycleRow, Database
from vitrion_models.errors import VitrionError

LEASE_SECONDS = 300.0
_PROCESS = uuid.uuid4().hex[:8]


class BusyError(VitrionError):
    """Another process holds the lease of the campaign's cycle."""


def own_name() -> str:
    """This very process as the owner of leases: host, process id, and what tells it from a later one of that id."""
    return f"{socket.gethostname()}:{os.getpid()}:{_PROCESS}"


@contextmanager
def holding(db: Database, campaign: str, index: int, *, owner: str) -> Iterator[CycleRow]:
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
    host, _, rest = owner.rpartition(":")[0].rpartition(":")
    if host != socket.gethostname() or not rest.isdecimal():
        return False
    if int(rest) == os.getpid():
        return True  # an earlier process of our id, as the first one in a container is after each start
    with suppress(PermissionError):
        try:
            os.kill(int(rest), 0)
        except ProcessLookupError:
            return True
    return False
