"""An open database: connection, repositories of the documents, artefacts, and jobflow's store."""

import os
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from vitrion.database.address import redact, shown
from vitrion.database.artefacts import Artefacts
from vitrion.database.collection import Collection
from vitrion.database.errors import DatabaseError, DatabaseVersionError, NotFoundError, translate_errors
from vitrion.database.migrations import upgrade_store
from vitrion.database.records import INDEXES, JOBS_COLLECTION, META_COLLECTION, SCHEMA_VERSION
from vitrion.database.repositories.campaigns import Campaigns
from vitrion.database.repositories.cycles import Cycles
from vitrion.database.repositories.datasets import Datasets
from vitrion.database.repositories.geometries import Geometries
from vitrion.database.repositories.labels import Labels
from vitrion.database.repositories.models import Models
from vitrion.database.repositories.structures import Structures
from vitrion.settings import HOME_VARIABLE, Settings, absolute

SCHEMA_ID = "schema"
DEFAULT_NAME = "vitrion"
SERVER_SELECTION_MS = 5000
# As far as it was measured: no offered query took longer than a third of a second; see docs/design/embedded-store.md.
SERVER_ADVISED_STRUCTURES = 100_000

OPEN: list["Database"] = []
"""Open databases of this process; the documents (`vitrion.database.documents`) use the last."""


class Database:
    """Everything that is stored, on a MongoDB server or embedded in a folder; made by `connect`.

    Attributes:
        where: the server (without credentials) or the folder.
        embedded: whether it is a folder.
        readonly: whether writes are refused.
        artefacts: files by content.
        raw: pymongo's database, or its embedded likeness.
    """

    def __init__(
        self,
        raw: Any,
        *,
        where: str,
        embedded: bool,
        readonly: bool,
        artefacts: Artefacts,
        close: Callable[[], None],
    ) -> None:
        """Check and upgrade the layout, make the indexes and offer the repositories.

        Raises:
            DatabaseVersionError: it was written by a newer Vitrion, or has an older layout and is opened to read.
        """
        self.where = where
        self.embedded = embedded
        self.readonly = readonly
        self.artefacts = artefacts
        self.raw = raw
        self._opened_by = os.getpid()
        self._close: Callable[[], None] | None = close
        self._prepare()
        OPEN.append(self)

    @cached_property
    def structures(self) -> Structures:
        """Crystals, amorphous cells and melts."""
        geometries = Geometries(self.collection("geometries"), self.artefacts)
        return Structures(self.collection("structures"), geometries, self.collection("aliases"))

    @cached_property
    def labels(self) -> Labels:
        """Labels of structures."""
        return Labels(self.collection("labels"), self.collection("structures"))

    @cached_property
    def datasets(self) -> Datasets:
        """Imported data sets."""
        return Datasets(self.collection("datasets"))

    @cached_property
    def models(self) -> Models:
        """Trained models."""
        return Models(self.collection("models"))

    @cached_property
    def campaigns(self) -> Campaigns:
        """Campaigns."""
        return Campaigns(self.collection("campaigns"))

    @cached_property
    def cycles(self) -> Cycles:
        """Cycles of campaigns."""
        return Cycles(self.collection("cycles"))

    def collection(self, name: str) -> Collection:
        """Return one collection, for what the repositories do not offer."""
        if self._close is None:
            raise DatabaseError(f"the database {self.where} is closed: connect again")
        return Collection(
            self.raw[name],
            where=self.where,
            readonly=self.readonly,
            is_open=lambda: self._close is not None,
            opened_by=self._opened_by,
        )

    def job_store(self) -> Any:
        """Return a connected jobflow `JobStore` on the collection ``outputs`` of this database."""
        from jobflow import JobStore  # noqa: PLC0415 - heavy, and most callers run no jobs
        from maggma.stores import MongoStore  # noqa: PLC0415

        # From the collection on both back ends: credentials and options of the connection are the database's own.
        docs = MongoStore.from_collection(self.collection(JOBS_COLLECTION).raw)
        docs.key = "uuid"
        store = JobStore(docs)
        with translate_errors(self.where):
            store.connect()
        return store

    def close(self) -> None:
        """Close the connection and release the writer's lock; repeated calls have no effect."""
        if self._close is not None:
            OPEN.remove(self)
            self._close()
            self._close = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _prepare(self) -> None:
        meta = self.collection(META_COLLECTION)
        stored = meta.find_one({"_id": SCHEMA_ID})
        version = SCHEMA_VERSION if stored is None else int(stored["version"])
        if version > SCHEMA_VERSION:
            raise DatabaseVersionError(
                f"the database {self.where} has layout {version} and this Vitrion knows {SCHEMA_VERSION}:"
                " install a newer Vitrion",
            )
        if self.readonly and version < SCHEMA_VERSION:
            raise DatabaseVersionError(
                f"the database {self.where} has the older layout {version}: upgrade it with `vitrion init`"
            )
        if self.readonly:
            return
        if stored is None:
            meta.insert_if_absent({"_id": SCHEMA_ID, "version": SCHEMA_VERSION})
        for name, indexes in INDEXES.items():
            self.collection(name).create_indexes(indexes)
        if version < SCHEMA_VERSION:
            upgrade_store(self.collection, version)
            meta.update_one({"_id": SCHEMA_ID}, {"$set": {"version": SCHEMA_VERSION}})


def connect(uri: str | None = None, *, home: Path | str | None = None, readonly: bool = False) -> Database:
    """Open the database; use it as a context manager or close it.

    Args:
        uri: ``mongodb://...`` with or without the name of a database (``vitrion`` without); ``VITRION_DATABASE_URI``
            when None. An explicit `home` wins over the variable.
        home: folder of the embedded store; that of `vitrion.settings.Settings` when None.
        readonly: refuse writes, and take no lock: any number of readers beside one writer.

    Raises:
        DatabaseUnreachableError: no server answers.
        DatabaseLockedError: another process writes to the embedded store; the message names it.
        DatabaseVersionError: it was written by a newer Vitrion, or has an older layout and is opened to read.
        NotFoundError: there is no embedded store to read.
        DiskFullError: there is no room.
    """
    settings = Settings()
    address = uri if home is not None else uri or settings.database_uri
    if address:
        return _server(address, readonly=readonly)
    return _embedded(settings.home if home is None else absolute(Path(home)), readonly=readonly)


def _server(uri: str, *, readonly: bool) -> Database:
    from pymongo import MongoClient  # noqa: PLC0415 - the embedded store does without
    from pymongo.errors import ConfigurationError  # noqa: PLC0415
    from pymongo.uri_parser import parse_uri  # noqa: PLC0415

    from vitrion.database.artefacts import GridArtefacts  # noqa: PLC0415

    try:
        parsed = parse_uri(uri)
    except (ConfigurationError, ValueError, OSError) as fault:
        # Without its cause: a traceback would show what the message leaves out.
        raise DatabaseError(f"{shown(uri)} is not a usable MongoDB address: {redact(str(fault), uri)}") from None
    name = parsed["database"] or DEFAULT_NAME
    where = f"mongodb://{','.join(f'{host}:{port}' for host, port in parsed['nodelist'])}/{name}"
    with translate_errors(where, address=uri):
        chosen = {option.lower() for option in parsed["options"]}
        timeout: dict[str, Any] = (
            {} if "serverselectiontimeoutms" in chosen else {"serverSelectionTimeoutMS": SERVER_SELECTION_MS}
        )
        client: MongoClient[dict[str, Any]] = MongoClient(uri, **timeout)
        try:
            client.admin.command("ping")
            raw = client[name]
            artefacts = GridArtefacts(raw, where=where, readonly=readonly)
            return Database(
                raw, where=where, embedded=False, readonly=readonly, artefacts=artefacts, close=client.close
            )
        except BaseException:
            client.close()
            raise


def _embedded(home: Path, *, readonly: bool) -> Database:
    from vitrion.database.artefacts import FolderArtefacts  # noqa: PLC0415
    from vitrion.database.embedded import EmbeddedClient  # noqa: PLC0415 - a server does without
    from vitrion.database.embedded.client import WriterLock  # noqa: PLC0415

    folder = home / "database"
    if readonly and not folder.is_dir():
        raise NotFoundError(f"no database in {home}: make one with `vitrion init`, or set {HOME_VARIABLE}")
    with translate_errors(str(home)):
        make_folder(folder)
        lock = None if readonly else WriterLock(home)
        client = None
        try:
            client = EmbeddedClient(folder, readonly=readonly)

            def close() -> None:
                client.close()
                if lock is not None:
                    lock.release()

            artefacts = FolderArtefacts(home / "artefacts", readonly=readonly)
            return Database(
                client[DEFAULT_NAME],
                where=str(home),
                embedded=True,
                readonly=readonly,
                artefacts=artefacts,
                close=close,
            )
        except BaseException:
            if client is not None:
                client.close()
            if lock is not None:
                lock.release()
            raise


def make_folder(folder: Path) -> None:
    """Make a folder that a setting names.

    Raises:
        DiskFullError: there is no room.
        DatabaseError: there can be none of that name.
    """
    with translate_errors(str(folder)):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except FileNotFoundError as fault:
            # Not a missing parent, which would be made: /proc and the like hold no folders of ours.
            raise DatabaseError(f"{folder} cannot be made: name another folder, see {HOME_VARIABLE}") from fault


def advice(db: Database) -> str:
    """Return one line of advice on where to keep a database of this size, for `vitrion doctor`."""
    count = db.structures.count()
    if not db.embedded:
        return f"{count} structures on a MongoDB server: room to grow"
    if count >= SERVER_ADVISED_STRUCTURES:
        return (
            f"{count} structures in the embedded store: move to a MongoDB server (VITRION_DATABASE_URI),"
            f" advised from {SERVER_ADVISED_STRUCTURES}"
        )
    return (
        f"{count} structures in the embedded store, good for up to {SERVER_ADVISED_STRUCTURES};"
        " several writers or machines need a MongoDB server (VITRION_DATABASE_URI)"
    )
