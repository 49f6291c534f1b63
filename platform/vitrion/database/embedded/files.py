"""The SQLite files of an embedded store: opening one, also where nothing can be written."""

import os
import sqlite3
from pathlib import Path

BUSY_SECONDS = 30.0


def connect_file(path: Path | None, *, readonly: bool) -> sqlite3.Connection:
    """Open an SQLite file.

    On a medium where nothing can be written, not even SQLite's own notes beside the file, the file is read as one that
    does not change; one that has a log beside it needs that log and is opened as anywhere else.

    Args:
        path: the file; None for an empty database in memory.
        readonly: it is opened to read.
    """
    name, is_uri = ":memory:" if path is None else str(path), False
    if readonly and path is not None and not os.access(path.parent, os.W_OK) and not _has_log(path):
        name, is_uri = f"{path.absolute().as_uri()}?immutable=1", True
    return sqlite3.connect(name, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=is_uri)


def _has_log(path: Path) -> bool:
    log = path.with_name(f"{path.name}-wal")
    return log.is_file() and log.stat().st_size > 0


def is_complete(path: Path) -> bool:
    """Return True if a file has its tables: the writer may be making it at this moment."""
    if not path.is_file():
        return False
    connection = connect_file(path, readonly=True)
    try:
        query = "SELECT count(*) FROM sqlite_master WHERE name IN ('documents', 'indexes', 'info', 'entries', 'marks')"
        return bool(connection.execute(query).fetchone()[0] == 5)  # noqa: PLR2004
    finally:
        connection.close()


def count_documents(path: Path) -> int:
    """Return the number of documents of a collection's file; 0 where the file is missing or empty."""
    if not path.is_file():
        return 0
    connection = connect_file(path, readonly=True)
    try:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'documents'").fetchone():
            return 0
        return int(connection.execute("SELECT count(*) FROM documents").fetchone()[0])
    finally:
        connection.close()
