"""The base of all stored documents."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, Self, TypeAlias, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from vitrion.database.records.storable import require_storable
from vitrion_models.errors import InputError

SCHEMA_VERSION = 2
ASCENDING = 1
DESCENDING = -1


@dataclass(frozen=True)
class Index:
    """An index of one collection.

    Attributes:
        keys: fields with their directions.
        unique: whether it is the identity of the document.
    """

    keys: tuple[tuple[str, int], ...]
    unique: bool = False

    @property
    def name(self) -> str:
        """MongoDB's own name for it."""
        return "_".join(f"{field}_{direction}" for field, direction in self.keys)


def unique(*fields: str) -> Index:
    """Return the index of a document's identity."""
    return Index(tuple((field, ASCENDING) for field in fields), unique=True)


def index(*fields: str) -> Index:
    """Return an index of fields that queries filter by; it ends in ``_id``, the order in which results are paged."""
    return Index(tuple((field, ASCENDING) for field in (*fields, "_id")))


def now() -> datetime:
    """Return the present in UTC, in whole milliseconds, as MongoDB stores it."""
    moment = datetime.now(tz=UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _in_utc(moment: datetime) -> datetime:
    # BSON has no zones: dates come out of the database without one, and are UTC.
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


UtcDate: TypeAlias = Annotated[datetime, AfterValidator(_in_utc)]
"""A date with the zone UTC."""


class Record(BaseModel):
    """One stored document: validated when it is written and read, immutable in between.

    A subclass declares each field once. What is stored (`document`), the rows of queries (the records themselves),
    exports (`model_dump`) and the mongoengine class (`vitrion.database.documents`) follow from it.

    Attributes:
        collection: name of the MongoDB collection.
        indexes: indexes of the collection; the first is the identity.
        schema_version: version of the document's layout; `vitrion.database.migrations` upgrades older ones.
        created_at: UTC.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    collection: ClassVar[str]
    indexes: ClassVar[tuple[Index, ...]]

    schema_version: int = SCHEMA_VERSION
    created_at: UtcDate = Field(default_factory=now)

    @classmethod
    def of(cls, **values: Any) -> Self:
        """Return the record of given values; None counts as not given.

        Raises:
            InputError: a field is unknown, missing or invalid, or MongoDB cannot hold it; the message names it.
        """
        check_fields(cls, values)
        for name, value in values.items():
            if isinstance(value, datetime) and value.tzinfo is None:
                raise InputError(f"{cls.collection}: {name} {value} has no time zone: give for example {now()}")
        try:
            record = cls.model_validate({name: value for name, value in values.items() if value is not None})
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(map(str, first["loc"]))
            raise InputError(f"{cls.collection}: {place} is refused: {first['msg']}") from error
        for name in cls.unbounded_fields() & values.keys():
            require_storable(getattr(record, name), f"{cls.collection}: {name}")
        return record

    @classmethod
    @cache
    def unbounded_fields(cls) -> frozenset[str]:
        """Return the names of the fields whose types admit values that MongoDB cannot hold."""
        types = {name: value_type(info.annotation) for name, info in cls.model_fields.items()}
        return frozenset(name for name, kind in types.items() if kind is str or _is_unbounded(kind))

    @classmethod
    def nested_fields(cls) -> frozenset[str]:
        """Return the names of the fields that hold a list, a mapping or a model."""
        return frozenset(name for name, info in cls.model_fields.items() if is_nested(value_type(info.annotation)))

    def document(self) -> dict[str, Any]:
        """Return the document as it is stored: plain values and dates in UTC; fields that are None are left out."""
        dates = {name: value for name, value in vars(self).items() if isinstance(value, datetime)}
        return self.model_dump(mode="json", exclude_none=True) | dates


def value_type(annotation: Any) -> Any:
    """Return the type of a field's value where it is not None."""
    if get_origin(annotation) in {Union, UnionType}:
        (annotation,) = (kind for kind in get_args(annotation) if kind is not type(None))
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def _is_unbounded(annotation: Any) -> bool:
    if parts := get_args(annotation):
        return any(_is_unbounded(part) for part in parts)
    is_enum = isinstance(annotation, type) and issubclass(annotation, Enum)
    return not is_enum and annotation not in {str, float, bool, datetime, NoneType, Ellipsis}


def is_nested(annotation: Any) -> bool:
    """Return True for types of lists, mappings and models."""
    return get_origin(annotation) in {tuple, dict} or issubclass(annotation, BaseModel)


def check_fields(record: type[Record], names: Mapping[str, Any]) -> None:
    """Refuse fields that a record does not have.

    Raises:
        InputError: naming the field.
    """
    if unknown := names.keys() - record.model_fields.keys():
        raise InputError(f"{record.collection} have no field {min(unknown)!r}")
