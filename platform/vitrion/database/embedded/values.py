"""A field of a document as SQLite sees it: in MongoDB's order, and marked where SQLite could not answer exactly."""

import hashlib
import math
import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

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
