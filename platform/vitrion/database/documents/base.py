"""What every document shares: a schema version and the time it was made."""

from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cache
from typing import Any, ClassVar

from mongoengine import DateTimeField, Document, IntField
from mongoengine.base import BaseDocument, BaseField
from mongoengine.errors import ValidationError

from vitrion_models.errors import InputError

SCHEMA_VERSION = 1


def now() -> datetime:
    """The present in UTC without a zone, in whole milliseconds: as MongoDB stores and returns it."""
    moment = datetime.now(tz=UTC).replace(tzinfo=None)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def field_names(document: type[BaseDocument]) -> frozenset[str]:
    """Names of the fields of a document."""
    return _field_names(document)  # type: ignore[arg-type] # its metaclass hides that a class can be hashed


@cache
def _field_names(document: type[BaseDocument]) -> frozenset[str]:
    return frozenset(document._fields)


def check_fields(document: type[BaseDocument], names: Iterable[str], *, noun: str) -> None:
    """Refuse fields that a document does not have.

    Raises:
        InputError: it has no such field.
    """
    unknown = set(names) - field_names(document)
    if unknown:
        raise InputError(f"{noun} have no field {min(unknown)!r}")


class VersionedDocument(Document):
    """A document with a schema version.

    Documents are bound to no connection: a `vitrion.database.Database` validates values with `wire` and writes the
    result itself, so that several databases can be open in one process.
    """

    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    schema_version = IntField(required=True, default=SCHEMA_VERSION)
    created_at = DateTimeField(required=True, default=now)

    @classmethod
    def collection_name(cls) -> str:
        """Name of the collection."""
        return str(cls._meta["collection"])

    @classmethod
    def wire(cls, **values: Any) -> dict[str, Any]:
        """The validated document as it is stored; what is None and has no default is left out.

        The fields check and convert the values themselves: making a mongoengine object first costs ten times more.

        Raises:
            InputError: a field is unknown, missing or of the wrong type; the message names it.
        """
        noun = cls.collection_name()
        check_fields(cls, values, noun=noun)
        given = {name: value for name, value in values.items() if value is not None}
        for name, field in _demanding(cls):  # type: ignore[arg-type] # as above
            if name in given:
                continue
            value = field.default() if callable(field.default) else field.default
            if value is not None:
                given[name] = value
            elif field.required:
                raise InputError(f"{noun}: {name} is missing")
        fields = cls._fields
        return {name: _stored(fields[name], value, place=f"{noun}: {name}") for name, value in given.items()}


@cache
def _demanding(document: type[BaseDocument]) -> tuple[tuple[str, BaseField], ...]:
    """Fields that are there even when nobody gives them."""
    fields = document._fields
    return tuple((name, field) for name, field in fields.items() if field.required or field.default is not None)


def _stored(field: BaseField, value: Any, *, place: str) -> Any:
    try:
        field._validate(value)  # noqa: SLF001 - choices and type together
    except ValidationError as fault:
        raise InputError(f"{place} is refused: {fault.message}") from fault
    return field.to_mongo(value)
