"""Public data sets that were ingested."""

from typing import Any, ClassVar

from mongoengine import DictField, IntField, StringField

from vitrion.database.documents.base import VersionedDocument


class DatasetDocument(VersionedDocument):
    """A data set as it was ingested.

    Attributes:
        name: registry name; with `sha256` the identity.
        rows: number of records it holds.
        splits: split name -> record key -> part, as published or as stored by us (grouped).
        report: what the ingest counted: added, known, refused with reasons.
    """

    meta: ClassVar[dict[str, Any]] = {"collection": "datasets"}

    name = StringField(required=True)
    sha256 = StringField(required=True)
    licence = StringField(required=True)
    citation = StringField(required=True)
    url = StringField()
    rows = IntField(required=True, min_value=0)
    splits = DictField()
    report = DictField()
