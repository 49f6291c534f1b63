"""Errors of the database that a user can act on, each in one line."""

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
    """The database cannot carry out the request."""


class DatabaseUnreachableError(DatabaseError):
    """No server answers at the URI."""


class DatabaseLockedError(DatabaseError):
    """Another process writes to the embedded store."""


class DatabaseVersionError(DatabaseError):
    """The database has a layout that this Vitrion cannot read."""


class DiskFullError(DatabaseError):
    """There is no room left for the embedded store or its artefacts."""


class NotFoundError(DatabaseError, LookupError):
    """No document of that identity is in the database."""


class LeaseLostError(DatabaseError):
    """The cycle is in another state, or another process holds its lease."""


@contextmanager
def translate_errors(where: str) -> Iterator[None]:
    """Translate the errors of both back ends into Vitrion's, each in one line.

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
        raise DatabaseError(f"{where} is not a usable MongoDB address: {fault}") from fault
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
                f"{where} cannot be used ({fault.strerror}): choose a writable path (VITRION_HOME, --to)",
            ) from fault
        raise


def _full(where: str) -> str:
    return f"the disk is full at {where}: nothing was stored; free some space or move VITRION_HOME"


def _sqlite(fault: sqlite3.Error, where: str) -> Exception:
    text = str(fault)
    if "full" in text:
        return DiskFullError(_full(where))
    if "locked" in text or "busy" in text:
        return DatabaseLockedError(f"the store in {where} is locked by another program: try again when it has finished")
    if "readonly" in text:
        return DatabaseError(f"the store in {where} is not writable: check the permissions of the folder")
    if "disk I/O" in text:
        # SQLite says no more where the disk cannot hold its shared memory.
        return DatabaseError(f"the store in {where} cannot be read or written ({text}): the disk is full or failing")
    if "not a database" in text or "malformed" in text:
        return DatabaseError(f"the store in {where} is damaged ({text}): restore it from a backup")
    return fault
