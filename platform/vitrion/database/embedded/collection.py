"""Pymongo's collection over an embedded store: SQLite answers what it can answer exactly, LiteMongo the rest."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import bson
from litemongo._vendor.mongomock import aggregate
from litemongo._vendor.mongomock import collection as mongomock_collection
from pymongo.errors import BulkWriteError, DuplicateKeyError
from pymongo.results import InsertManyResult, InsertOneResult

from vitrion.database.embedded.plan import Plan, original
from vitrion.database.embedded.store import DUPLICATE_KEY, EmbeddedCollectionStore

_NUMBER = "CASE WHEN typeof({0}) IN ('integer', 'real') THEN {0} END"
_AGGREGATES = {"$avg": f"avg({_NUMBER})", "$min": "min({0})", "$max": "max({0})"}


@dataclass(frozen=True)
class Grouping:
    """A simple ``$group``.

    Attributes:
        keys: label -> path of the fields that make a group; one with an empty label is the group itself.
        values: name -> operator and path; the path is empty for a count.
    """

    keys: Mapping[str, str]
    values: Mapping[str, tuple[str, str]]

    @property
    def paths(self) -> set[str]:
        """Fields that the stage reads."""
        return {*self.keys.values(), *(path for _, path in self.values.values())} - {""}


def grouping_of(stage: Mapping[str, Any]) -> Grouping | None:
    """Read a ``$group`` stage; None for one that is not simple."""
    if set(stage) != {"$group"}:
        return None
    fields = dict(stage["$group"])
    keys = _keys(fields.pop("_id", None))
    values = {name: _value(expression) for name, expression in fields.items()}
    if keys is None or any(value is None for value in values.values()):
        return None
    return Grouping(keys, {name: value for name, value in values.items() if value is not None})


def grouped(store: EmbeddedCollectionStore, plan: Plan, grouping: Grouping) -> list[dict[str, Any]] | None:
    """Return the groups of an exact plan, or None where a field has no column that SQL compares as MongoDB does."""
    columns = {path: store.column(path) for path in grouping.paths}
    unusable = any(store.holds_arrays(path) or store.holds_opaque(path) for path in columns)
    if not plan.exact or unusable or None in columns.values():
        return None
    keys = [str(columns[path]) for path in grouping.keys.values()]
    values = [
        "count(*)" if not path else _AGGREGATES[operator].format(columns[path])
        for operator, path in grouping.values.values()
    ]
    tail = f"GROUP BY {', '.join(keys)}" if keys else "HAVING count(*) > 0"
    return [
        {"_id": _group(grouping.keys, row), **_named(grouping.values, row[len(keys) :])}
        for row in store.rows(", ".join([*keys, *values]), plan, tail=tail)
    ]


def _group(keys: Mapping[str, str], row: tuple[Any, ...]) -> Any:
    if not keys:
        return None
    if "" in keys:
        return original(row[0])
    return {label: original(value) for label, value in zip(keys, row, strict=False) if value is not None}


def _named(values: Mapping[str, tuple[str, str]], row: tuple[Any, ...]) -> dict[str, Any]:
    return {name: original(value) for name, value in zip(values, row, strict=True)}


def _keys(expression: Any) -> dict[str, str] | None:
    if expression is None:
        return {}
    labelled = expression if isinstance(expression, Mapping) else {"": expression}
    paths = {label: _path(entry) for label, entry in labelled.items()}
    return None if None in paths.values() or not paths else {label: str(path) for label, path in paths.items()}


def _value(expression: Any) -> tuple[str, str] | None:
    if not isinstance(expression, Mapping) or len(expression) != 1:
        return None
    operator, operand = next(iter(expression.items()))
    if operator == "$sum" and operand == 1:
        return operator, ""
    path = _path(operand)
    return (operator, path) if operator in _AGGREGATES and path is not None else None


def _path(expression: Any) -> str | None:
    if isinstance(expression, str) and expression.startswith("$") and not expression.startswith("$$"):
        return expression[1:]
    return None


class EmbeddedCursor(mongomock_collection.Cursor):
    """A cursor that lets SQLite filter, sort and page where that is exact."""

    _page: list[dict[str, Any]] | None = None

    def _compute_results(self, with_limit_and_skip: bool = False) -> list[dict[str, Any]]:  # noqa: FBT001, FBT002 - its base
        with self.collection.lock:
            if not with_limit_and_skip:
                return list(super()._compute_results())
            if self._page is None:
                page = self.collection.page(self._spec, self._sort, self._projection, self._skip, abs(self._limit or 0))
                self._page = list(super()._compute_results(True)) if page is None else page
            return self._page

    def rewind(self) -> None:
        """Begin again, with a new look at the store."""
        self._page = None
        super().rewind()

    def clone(self) -> "EmbeddedCursor":
        """Return the same query, not yet run."""
        return EmbeddedCursor(self.collection, self._spec, self._sort, self._projection, self._skip, self._limit or 0)


class EmbeddedCollection(mongomock_collection.Collection):
    """A collection of the embedded store; its threads take turns, and what changes a document is one transaction."""

    _store: EmbeddedCollectionStore

    @property
    def lock(self) -> AbstractContextManager[Any]:
        """Lock of a thread that reads or writes: LiteMongo shares one cursor among threads."""
        return self._store.lock

    def find(
        self,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 - pymongo's name
        projection: Any = None,
        *,
        sort: Any = None,
        skip: int = 0,
        limit: int = 0,
        **options: Any,
    ) -> EmbeddedCursor:
        """As pymongo's."""
        super().find(filter, projection, sort=sort, **options)  # refuses options that mean nothing
        return EmbeddedCursor(self, filter or {}, sort, projection, skip, limit)

    def find_one(self, filter: Any = None, *arguments: Any, **options: Any) -> dict[str, Any] | None:  # noqa: A002
        """As pymongo's."""
        query = filter if isinstance(filter, Mapping) or filter is None else {"_id": filter}
        return next(self.find(query, *arguments, **options).limit(1), None)

    def page(
        self,
        query: Mapping[str, Any],
        sort: Sequence[tuple[str, int]] | Mapping[str, int] | None,
        projection: Any,
        skip: int,
        limit: int,
    ) -> list[dict[str, Any]] | None:
        """Return the documents of a query, or None where SQLite cannot give them exactly."""
        if isinstance(sort, Mapping):
            sort = list(sort.items())
        plan, order = self._store.plan(query), self._store.order(sort)
        if not plan.exact or order is None:
            return None
        documents = self._store.select(plan, order=order, limit=limit, skip=skip)
        return [self._copy_only_fields(document, projection, dict) for document in documents]

    def count_documents(self, filter: Mapping[str, Any], **options: Any) -> int:  # noqa: A002
        """As pymongo's."""
        plan = self._store.plan(filter)
        if options or not plan.exact:
            with self.lock:
                return int(super().count_documents(filter, **options))
        return self._store.count(plan)

    def distinct(self, key: str, filter: Mapping[str, Any] | None = None, session: Any = None) -> list[Any]:  # noqa: A002
        """As pymongo's."""
        plan, column = self._store.plan(filter or {}), self._store.column(key)
        if not plan.exact or column is None or self._store.holds_arrays(key) or self._store.holds_opaque(key):
            return list(super().distinct(key, filter, session))
        rows = self._store.rows(f"DISTINCT {column}", plan, tail=f"AND {column} IS NOT NULL")
        return [original(value) for (value,) in rows]

    def aggregate(self, pipeline: Sequence[Mapping[str, Any]], session: Any = None, **options: Any) -> Any:
        """As pymongo's; a leading ``$match`` and a simple ``$group`` are answered by SQLite."""
        del options
        stages = list(pipeline)
        query = stages.pop(0)["$match"] if stages and set(stages[0]) == {"$match"} else {}
        grouping = grouping_of(stages[0]) if stages else None
        groups = None
        if grouping is not None:
            groups = grouped(self._store, self._store.plan(query), grouping)
        if groups is not None:
            return aggregate.process_pipeline(groups, self.database, stages[1:], session)
        # Only what the groups are made of is handed on: the Python engine copies every document.
        needed = dict.fromkeys(grouping.paths, 1) if grouping is not None and grouping.paths else None
        return aggregate.process_pipeline(list(self.find(query, needed)), self.database, stages, session)

    def insert_one(self, document: Any, **options: Any) -> InsertOneResult:
        """As pymongo's."""
        del options
        self._insert_fast(document)
        return InsertOneResult(document["_id"], acknowledged=True)

    def insert_many(self, documents: Iterable[Any], *, ordered: bool = True, **options: Any) -> InsertManyResult:
        """As pymongo's, in one transaction."""
        del options
        inserted, errors = [], []
        with self._store.transaction():
            for place, document in enumerate(documents):
                try:
                    self._insert_fast(document)
                except DuplicateKeyError as fault:
                    errors.append({"index": place, "code": DUPLICATE_KEY, "errmsg": str(fault), "op": document})
                    if ordered:
                        break
                else:
                    inserted.append(document["_id"])
            if errors:
                raise BulkWriteError({"writeErrors": errors, "nInserted": len(inserted)})
        return InsertManyResult(inserted, acknowledged=True)

    def bulk_write(self, requests: Any, **options: Any) -> Any:
        """As pymongo's, in one transaction."""
        with self._store.transaction():
            return super().bulk_write(requests, **options)

    def create_index(self, keys: Any, **options: Any) -> str:
        """As pymongo's; an index that is there costs nothing."""
        named = [(keys, 1)] if isinstance(keys, str) else list(keys.items() if isinstance(keys, Mapping) else keys)
        name = options.get("name") or "_".join(f"{path}_{direction}" for path, direction in named)
        wanted: dict[str, Any] = {"key": [tuple(entry) for entry in named]}
        wanted |= {option: True for option in ("unique", "sparse") if options.get(option)}
        with self.lock:
            if self._store.indexes.get(name) == wanted:
                return name
            return str(super().create_index(keys, **options))

    def create_indexes(self, indexes: Iterable[Any], session: Any = None) -> list[str]:
        """As pymongo's, in one transaction."""
        with self._store.transaction():
            return list(super().create_indexes(list(indexes), session))

    def with_options(self, codec_options: Any = None, **options: Any) -> "EmbeddedCollection":
        """Return this collection: concerns and preferences do not apply to a file."""
        del codec_options, options
        return self

    def _insert(self, *arguments: Any, **options: Any) -> Any:
        with self._store.transaction():
            return super()._insert(*arguments, **options)

    def _update(self, *arguments: Any, **options: Any) -> Any:
        with self._store.transaction():
            return super()._update(*arguments, **options)

    def _delete(self, *arguments: Any, **options: Any) -> Any:
        with self._store.transaction():
            return super()._delete(*arguments, **options)

    def _find_and_modify(self, *arguments: Any, **options: Any) -> Any:
        with self._store.transaction():
            return super()._find_and_modify(*arguments, **options)

    def _insert_fast(self, document: dict[str, Any]) -> None:
        mongomock_collection.validate_is_mutable_mapping("document", document)
        mongomock_collection._validate_data_fields(document)  # noqa: SLF001 - refuses what MongoDB refuses
        if not self._store.is_guarded(document):
            self._insert(document)
            return
        document.setdefault("_id", bson.ObjectId())
        self._store.insert(document)

    def _copy_only_fields(self, document: dict[str, Any], fields: Any, container: Any) -> dict[str, Any]:
        # A document is decoded anew for each query: nobody else has it, and it need not be copied.
        if not fields:
            return document
        if isinstance(fields, Mapping) and all(value == 1 and "." not in name for name, value in fields.items()):
            return {name: value for name, value in document.items() if name in fields or name == "_id"}
        copied: dict[str, Any] = super()._copy_only_fields(document, fields, container)
        return copied
