"""Errors of the database that a user can act on, each in one line."""

import errno
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from bson.errors import InvalidBSON, InvalidDocument
from pymongo.errors import ConfigurationError, ConnectionFailure, OperationFailure

from vitrion.database.address import redact
from vitrion_models.errors import InputError, VitrionError

FULL_DISK = frozenset({errno.ENOSPC, errno.EDQUOT})
READONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})
UNUSABLE = frozenset({errno.ENOTDIR, errno.EISDIR, errno.EEXIST})
# UserNotFound, Unauthorized, AuthenticationFailed, and Atlas's own.
UNAUTHORISED = frozenset({11, 13, 18, 8000})
SERVER_FULL = 14031
LONGEST = 200  # characters of another program's message


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
def translate_errors(where: str, *, address: str = "") -> Iterator[None]:
    """Translate the errors of both back ends into Vitrion's, each in one line.

    Args:
        where: the server or folder, as it may be printed.
        address: of the server, where the driver's message may repeat parts of it; they are hidden.

    Raises:
        DatabaseUnreachableError: the server does not answer.
        DiskFullError: the disk is full.
        DatabaseError: wrong credentials, a request that the server refuses, a damaged file or document, a read-only
            store, or one that another program keeps busy.
        InputError: a document that BSON cannot hold.
    """
    try:
        yield
    except ConfigurationError as fault:
        # Without its cause: a traceback would show what the message leaves out.
        raise DatabaseError(f"{where} is not a usable MongoDB address: {redact(str(fault), address)}") from None
    except tuple(_TRANSLATIONS) as fault:
        translate = next(function for kind, function in _TRANSLATIONS.items() if isinstance(fault, kind))
        if (translated := translate(fault, where)) is None:
            raise
        raise translated from fault


def _unreachable(fault: Exception, where: str) -> DatabaseError:
    first = str(fault).split(",", maxsplit=1)[0].partition(" (configured")[0]
    return DatabaseUnreachableError(
        f"no MongoDB server answers at {where} ({first}): start it, or correct VITRION_DATABASE_URI"
    )


def _refused(fault: OperationFailure, where: str) -> DatabaseError:
    if fault.code in UNAUTHORISED:
        return DatabaseError(f"{where} refuses this user: check the name, the password and the roles")
    if fault.code == SERVER_FULL:
        return DiskFullError(f"the disk of {where} is full: free some space there")
    reason = (fault.details or {}).get("errmsg") or str(fault)
    return DatabaseError(f"{where} refuses the request (code {fault.code}): {_short(reason)}")


def _damaged_document(fault: Exception, where: str) -> DatabaseError:
    return DatabaseError(f"a document in {where} is damaged ({_short(fault)}): restore the store from a backup")


def _impossible_document(fault: Exception, where: str) -> InputError:
    return InputError(f"{where} cannot hold this document: {_short(fault)}")


def _system(fault: OSError, where: str) -> DatabaseError | None:
    if fault.errno in FULL_DISK:
        return DiskFullError(_full(where))
    if fault.errno in READONLY:
        return DatabaseError(_readonly(where, str(fault.strerror)))
    if fault.errno in UNUSABLE:
        return DatabaseError(
            f"{where} cannot be used ({fault.strerror}): choose a writable path (VITRION_HOME, or another file)",
        )
    return None


def _sqlite(fault: sqlite3.DatabaseError, where: str) -> DatabaseError | None:
    if isinstance(fault, sqlite3.ProgrammingError | sqlite3.IntegrityError):
        return None  # a bug, not a state of the store
    text = _short(fault)
    if "full" in text:
        return DiskFullError(_full(where))
    if "locked" in text or "busy" in text:
        return DatabaseLockedError(f"the store in {where} is locked by another program: try again when it has finished")
    reason = next((reason for part, reason in _SQLITE_REASONS.items() if part in text), "free or repair the folder")
    return DatabaseError(f"the store in {where} cannot be used ({text}): {reason}")


def _full(where: str) -> str:
    return f"the disk is full at {where}: free some space or move VITRION_HOME"


def _readonly(where: str, reason: str) -> str:
    return f"{where} is read-only here ({reason}): choose a writable path (VITRION_HOME, or another file)"


def _short(fault: Exception | str) -> str:
    return " ".join(str(fault).split())[:LONGEST]


_SQLITE_REASONS = {
    "readonly": "it is read-only here, choose a writable path (VITRION_HOME)",
    "unable to open": "check the permissions of the folder; on a read-only medium, open it once where it can be"
    " written, or copy it",
    "disk I/O": "the disk is full or failing",  # SQLite says no more where the disk cannot hold its shared memory
    "not a database": "it is damaged, restore it from a backup",
    "malformed": "it is damaged, restore it from a backup",
}

_TRANSLATIONS: dict[type[Exception], Callable[[Any, str], VitrionError | None]] = {
    ConnectionFailure: _unreachable,
    OperationFailure: _refused,
    InvalidBSON: _damaged_document,
    InvalidDocument: _impossible_document,
    sqlite3.DatabaseError: _sqlite,
    OSError: _system,
}
