"""An open database: repositories of the documents, artefacts, and jobflow's store."""

import os
from collections.abc import Callable
from functools import cached_property
from types import TracebackType
from typing import Any, Self

from vitrion.database.artefacts import Artefacts
from vitrion.database.collection import Collection
from vitrion.database.documents import bind, release
from vitrion.database.errors import DatabaseError, DatabaseVersionError, translate_errors
from vitrion.database.indexes import INDEXES, JOBS_COLLECTION, META_COLLECTION
from vitrion.database.migrations import upgrade_store
from vitrion.database.records import SCHEMA_VERSION
from vitrion.database.repositories.campaigns import Campaigns
from vitrion.database.repositories.cycles import Cycles
from vitrion.database.repositories.datasets import Datasets
from vitrion.database.repositories.labels import Labels
from vitrion.database.repositories.models import Models
from vitrion.database.repositories.structures import Structures

SCHEMA_ID = "schema"


class Database:
    """Everything that is stored, on a MongoDB server or embedded in a folder; made by `vitrion.connect`.

    Attributes:
        where: the server (without credentials) or the folder.
        embedded: whether it is a folder.
        readonly: whether writes are refused.
        artefacts: files by content.
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

        Args:
            raw: pymongo's database or the embedded store's look-alike.
            where: for messages.
            embedded: whether it is a folder.
            readonly: refuse writes.
            artefacts: the store of files.
            close: closes the connection.

        Raises:
            DatabaseVersionError: it was written by a newer Vitrion, or has an older layout and is opened to read.
        """
        self.where = where
        self.embedded = embedded
        self.readonly = readonly
        self.artefacts = artefacts
        self._raw = raw
        self._opened_by = os.getpid()
        self._close: Callable[[], None] | None = close
        self._prepare()
        bind(raw)

    @cached_property
    def structures(self) -> Structures:
        """Crystals, amorphous cells and melts."""
        return Structures(self.collection("structures"), self.collection("geometries"), self.collection("aliases"))

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
            self._raw[name],
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
            release(self._raw)
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
