"""Public data sets that were ingested."""

from typing import Any, ClassVar

from pydantic import Field

from vitrion.database.records.base import Index, Record, unique


class DatasetRecord(Record):
    """A data set as it was ingested.

    Attributes:
        name: registry name; with `sha256` the identity.
        rows: number of records it holds.
        splits: split name -> record key -> part, as published or as stored by us (grouped).
        report: counts of the ingest: added, already stored, refused with reasons.
    """

    collection: ClassVar[str] = "datasets"
    indexes: ClassVar[tuple[Index, ...]] = (unique("name", "sha256"),)

    name: str
    sha256: str
    licence: str
    citation: str
    url: str | None = None
    rows: int = Field(ge=0)
    splits: dict[str, Any] = Field(default_factory=dict)
    report: dict[str, Any] = Field(default_factory=dict)
