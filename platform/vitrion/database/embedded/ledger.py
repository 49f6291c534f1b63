"""Ledger of an embedded store: how many documents each collection holds, so that a lost file is noticed.

It never promises more than there is: a growing number is written after the documents, a shrinking one before.
"""

import sqlite3
import threading
from contextlib import suppress
from pathlib import Path

from vitrion.database.embedded.files import connect_file, count_documents
from vitrion.database.errors import DatabaseError

_TABLE = "CREATE TABLE IF NOT EXISTS counts(collection PRIMARY KEY, documents) WITHOUT ROWID"
_ADD = "UPDATE counts SET documents = documents + ? WHERE collection = ?"
_SET = "INSERT INTO counts VALUES(?, ?) ON CONFLICT DO UPDATE SET documents = excluded.documents"


class Ledger:
    """Numbers of documents by collection, in a file beside the folder of the collections."""

    def __init__(self, path: Path, *, readonly: bool) -> None:
        """Open the ledger, or make it; to read, a store of before it has an empty one.

        Raises:
            DatabaseError: the file is no ledger.
        """
        self._path = path
        self._lock = threading.Lock()
        exists = path.is_file()
        self._connection = connect_file(path if exists or not readonly else None, readonly=readonly)
        try:
            if not readonly:
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=OFF")
            if not (readonly and exists):
                self._connection.execute(_TABLE)
            self._counts()
        except sqlite3.Error as fault:
            self._connection.close()
            if "not a database" not in str(fault) and "malformed" not in str(fault):
                raise
            raise DatabaseError(f"{path} is damaged ({fault}): remove it, and it is made anew") from fault

    def require_complete(self, folder: Path) -> None:
        """Compare the files of the collections with the ledger.

        Raises:
            DatabaseError: documents are missing; the message says how many of what.
        """
        lost = []
        for name, expected in self._counts().items():
            stored = count_documents(folder / name) if expected else 0
            # A writer may have removed documents between the two looks.
            if stored < expected and stored < (expected := self._counts().get(name, 0)):
                lost.append(f"{expected - stored} of {expected} documents of {name}")
        if lost:
            raise DatabaseError(
                f"the store in {folder} has lost {', '.join(lost)} (a file is missing, empty or older than the others):"
                f" restore it from a backup, or remove {self._path} to go on with what is left"
            )

    def set(self, collection: str, documents: int) -> None:
        """Write the number of documents of a collection."""
        self._write(_SET, (collection, documents))

    def add(self, collection: str, documents: int) -> None:
        """Change the number of documents of a collection, by a negative number before they are removed."""
        # A full disk after the documents were stored: the ledger may be behind, until the store is opened next.
        with suppress(sqlite3.OperationalError):
            self._write(_ADD, (documents, collection))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _write(self, statement: str, values: tuple[object, object]) -> None:
        with self._lock:
            self._connection.execute(statement, values)

    def _counts(self) -> dict[str, int]:
        with self._lock:
            return dict(self._connection.execute("SELECT collection, documents FROM counts").fetchall())
