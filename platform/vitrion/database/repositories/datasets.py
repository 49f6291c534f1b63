"""Data sets that were ingested, with licence, citation and stored splits."""

from collections.abc import Mapping
from typing import Any

from vitrion.database.collection import Collection
from vitrion.database.errors import NotFoundError
from vitrion.database.queries.rows import Rows
from vitrion.database.records import DatasetRecord
from vitrion.keys import short_key


class Datasets:
    """The data sets of a database."""

    def __init__(self, datasets: Collection) -> None:
        """Use the collection."""
        self._datasets = datasets

    def add(
        self,
        name: str,
        *,
        sha256: str,
        licence: str,
        citation: str,
        rows: int,
        url: str | None = None,
        splits: Mapping[str, Any] | None = None,
        report: Mapping[str, Any] | None = None,
    ) -> bool:
        """Register a data set, once for each name and sha256; the arguments are fields of `DatasetRecord`.

        Returns:
            Whether it is new.

        Raises:
            InputError: a field that the document refuses.
        """
        record = DatasetRecord.of(
            name=name,
            sha256=sha256,
            licence=licence,
            citation=citation,
            rows=rows,
            url=url,
            splits=dict(splits or {}),
            report=dict(report or {}),
        )
        return self._datasets.insert_if_absent(record.document())

    def update(self, name: str, *, sha256: str, **fields: Any) -> None:
        """Replace splits or report of a data set.

        Raises:
            NotFoundError: it is not stored.
        """
        if not self._datasets.update_one({"name": name, "sha256": sha256}, {"$set": fields}):
            raise NotFoundError(f"no data set {name} with sha256 {short_key(sha256)} in the database")

    def get(self, name: str, *, sha256: str | None = None) -> DatasetRecord:
        """Return a data set, the one registered last when no sha256 is given.

        Raises:
            NotFoundError: it is not stored.
        """
        query = {"name": name} if sha256 is None else {"name": name, "sha256": sha256}
        newest = self._datasets.find(query, sort=[("_id", -1)], limit=1)
        if not newest:
            raise NotFoundError(f"no data set {name!r} in the database: run `vitrion ingest dataset {name}`")
        return DatasetRecord.model_validate(newest[0])

    def list(self) -> Rows[DatasetRecord]:
        """Return all data sets, in the order they were registered."""
        return Rows(
            DatasetRecord, [DatasetRecord.model_validate(row) for row in self._datasets.find({}, sort=[("_id", 1)])]
        )
