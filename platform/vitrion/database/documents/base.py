"""What every document shares: a schema version and the time it was made."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

from mongoengine import DateTimeField, Document, IntField
from mongoengine.base import BaseDocument
from mongoengine.errors import ValidationError

from vitrion_models.errors import InputError

SCHEMA_VERSION = 1


def now() -> datetime:
    """The present in UTC without a zone, in whole milliseconds: as MongoDB stores and returns it."""
    moment = datetime.now(tz=UTC).replace(tzinfo=None)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def field_names(document: type[BaseDocument]) -> frozenset[str]:
    """Names of the fields of a document."""
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

    Documents are bound to no connection: a `vitrion.database.Database` validates them with `wire` and writes the
    result itself, so that several databases can be open in one process.
    """

    meta: ClassVar[dict[str, Any]] = {"abstract": True, "auto_create_index": False}

    schema_version = IntField(required=True, default=SCHEMA_VERSION)
    created_at = DateTimeField(required=True, default=now)

    @classmethod
    def collection_name(cls) -> str:
        """Name of the collection."""
        return str(cls._meta["collection"])

    def wire(self) -> dict[str, Any]:
        """The validated document as it is stored.

        Raises:
            InputError: a field is missing or of the wrong type; the message names it.
        """
        try:
            self.validate()
        except ValidationError as fault:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in fault.to_dict().items())
            raise InputError(f"{self.collection_name()} document refused: {reasons or fault.message}") from fault
        stored: dict[str, Any] = self.to_mongo().to_dict()
        return stored
