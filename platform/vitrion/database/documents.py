"""The stored documents as mongoengine classes, generated from the records.

They use the database that was opened last and is still open, on a server and embedded alike:

    with vitrion.connect(readonly=True):
        hot = Label.objects(temperature_K__gte=900, state="accepted").order_by("-log10_value")
"""

from datetime import UTC, datetime
from typing import Any, ClassVar, get_args, get_origin

import mongoengine
from mongoengine.base import BaseField

from vitrion.database.database import OPEN
from vitrion.database.errors import DatabaseError
from vitrion.database.records import (
    CampaignRecord,
    CycleRecord,
    DatasetRecord,
    LabelRecord,
    ModelRecord,
    Record,
    StructureRecord,
)
from vitrion.database.records.base import value_type

_FIELDS: tuple[tuple[type, type[BaseField]], ...] = (
    (bool, mongoengine.BooleanField),
    (int, mongoengine.IntField),
    (float, mongoengine.FloatField),
    (str, mongoengine.StringField),
    (datetime, mongoengine.DateTimeField),
)


class _CheckedQuerySet(mongoengine.QuerySet):
    """Queries of which none stores what the record has not checked."""

    def insert(self, documents: Any, *args: Any, **kwargs: Any) -> Any:
        for document in documents if isinstance(documents, list | tuple) else [documents]:
            document.check()
        return super().insert(documents, *args, **kwargs)

    def update(self, *_args: Any, **_kwargs: Any) -> Any:
        raise DatabaseError("objects.update would store unchecked values: change each document and save() it")

    modify = update


class _StoredDocument(mongoengine.Document):
    meta: ClassVar[dict[str, Any]] = {
        "abstract": True,
        "auto_create_index": False,
        "strict": False,
        "queryset_class": _CheckedQuerySet,
    }
    record: ClassVar[type[Record]]

    def save(self, *args: Any, **kwargs: Any) -> Any:
        """Store the document if its record accepts it; errors are those of `check`."""
        self.check()
        return super().save(*args, **kwargs)

    def check(self) -> None:
        """Check the document by its record, whose values fill the fields that are empty.

        Raises:
            InputError: a field is missing or invalid.
        """
        content = {name: _with_zone(value) for name, value in self.to_mongo().items() if name != "_id"}
        for name, value in self.record.of(**content).document().items():
            if getattr(self, name) is None:
                setattr(self, name, value)

    @classmethod
    def _get_db(cls) -> Any:
        if not OPEN:
            raise DatabaseError("no database is open: call vitrion.connect() first")
        return OPEN[-1].raw

    @classmethod
    def _get_collection(cls) -> Any:
        # Not kept as mongoengine does: another database may be open by now.
        return cls._get_db()[cls._meta["collection"]]


def _with_zone(value: Any) -> Any:
    # As MongoDB returns dates: in UTC, without saying so.
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) and value.tzinfo is None else value


def document_of(record: type[Record], name: str) -> Any:
    """Return the mongoengine document class of a record."""
    fields = {field: _field_of(info.annotation) for field, info in record.model_fields.items()}
    meta = {
        "collection": record.collection,
        "indexes": [{"fields": [field for field, _ in index.keys], "unique": index.unique} for index in record.indexes],
    }
    namespace = {**fields, "meta": meta, "record": record, "__doc__": record.__doc__, "__module__": __name__}
    return type(name, (_StoredDocument,), namespace)


def _field_of(annotation: Any) -> BaseField:
    annotation = value_type(annotation)
    if get_origin(annotation) is tuple:
        return mongoengine.ListField(_field_of(get_args(annotation)[0]), default=None)
    if isinstance(annotation, type):
        for kind, field in _FIELDS:
            if issubclass(annotation, kind):
                return field()
    return mongoengine.DictField(default=None)  # nested models and free mappings


Structure = document_of(StructureRecord, "Structure")
Label = document_of(LabelRecord, "Label")
Dataset = document_of(DatasetRecord, "Dataset")
ModelVersion = document_of(ModelRecord, "ModelVersion")
Campaign = document_of(CampaignRecord, "Campaign")
Cycle = document_of(CycleRecord, "Cycle")
