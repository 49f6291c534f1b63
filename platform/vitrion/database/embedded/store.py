"""Collections in SQLite files, with a column beside the document for each indexed field."""

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import bson
from litemongo import sqlite_store
from pymongo.errors import DocumentTooLarge, DuplicateKeyError, PyMongoError

from vitrion.database.embedded.files import connect_file
from vitrion.database.embedded.ledger import Ledger
from vitrion.database.embedded.plan import ARRAY, OPAQUE, Plan, SqlValue, field_value, plan, scalars, sql_value
from vitrion.database.embedded.statements import index_statement, is_column, is_plain, quoted, selection

CACHE_KIB = 32_768
CHUNK = 500
MOST_COUNTED = 5_000
DUPLICATE_KEY = 11000
MOST_BYTES = 16 * 1024**2  # of a document, as on a server, to which the store may move

_TABLES = """
CREATE TABLE IF NOT EXISTS entries(path, value, id, PRIMARY KEY(path, value, id)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_id ON entries(id);
CREATE TABLE IF NOT EXISTS marks(path, kind, PRIMARY KEY(path, kind)) WITHOUT ROWID;
"""


class EmbeddedCollectionStore(sqlite_store.CollectionStore):
    """One collection: LiteMongo's tables, and indexed fields as columns of the table of documents.

    Threads take turns through `lock`.

    ``entries`` holds the items of arrays in indexed fields, ``marks`` which indexed fields have held arrays or values
    that SQL cannot compare. A document, its columns and its entries are written in one transaction.
    """

    def __init__(self, path: Path | None, codec_options: Any = None, *, readonly: bool = False) -> None:
        """Open the file, or make it.

        Args:
            path: the SQLite file; None for a collection that is empty and stays so.
            codec_options: of BSON.
            readonly: refuse writes.
        """
        self._file = path
        self._readonly = readonly
        self.lock = threading.RLock()
        self._in_transaction = False
        self._ledger: tuple[Ledger, str] | None = None
        self._added = 0  # documents of this transaction, less those removed
        self._columns: dict[str, str] = {}
        self._marks: set[tuple[str, bytes]] = set()
        self._seen_version: int | None = None
        super().__init__(path or Path(), codec_options)

    def open(self) -> None:
        """Connect, and make or read the tables."""
        connection = connect_file(self._file, readonly=self._readonly)
        self._connection = connection
        connection.execute(f"PRAGMA cache_size=-{CACHE_KIB}")
        if self._readonly:
            connection.execute("PRAGMA query_only=ON")
        else:
            if not connection.execute("PRAGMA page_count").fetchone()[0]:
                connection.execute("PRAGMA synchronous=OFF")  # a new file has nothing to lose
            # As LiteMongo: a killed process loses nothing, a power cut perhaps the last moment.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.executescript(_TABLES)
        self._cur = connection.cursor()
        key_format = sqlite_store.KEY_FORMAT_TYPED if self._readonly else self._init_info()
        tables = {"codec_options": self._codec_options, "key_format": key_format}
        self._documents = sqlite_store.TableDict(self.DOCUMENTS, connection, self._cur, **tables)
        self.indexes = sqlite_store.IndexDict(self.INDEXES, connection, self._cur, **tables)
        forced = connection.execute(f"SELECT value FROM {self.INFO} WHERE key = 'force_created'").fetchone()  # noqa: S608
        self._is_force_created = bool(forced and forced[0])
        self._ttl_indexes: dict[str, Any] = {}
        self._seen_version = None
        self._refresh()

    def close(self) -> None:
        """Close the file, leaving the planner's statistics behind for the next to open it."""
        if self._connection is not None and not self._readonly:
            with suppress(sqlite3.OperationalError):  # a full disk has no room for them
                self._connection.execute("PRAGMA analysis_limit=400")
                self._connection.execute("PRAGMA optimize")
        super().close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Make all writes inside one transaction; nested ones join it.

        An operation that MongoDB would refuse (a duplicate key) ends it with what came before, as on a server;
        everything else undoes it.
        """
        with self.lock:
            if self._in_transaction:
                yield
                return
            self._connection.execute("BEGIN IMMEDIATE")
            self._in_transaction = True
            try:
                yield
                self._commit()
            except PyMongoError:
                self._commit()
                raise
            except BaseException:
                if self._connection.in_transaction:  # a full disk has undone it already
                    self._connection.execute("ROLLBACK")
                raise
            finally:
                self._in_transaction = False
                self._added = 0

    def _commit(self) -> None:
        if self._added < 0:
            self._write_ledger()
        self._connection.execute("COMMIT")
        if self._added > 0:
            self._write_ledger()

    def _write_ledger(self) -> None:
        if self._ledger is not None:
            ledger, name = self._ledger
            ledger.add(name, self._added)

    def keep_ledger(self, ledger: Ledger, name: str) -> None:
        """Write the number of documents into a ledger, now and with each transaction."""
        self._ledger = ledger, name
        ledger.set(name, len(self))

    # What the planner asks.

    def encode_key(self, key: Any) -> str:
        """Return the column ``_id`` of an identity."""
        return str(self._documents.encode_key(key))

    def entry_count(self, path: str, value: SqlValue) -> int:
        """Return the number of documents that hold a value in the array at a path, up to `MOST_COUNTED`."""
        with self.lock:
            counted = "SELECT count(*) FROM (SELECT 1 FROM entries WHERE path = ? AND value = ? LIMIT ?)"
            return int(self._connection.execute(counted, (path, value, MOST_COUNTED)).fetchone()[0])

    def column(self, path: str) -> str | None:
        """Return the quoted column of an indexed path, or None."""
        return self._columns.get(path)

    def holds_arrays(self, path: str) -> bool:
        """Return True if a document has, or had, an array of scalars there."""
        return (path, ARRAY) in self._marks

    def holds_opaque(self, path: str) -> bool:
        """Return True if a document has, or had, a value there that SQL cannot compare."""
        return (path, OPAQUE) in self._marks

    # Reading.

    def plan(self, query: Mapping[str, Any]) -> Plan:
        """Return the part of a query that SQLite answers."""
        self._refresh()
        return plan(query, self)

    def order(self, sort: Sequence[tuple[str, int]] | None) -> str | None:
        """Return the ORDER BY of a sort, or None where SQLite would not order as MongoDB does."""
        parts = []
        for path, direction in sort or ():
            column = self._sortable_identity() if path == "_id" else self.column(path)
            if column is None or self.holds_arrays(path) or self.holds_opaque(path):
                return None
            parts.append(f"{column} {'DESC' if direction < 0 else 'ASC'}")
        return ", ".join(parts) or "rowid"

    def select(self, plan: Plan, *, order: str, limit: int = 0, skip: int = 0) -> list[dict[str, Any]]:
        """Return the documents of an exact plan in an order of SQL; `limit` 0 means all."""
        statement, parameters = selection("doc", plan, order=order, limit=limit, skip=skip)
        with self.lock:
            rows = self._connection.execute(statement, parameters).fetchall()
        return [self._decode(row[0]) for row in rows]

    def count(self, plan: Plan) -> int:
        """Return the number of documents of an exact plan."""
        with self.lock:
            statement = f"SELECT count(*) FROM documents WHERE {plan.where}"  # noqa: S608 - columns are our own
            return int(self._connection.execute(statement, plan.parameters).fetchone()[0])

    def rows(self, expressions: str, plan: Plan, *, tail: str) -> list[tuple[Any, ...]]:
        """Run a SELECT of column expressions over an exact plan."""
        with self.lock:
            statement = f"SELECT {expressions} FROM documents WHERE {plan.where} {tail}"  # noqa: S608 - as above
            return self._connection.execute(statement, plan.parameters).fetchall()

    def explain(self, query: Mapping[str, Any], *, sort: Sequence[tuple[str, int]] | None = None) -> str:
        """Return SQLite's plan for a query, or ``SCAN`` where Python has to look at each document."""
        plan, order = self.plan(query), self.order(sort)
        if not plan.exact or order is None:
            return "SCAN in Python"
        statement, parameters = selection("doc", plan, order=order, limit=1, skip=0)
        with self.lock:
            rows = self._connection.execute(f"EXPLAIN QUERY PLAN {statement}", parameters).fetchall()
        return "; ".join(str(row[3]) for row in rows)

    def find_candidates(self, query: Any) -> Iterator[dict[str, Any]]:
        """Yield the documents that could match, in the order of insertion; the Python engine checks each."""
        plan = self.plan(query if isinstance(query, Mapping) else {})
        statement = f"SELECT rowid, doc FROM documents WHERE rowid > ? AND {plan.where} ORDER BY rowid LIMIT {CHUNK}"  # noqa: S608
        if plan.where != "1":
            # Narrowed by an index: one statement, in the order of insertion.
            yield from self.select(plan, order="rowid")
            return
        last = -1
        while True:
            with self.lock:
                rows = self._connection.execute(statement, (last,)).fetchall()
            for last, blob in rows:  # noqa: B007 - the last rowid is where the next chunk begins
                yield self._decode(blob)
            if len(rows) < CHUNK:
                return

    # Writing.

    def __setitem__(self, key: Any, document: dict[str, Any]) -> None:
        encoded = self.encode_key(key)
        with self.transaction():
            known = self._connection.execute("SELECT 1 FROM documents WHERE _id = ?", (encoded,)).fetchone()
            self._write(encoded, document, replace=True)
            self._added += known is None

    def __delitem__(self, key: Any) -> None:
        encoded = self.encode_key(key)
        with self.transaction():
            if self._connection.execute("DELETE FROM documents WHERE _id = ?", (encoded,)).rowcount <= 0:
                raise KeyError(key)
            self._added -= 1
            self._connection.execute("DELETE FROM entries WHERE id = ?", (encoded,))

    def insert(self, document: dict[str, Any]) -> None:
        """Insert a document whose unique fields `is_guarded`.

        Raises:
            DuplicateKeyError: the identity or a unique field is there already.
        """
        with self.transaction():
            self._write(self.encode_key(document["_id"]), document, replace=False)
            self._added += 1

    def is_guarded(self, document: Mapping[str, Any]) -> bool:
        """Return True if SQLite alone keeps the unique indexes for this document, as MongoDB would.

        Not so for documents that lack a unique field (NULLs do not collide in SQL) or have an array there, nor for
        sparse and partial indexes.
        """
        for index in self.indexes.values():
            if not index.get("unique"):
                continue
            if not is_plain(index):
                return False
            values = (sql_value(field_value(document, path)) for path, _ in index["key"])
            if any(value is None or (isinstance(value, bytes) and value[:1] in {ARRAY, OPAQUE}) for value in values):
                return False
        return True

    def drop(self) -> None:
        """Empty the collection and forget its indexes."""
        with self.transaction():
            self._added -= len(self)
            names = [
                name
                for (name,) in self._connection.execute(
                    "SELECT name FROM sqlite_master WHERE type = 'index' AND name LIKE 'ix:%'"
                )
            ]
            for name in names:
                self._connection.execute(f"DROP INDEX {quoted(name)}")
            for table in (self.DOCUMENTS, self.INDEXES, "entries", "marks"):
                self._connection.execute(f"DELETE FROM {table}")  # noqa: S608
            self._connection.execute(f"DELETE FROM {self.INFO} WHERE key != 'key_format'")  # noqa: S608
        self.indexes.invalidate()
        self._is_force_created = False
        self._ttl_indexes.clear()
        self._marks.clear()

    def copy_from(self, source: Any) -> None:
        """Collections are not renamed here.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"the embedded store cannot rename collections ({source})")

    def create_index(self, index_name: str, index_dict: dict[str, Any]) -> None:
        """Declare an index: columns for its fields, filled, and an SQL index over them, in one transaction.

        Raises:
            DuplicateKeyError: a unique index over fields that are not.
        """
        paths = [path for path, direction in index_dict["key"] if is_column(path, direction)]
        try:
            with self.transaction():
                if len(paths) == len(index_dict["key"]):
                    self._add_columns([path for path in paths if path != "_id" and path not in self._columns])
                    self._connection.execute(index_statement(index_name, index_dict))
                # Not through LiteMongo's table, which would commit at once.
                self._connection.execute(
                    f"INSERT OR REPLACE INTO {self.INDEXES} VALUES(?, ?)",
                    (index_name, bson.encode(index_dict)),
                )
        except sqlite3.IntegrityError as fault:
            raise DuplicateKeyError(f"E11000 Duplicate Key Error: {fault}", DUPLICATE_KEY) from fault
        finally:
            self.indexes.invalidate()
            self._seen_version = None  # columns that were undone are read again
            self._refresh()
        if index_dict.get("expireAfterSeconds") is not None:
            self._ttl_indexes[index_name] = index_dict

    def drop_index(self, index_name: str) -> None:
        """Forget an index; its columns stay.

        Raises:
            KeyError: there is none of that name.
        """
        super().drop_index(index_name)
        with self.transaction():
            self._connection.execute(f"DROP INDEX IF EXISTS {quoted('ix:' + index_name)}")

    def _write(self, encoded: str, document: Mapping[str, Any], *, replace: bool) -> None:
        values = [field_value(document, path) for path in self._columns]
        blob = bson.encode(document)
        if len(blob) > MOST_BYTES:
            raise DocumentTooLarge(f"a document of {len(blob)} bytes is over MongoDB's limit of {MOST_BYTES}")
        row: list[SqlValue] = [encoded, blob, *(sql_value(value) for value in values)]
        try:
            self._connection.execute(self._statement(replace=replace), row)
        except sqlite3.IntegrityError as fault:
            raise DuplicateKeyError(f"E11000 Duplicate Key Error: {fault}", DUPLICATE_KEY) from fault
        if replace:
            self._connection.execute("DELETE FROM entries WHERE id = ?", (encoded,))
        for path, value, stored in zip(self._columns, values, row[2:], strict=True):
            if isinstance(stored, bytes) and stored[:1] in {ARRAY, OPAQUE}:
                self._write_array(path, value, stored[:1], encoded)

    def _write_array(self, path: str, value: Any, kind: bytes, encoded: str) -> None:
        if (path, kind) not in self._marks:
            self._connection.execute("INSERT OR IGNORE INTO marks VALUES(?, ?)", (path, kind))
            self._marks.add((path, kind))
        if kind == ARRAY:
            self._connection.executemany(
                "INSERT OR IGNORE INTO entries VALUES(?, ?, ?)", [(path, item, encoded) for item in scalars(value)]
            )

    def _statement(self, *, replace: bool) -> str:
        names = ["_id", "doc", *self._columns.values()]
        statement = f"INSERT INTO documents({', '.join(names)}) VALUES({','.join('?' * len(names))})"
        if replace:
            statement += " ON CONFLICT(_id) DO UPDATE SET " + ", ".join(f"{name}=excluded.{name}" for name in names[1:])
        return statement

    def _add_columns(self, paths: Sequence[str]) -> None:
        if not paths:
            return
        for path in paths:
            self._connection.execute(f"ALTER TABLE documents ADD COLUMN {quoted('f:' + path)}")
            self._columns[path] = quoted("f:" + path)
        rows = self._connection.execute("SELECT _id, doc FROM documents").fetchall()
        for encoded, blob in rows:
            self._write(encoded, self._decode(blob), replace=True)

    def _refresh(self) -> None:
        """Read what another process may have changed: columns and marks."""
        with self.lock:
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
            if version == self._seen_version:
                return
            self._seen_version = version
            names = [row[1] for row in self._connection.execute("PRAGMA table_info(documents)")]
            self._columns = {name[2:]: quoted(name) for name in names if name.startswith("f:")}
            self._marks = set(self._connection.execute("SELECT path, kind FROM marks"))

    def _sortable_identity(self) -> str | None:
        """Return the column ``_id``, if all identities are ObjectIds: their keys sort as they do."""
        with self.lock:
            lowest, highest = self._connection.execute("SELECT min(_id), max(_id) FROM documents").fetchone()
        is_sortable = lowest is None or (lowest.startswith("o:") and highest.startswith("o:"))
        return "_id" if is_sortable else None

    def _decode(self, blob: bytes) -> dict[str, Any]:
        decoded: dict[str, Any] = bson.decode(blob)
        return decoded
