"""A typed handle on one collection, the same on both back ends, with errors of one line."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from pymongo import IndexModel, ReplaceOne
from pymongo.errors import BulkWriteError, DuplicateKeyError

from vitrion.database.errors import DatabaseError, translate_errors
from vitrion.database.records import Index

Document = dict[str, Any]
Sort = Sequence[tuple[str, int]]

DUPLICATE_KEY = 11000


class Collection:
    """One collection of a database.

    Attributes:
        raw: pymongo's collection, or the embedded store's look-alike.
    """

    def __init__(self, raw: Any, *, where: str, readonly: bool, is_open: Callable[[], bool], opened_by: int) -> None:
        """Wrap a collection.

        Args:
            raw: pymongo's collection or its look-alike.
            where: the database, for messages.
            readonly: refuse every write.
            is_open: whether the database has not been closed: an embedded one would open its files again, without the
                writer's lock.
            opened_by: id of the process that opened the database.
        """
        self.raw = raw
        self._where = where
        self._readonly = readonly
        self._is_open = is_open
        self._opened_by = opened_by

    def find(
        self,
        query: Mapping[str, Any],
        *,
        projection: Mapping[str, int] | None = None,
        sort: Sort = (),
        skip: int = 0,
        limit: int = 0,
    ) -> list[Document]:
        """Return the documents that match; `limit` 0 means all."""
        with self._reading():
            return list(self.raw.find(dict(query), projection, skip=skip, limit=limit, sort=list(sort) or None))

    def find_one(self, query: Mapping[str, Any], *, projection: Mapping[str, int] | None = None) -> Document | None:
        """Return one document that matches, or None."""
        with self._reading():
            document: Document | None = self.raw.find_one(dict(query), projection)
            return document

    def count(self, query: Mapping[str, Any]) -> int:
        """Return the number of documents that match."""
        with self._reading():
            return int(self.raw.count_documents(dict(query)))

    def aggregate(self, pipeline: Sequence[Mapping[str, Any]]) -> list[Document]:
        """Run an aggregation."""
        with self._reading():
            return list(self.raw.aggregate([dict(stage) for stage in pipeline]))

    def count_by(self, field: str, query: Mapping[str, Any]) -> dict[Any, int]:
        """Return the number of documents that match, by the value of a field."""
        groups = self.aggregate([{"$match": query}, {"$group": {"_id": f"${field}", "count": {"$sum": 1}}}])
        return {group["_id"]: group["count"] for group in groups}

    def distinct(self, field: str, query: Mapping[str, Any] | None = None) -> list[Any]:
        """Return the values of a field."""
        with self._reading():
            return list(self.raw.distinct(field, dict(query or {})))

    def insert_if_absent(self, document: Document) -> bool:
        """Insert a document unless a unique index has its identity.

        Returns:
            Whether it was inserted.
        """
        with self._writing():
            try:
                self.raw.insert_one(document)
            except DuplicateKeyError:
                return False
            return True

    def insert_absent(self, documents: Sequence[Document]) -> int:
        """Insert the documents whose identities no unique index has.

        Returns:
            How many were inserted.
        """
        if not documents:
            return 0
        with self._writing():
            try:
                return len(self.raw.insert_many(documents, ordered=False).inserted_ids)
            except BulkWriteError as fault:
                errors: Iterable[Document] = fault.details["writeErrors"]
                if any(error["code"] != DUPLICATE_KEY for error in errors):
                    raise
                return int(fault.details["nInserted"])

    def update_one(self, query: Mapping[str, Any], update: Mapping[str, Any]) -> bool:
        """Update one document atomically.

        Returns:
            Whether one matched.
        """
        with self._writing():
            return bool(self.raw.update_one(dict(query), dict(update)).matched_count)

    def update_many(self, query: Mapping[str, Any], update: Mapping[str, Any]) -> int:
        """Update every document that matches, each atomically, and return how many matched."""
        with self._writing():
            return int(self.raw.update_many(dict(query), dict(update)).matched_count)

    def replace_many(self, before: Sequence[Document], after: Sequence[Document]) -> None:
        """Replace documents whose layout version is still the one that was read.

        Args:
            before: as they were read.
            after: what takes their places, in the same order.
        """
        requests = [
            ReplaceOne({"_id": old["_id"], "schema_version": old["schema_version"]}, new)
            for old, new in zip(before, after, strict=True)
        ]
        with self._writing():
            self.raw.bulk_write(requests, ordered=False)

    def create_indexes(self, indexes: Iterable[Index]) -> None:
        """Create the indexes that do not exist yet."""
        models = [IndexModel(list(index.keys), name=index.name, unique=index.unique) for index in indexes]
        with self._writing():
            self.raw.create_indexes(models)

    @contextmanager
    def _reading(self) -> Iterator[None]:
        with translate_errors(self._where):
            if not self._is_open():
                raise DatabaseError(f"the database {self._where} is closed: connect again")
            if os.getpid() != self._opened_by:
                raise DatabaseError(
                    f"the database {self._where} was opened before this process was forked: connect again in the child"
                )
            yield

    @contextmanager
    def _writing(self) -> Iterator[None]:
        if self._readonly:
            raise DatabaseError(
                f"the database {self._where} was opened with readonly=True: connect without it to write"
            )
        with self._reading():
            yield
