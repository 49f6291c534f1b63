"""Values that MongoDB can hold: checked before a record is stored, alike for both back ends."""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from enum import Enum
from typing import Any

from pydantic import BaseModel

from vitrion_models.errors import InputError

LARGEST_INTEGER = 2**63
DEEPEST = 90  # MongoDB's limit is 100, of which the driver needs some


def require_storable(value: Any, place: str, depth: int = 0) -> None:
    """Check a value with all that it holds: plain numbers, text, lists and mappings with keys of text.

    Args:
        value: of a field.
        place: the field, for the message, for example ``labels: seed``.
        depth: of nesting above it.

    Raises:
        InputError: MongoDB cannot hold it; the message names the place.
    """
    if value is None or isinstance(value, bool | float | Enum):
        return
    if depth > DEEPEST:
        raise InputError(f"{place} is nested more than {DEEPEST} times: MongoDB cannot hold it")
    for kind, fault_of in _FAULTS.items():
        if isinstance(value, kind):
            if fault := fault_of(value):
                raise InputError(f"{place} {fault}")
            return
    for name, entry in _parts(value, place):
        require_storable(entry, f"{place}.{name}", depth + 1)


def _parts(value: Any, place: str) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, BaseModel):
        yield from vars(value).items()
    elif isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str) or key.startswith("$") or "\0" in key or _text_fault(key):
                raise InputError(f"{place} has the key {key!r}: MongoDB's keys are text without '$' and NUL")
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
    else:
        kind = type(value)
        raise InputError(
            f"{place} is a {kind.__module__}.{kind.__qualname__}, which MongoDB cannot hold: give a plain number, text,"
            " list or mapping"
        )


def _integer_fault(value: int) -> str | None:
    if -LARGEST_INTEGER <= value < LARGEST_INTEGER:
        return None
    return "is beyond 64 bits, which MongoDB cannot hold: give an integer below 2**63"


def _text_fault(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return "is text with half a character, which UTF-8 cannot hold"
    return None


def _date_fault(value: datetime) -> str | None:
    return None if value.tzinfo else f"{value} has no time zone: give one, for example datetime.now(tz=UTC)"


_FAULTS: dict[type, Callable[[Any], str | None]] = {int: _integer_fault, str: _text_fault, datetime: _date_fault}
