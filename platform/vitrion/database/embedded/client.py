"""The writer's lock of an embedded store, and a client with the methods of pymongo's."""

import fcntl
import json
import os
import socket
import sys
import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from litemongo import sqlite_store
from litemongo._vendor.mongomock import database as mongomock_database
from litemongo.client import MongoClient

from vitrion.database.embedded.collection import EmbeddedCollection
from vitrion.database.embedded.files import is_complete
from vitrion.database.embedded.ledger import Ledger
from vitrion.database.embedded.store import EmbeddedCollectionStore
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


class EmbeddedDatabaseStore(sqlite_store.DatabaseStore):
    """A folder with a file for each collection."""

    def __init__(self, path: Path, *, readonly: bool) -> None:
        """Use the folder.

        Args:
            path: the folder; made if need be.
            readonly: open files for reading only, and make none.

        Raises:
            DatabaseError: documents are missing that its ledger has.
        """
        self._readonly = readonly
        self._absent: EmbeddedCollectionStore | None = None
        super().__init__(path)
        self._ledger = Ledger(path.with_name(f"{path.name}.ledger"), readonly=readonly)
        try:
            self._ledger.require_complete(path)
        except BaseException:
            self._ledger.close()
            raise

    def close(self) -> None:
        """Close every file."""
        try:
            super().close()
        finally:
            self._ledger.close()
        if self._absent is not None:
            self._absent.close()
            self._absent = None

    def __getitem__(self, name: str) -> EmbeddedCollectionStore:
        if name not in self._collections:
            path = self._dirpath / name
            if self._readonly and not is_complete(path):
                # What is not there yet is empty, and looked for again next time.
                if self._absent is None:
                    self._absent = EmbeddedCollectionStore(None, self._codec_options)
                return self._absent
            store = EmbeddedCollectionStore(path, self._codec_options, readonly=self._readonly)
            if not self._readonly:
                store.keep_ledger(self._ledger, name)
            self._collections[name] = store
        collection: EmbeddedCollectionStore = self._collections[name]
        return collection


class EmbeddedServerStore(sqlite_store.ServerStore):
    """A folder with a folder for each database."""

    def __init__(self, path: Path, *, readonly: bool) -> None:
        """Use the folder; see `EmbeddedDatabaseStore`."""
        self._readonly = readonly
        super().__init__(path)

    def __getitem__(self, name: str) -> EmbeddedDatabaseStore:
        if name not in self._databases:
            self._databases[name] = EmbeddedDatabaseStore(self._dirpath / name, readonly=self._readonly)
        store: EmbeddedDatabaseStore = self._databases[name]
        return store


class EmbeddedDatabase(mongomock_database.Database):
    """A database whose collections are `EmbeddedCollection`."""

    def get_collection(self, name: str, **options: Any) -> EmbeddedCollection:
        """As pymongo's."""
        del options
        if name not in self._collection_accesses:
            self._ensure_valid_collection_name(name)
            self._collection_accesses[name] = EmbeddedCollection(
                self, name, self._store, read_preference=self.read_preference, codec_options=self.codec_options
            )
        collection: EmbeddedCollection = self._collection_accesses[name]
        return collection


class EmbeddedClient(MongoClient):
    """LiteMongo's client under the signature that pymongo's and mongoengine's callers expect.

    ``mongoengine.connect(mongo_client_class=EmbeddedClient, host=folder)`` works too.
    """

    def __init__(self, host: Path | str | list[str], *, readonly: bool = False, **options: Any) -> None:
        """Open the folder.

        Args:
            host: folder with one subfolder a database; mongoengine gives it in a list.
            readonly: open files for reading only, and make none.
            options: of mongomock's client.
        """
        folder = Path(host[0] if isinstance(host, list) else host)
        super().__init__(EmbeddedServerStore(folder, readonly=readonly), **options)

    def get_database(self, name: str | None = None, **options: Any) -> EmbeddedDatabase:
        """As pymongo's."""
        del options
        chosen = name or str(self.get_default_database().name)
        if chosen not in self._database_accesses:
            self._database_accesses[chosen] = EmbeddedDatabase(
                self,
                chosen,
                _store=self._store[chosen],
                read_preference=self.read_preference,
                codec_options=self.codec_options,
            )
        database: EmbeddedDatabase = self._database_accesses[chosen]
        return database
