"""Faults of the database that a user can mend, each told in one line."""

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from pymongo.errors import (
    ConfigurationError,
    ConnectionFailure,
    InvalidURI,
    OperationFailure,
    ServerSelectionTimeoutError,
)

from vitrion_models.errors import VitrionError

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})
UNUSABLE = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.EACCES, errno.EPERM, errno.EROFS})
UNAUTHORISED = frozenset({13, 18})


class DatabaseError(VitrionError):
    """The database cannot do what was asked."""


class DatabaseUnreachableError(DatabaseError):
    """No server answers at the URI."""


class DatabaseLockedError(DatabaseError):
    """Another process writes to the embedded store."""


class DatabaseVersionError(DatabaseError):
    """The database has a layout that this Vitrion cannot read."""


class DiskFullError(DatabaseError):
    """There is no room left for the embedded store or its artefacts."""


class NotFoundError(DatabaseError, LookupError):
    """Nothing of that identity is in the database."""


class LeaseLostError(DatabaseError):
    """A cycle is no longer in the state, or in the hands, that the caller believed."""


@contextmanager
def told(where: str) -> Iterator[None]:
    """Turn the faults of both back ends into one line.

    Args:
        where: the database, for the message.

    Raises:
        DatabaseUnreachableError: the server does not answer.
        DiskFullError: the disk is full.
        DatabaseError: wrong credentials, a damaged file, or a store that another program keeps busy.
    """
    try:
        yield
    except (ServerSelectionTimeoutError, ConnectionFailure) as fault:
        first = str(fault).split(",", maxsplit=1)[0].partition(" (configured")[0]
        raise DatabaseUnreachableError(
            f"no MongoDB server answers at {where} ({first}): start it, or correct VITRION_DATABASE_URI",
        ) from fault
    except (InvalidURI, ConfigurationError) as fault:
        raise DatabaseError(f"{where} is no usable MongoDB address: {fault}") from fault
    except OperationFailure as fault:
        if fault.code in UNAUTHORISED:
            raise DatabaseError(f"{where} refuses this user: check the name, the password and the roles") from fault
        raise
    except sqlite3.Error as fault:
        raise _sqlite(fault, where) from fault
    except OSError as fault:
        if fault.errno in FULL_DISK:
            raise DiskFullError(_full(where)) from fault
        if fault.errno in UNUSABLE:
            raise DatabaseError(
                f"{where} cannot be used ({fault.strerror}): name a place that may be written to (VITRION_HOME, --to)",
            ) from fault
        raise


def _full(where: str) -> str:
    return f"the disk is full at {where}: nothing was stored; free some space or move VITRION_HOME"


def _sqlite(fault: sqlite3.Error, where: str) -> Exception:
    text = str(fault)
    if "full" in text:
        return DiskFullError(_full(where))
    if "locked" in text or "busy" in text:
        return DatabaseLockedError(f"the store in {where} is kept busy by another program: try again when it is done")
    if "readonly" in text:
        return DatabaseError(f"the store in {where} may not be written to: check the permissions of the folder")
    if "disk I/O" in text:
        # SQLite says no more where the disk cannot hold its shared memory.
        return DatabaseError(f"the store in {where} cannot be read or written ({text}): the disk is full or failing")
    if "not a database" in text or "malformed" in text:
        return DatabaseError(f"the store in {where} is damaged ({text}): restore it from a backup")
    return fault
