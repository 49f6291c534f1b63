"""Translation of MongoDB queries and values to SQL, where SQL gives exactly MongoDB's answer."""

import hashlib
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeAlias

import bson

SqlValue: TypeAlias = int | float | str | bytes | None

# First byte of values that SQLite has no type for. NULL < numbers < text < blobs, and these prefixes among blobs, is
# MongoDB's own order of types.
ARRAY = b"\x04"
OBJECT_ID = b"\x07"
BOOLEAN = b"\x08"
DATE = b"\x09"
OPAQUE = b"\x0b"  # embedded documents, NaN, binary ...: only the Python engine compares these

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INT64 = 1 << 63


def field_value(document: Mapping[str, Any], path: str) -> Any:
    """Return the value at a dotted path; None where there is none, a tuple where the path goes through an array."""
    value: Any = document
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list | tuple):
            return (part,)
        else:
            return None
    return value


def sql_value(value: Any) -> SqlValue:
    """Return the column's value of a field.

    Text and numbers are themselves. Arrays and what cannot be compared in SQL become marked digests, which are equal
    only for equal content, so that a unique column stays right.
    """
    if value is None or isinstance(value, str):
        return value
    for kind, convert in _CONVERSIONS.items():
        if isinstance(value, kind):
            return convert(value)
    return OPAQUE + _digest(value)


def original(value: SqlValue) -> Any:
    """Return the field's value from the column's, for values that are neither arrays nor opaque."""
    if not isinstance(value, bytes):
        return value
    kind, content = value[:1], value[1:]
    if kind == BOOLEAN:
        return content != b"\x00"
    if kind == OBJECT_ID:
        return bson.ObjectId(content)
    moment = _EPOCH + (struct.unpack(">Q", content)[0] - _INT64) * _MILLISECOND
    return moment.replace(tzinfo=None)


def is_scalar(value: Any) -> bool:
    """Return True if SQLite compares a value as MongoDB does."""
    return isinstance(value, str | bool | int | bson.ObjectId | datetime) or (
        isinstance(value, float) and not math.isnan(value)
    )


def bracket(value: Any) -> tuple[SqlValue, SqlValue]:
    """Return limits, lower included and upper not, of MongoDB's type of a value: comparisons never leave the type."""
    if isinstance(value, bool):
        return BOOLEAN, DATE
    if isinstance(value, int | float):
        return -math.inf, ""
    if isinstance(value, str):
        return "", b""
    if isinstance(value, bson.ObjectId):
        return OBJECT_ID, BOOLEAN
    return DATE, b"\x0a"


def scalars(values: Sequence[Any]) -> list[SqlValue]:
    """Return the column values of the items of an array."""
    return [sql_value(value) for value in values]


def _milliseconds(moment: datetime) -> int:
    # Without a zone it is UTC, as in BSON.
    aware = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return (aware - _EPOCH) // _MILLISECOND


def _digest(value: Any) -> bytes:
    return hashlib.sha256(bson.encode({"": list(value) if isinstance(value, tuple) else value})).digest()[:16]


def _number(value: float) -> SqlValue:
    if isinstance(value, int):
        return int(value) if -_INT64 <= value < _INT64 else float(value)
    return OPAQUE if math.isnan(value) else value


def _array(value: list[Any]) -> SqlValue:
    return (ARRAY if all(is_scalar(item) for item in value) else OPAQUE) + _digest(value)


# In this order: a boolean is an integer in Python.
_CONVERSIONS: dict[type | tuple[type, ...], Callable[[Any], SqlValue]] = {
    bool: lambda value: BOOLEAN + bytes([value]),
    (int, float): _number,
    bson.ObjectId: lambda value: OBJECT_ID + value.binary,
    datetime: lambda value: DATE + struct.pack(">Q", _milliseconds(value) + _INT64),
    list: _array,
}


MOST_PARAMETERS = 10_000  # SQLite takes 32,766 in a statement
COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


class Columns(Protocol):
    """Properties of a collection that the planner needs."""

    def entry_count(self, path: str, value: SqlValue) -> int:
        """Return the number of documents that hold a value in the array at a path, counted up to a limit."""

    def encode_key(self, key: Any) -> str:
        """Return the column ``_id`` of an identity."""

    def column(self, path: str) -> str | None:
        """Return the quoted column of an indexed path, or None."""

    def holds_arrays(self, path: str) -> bool:
        """Return True if a document has an array of scalars there."""

    def holds_opaque(self, path: str) -> bool:
        """Return True if a document has a value there that SQL cannot compare."""


@dataclass(frozen=True)
class Plan:
    """The part of a query that SQLite answers.

    Attributes:
        where: SQL condition; it never leaves out a document that matches.
        parameters: its parameters.
        exact: whether it finds only documents that match; otherwise each is still checked.
    """

    where: str = "1"
    parameters: tuple[SqlValue, ...] = ()
    exact: bool = True


CHECK_ALL = Plan(exact=False)


def plan(query: Mapping[str, Any], columns: Columns) -> Plan:
    """Plan a query: what has no exact SQL is left to the Python engine."""
    return _all([_part(name, condition, columns) for name, condition in query.items()])


def _part(name: str, condition: Any, columns: Columns) -> Plan:
    if name in _LOGICAL:
        usable = isinstance(condition, list | tuple) and all(isinstance(entry, Mapping) for entry in condition)
        return _LOGICAL[name]([plan(entry, columns) for entry in condition]) if usable else CHECK_ALL
    if name == "_id":
        return _identity(condition, columns)
    column = columns.column(name)
    if column is None or columns.holds_opaque(name):
        return CHECK_ALL
    field = _Field(name, column, columns, arrays=columns.holds_arrays(name))
    if not isinstance(condition, Mapping):
        condition = {"$eq": condition}
    elif not condition or not all(str(operator).startswith("$") for operator in condition):
        return CHECK_ALL  # an embedded document as a whole
    return _all([_OPERATORS.get(operator, _unknown)(field, operator, value) for operator, value in condition.items()])


def _identity(condition: Any, columns: Columns) -> Plan:
    values = condition
    if isinstance(condition, Mapping):
        values = condition.get("$in") if set(condition) == {"$in"} else [condition.get("$eq", {})]
    chosen = _scalars(values if isinstance(values, list | tuple) else [values])
    if not chosen:
        return CHECK_ALL
    # Not called exact: 1 and True have keys of their own here and are equal in Python.
    return Plan(f"_id IN ({_marks(len(chosen))})", tuple(columns.encode_key(value) for value in chosen), exact=False)


def _all(parts: Sequence[Plan]) -> Plan:
    return Plan(
        where=" AND ".join(part.where for part in parts if part.where != "1") or "1",
        parameters=tuple(value for part in parts for value in part.parameters),
        exact=all(part.exact for part in parts),
    )


def _any(parts: Sequence[Plan]) -> Plan:
    if not parts or any(part.where == "1" and not part.exact for part in parts):
        return CHECK_ALL
    return Plan(
        where="(" + " OR ".join(f"({part.where})" for part in parts) + ")",
        parameters=tuple(value for part in parts for value in part.parameters),
        exact=all(part.exact for part in parts),
    )


_LOGICAL: dict[str, Callable[[Sequence[Plan]], Plan]] = {"$and": _all, "$or": _any}


@dataclass(frozen=True)
class _Field:
    path: str
    column: str
    columns: Columns
    arrays: bool

    def entries(self, count: int) -> str:
        """Condition that an array at the path holds one of `count` values."""
        return f"_id IN (SELECT id FROM entries WHERE path = ? AND value IN ({_marks(count)}))"  # noqa: S608 - only marks


def _equal(field: _Field, _: str, value: Any) -> Plan:
    return _one_of(field, "$in", [value])


def _one_of(field: _Field, _: str, values: Any) -> Plan:
    chosen = _scalars(values)
    if chosen is None or (field.arrays and None in values):
        return CHECK_ALL
    stored: list[SqlValue] = [sql_value(value) for value in chosen]
    if field.arrays:
        return Plan(
            f"({field.column} IN ({_marks(len(stored))}) OR {field.entries(len(stored))})",
            (*stored, field.path, *stored),
        )
    where = f"{field.column} = ?" if len(stored) == 1 else f"{field.column} IN ({_marks(len(stored))})"
    if None in values:
        # Almost every document lacks the field: a condition that must not lead.
        where = f"(+{field.column} IS NULL{f' OR +{where}' if stored else ''})"
    return Plan(where, tuple(stored))


def _none_of(field: _Field, _: str, values: Any) -> Plan:
    chosen = _scalars(values)
    if chosen is None or (field.arrays and None in values):
        return CHECK_ALL
    stored: list[SqlValue] = [sql_value(value) for value in chosen]
    parts = []
    if stored:
        parts.append(f"(+{field.column} IS NULL OR +{field.column} NOT IN ({_marks(len(stored))}))")
    if None in values:
        parts.append(f"+{field.column} IS NOT NULL")
    where = "(" + " AND ".join(parts) + ")" if parts else "1"
    if field.arrays and stored:
        return Plan(f"(NOT {field.entries(len(stored))} AND {where})", (field.path, *stored, *stored))
    return Plan(where, tuple(stored))


def _unequal(field: _Field, _: str, value: Any) -> Plan:
    return _none_of(field, "$nin", [value])


def _holds_all(field: _Field, _: str, values: Any) -> Plan:
    chosen = _scalars(values)
    if not chosen or None in values:
        return CHECK_ALL
    chosen = list(dict.fromkeys(chosen))
    if not field.arrays or len(chosen) == 1:
        return _all([_equal(field, "$eq", value) for value in chosen])
    # The rarest item leads, and each document that has it is looked up for the others.
    items = sorted((sql_value(value) for value in chosen), key=lambda item: field.columns.entry_count(field.path, item))
    others = "EXISTS (SELECT 1 FROM entries WHERE path = ? AND value = ? AND id = documents._id)"
    return Plan(
        f"({field.entries(1)}{f' AND {others}' * (len(items) - 1)})",
        (field.path, items[0], *(part for item in items[1:] for part in (field.path, item))),
    )


def _compared(field: _Field, operator: str, value: Any) -> Plan:
    if field.arrays or not is_scalar(value):
        return CHECK_ALL
    lowest, beyond = bracket(value)
    own = f"{field.column} {COMPARISONS[operator]} ?"
    if operator in {"$gt", "$gte"}:
        return Plan(f"{own} AND {field.column} < ?", (sql_value(value), beyond))
    return Plan(f"{own} AND {field.column} >= ?", (sql_value(value), lowest))


def _unknown(field: _Field, operator: str, value: Any) -> Plan:
    del field, operator, value
    return CHECK_ALL


_OPERATORS: dict[str, Callable[[_Field, str, Any], Plan]] = {
    "$eq": _equal,
    "$in": _one_of,
    "$ne": _unequal,
    "$nin": _none_of,
    "$all": _holds_all,
    **dict.fromkeys(COMPARISONS, _compared),
}


def _scalars(values: Any) -> list[Any] | None:
    """Return the values other than None, or None if SQL cannot compare one or they are too many."""
    if not isinstance(values, list | tuple | set | frozenset):
        return None
    chosen = [value for value in values if value is not None]
    if len(chosen) > MOST_PARAMETERS:
        return None
    return chosen if all(is_scalar(value) for value in chosen) else None


def _marks(count: int) -> str:
    return ",".join("?" * count)
