"""Results of queries: the records in the order of the query, or statistics of a field by group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from vitrion.database.collection import Collection
from vitrion.database.queries.filters import Query
from vitrion.database.queries.quantity import require_one
from vitrion.database.records import LabelRecord, Record

if TYPE_CHECKING:
    import pandas as pd

R = TypeVar("R", bound=Record)


class Rows(Sequence[R], Generic[R]):
    """The records of a query, in its order."""

    def __init__(self, kind: type[R], rows: Sequence[R]) -> None:
        """Keep the records.

        Args:
            kind: their type; an empty result still has columns.
            rows: the records.
        """
        self._kind = kind
        self._rows = tuple(rows)

    @overload
    def __getitem__(self, place: int) -> R: ...
    @overload
    def __getitem__(self, place: slice) -> "Rows[R]": ...
    def __getitem__(self, place: int | slice) -> "R | Rows[R]":
        if isinstance(place, slice):
            return type(self)(self._kind, self._rows[place])
        return self._rows[place]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[R]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"{len(self)} x {self._kind.__name__}"

    @property
    def fields(self) -> tuple[str, ...]:
        """Names of the columns, which an empty result has too."""
        return tuple(self._kind.model_fields)

    def to_dicts(self) -> list[dict[str, Any]]:
        """Return plain dictionaries, as JSON holds them, with the fields' own names."""
        return [row.model_dump(mode="json") for row in self]

    def to_dataframe(self) -> "pd.DataFrame":
        """Return a pandas frame with one column a field."""
        import pandas as pd  # noqa: PLC0415 - half a second that most callers never need

        return pd.DataFrame([row.model_dump() for row in self], columns=list(self.fields))


class LabelRows(Rows[LabelRecord]):
    """The labels of a query: of any quantities, but of one where numbers are taken out of them."""

    def to_dataframe(self, *, across: str | Sequence[str] = ()) -> "pd.DataFrame":
        """Return a pandas frame with one column a field, for means and fits.

        Args:
            across: fields of `vitrion.database.queries.quantity.Quantity` in which the rows may differ.

        Raises:
            InputError: the labels are of several quantities that `across` does not name.
        """
        if self:
            require_one(self, across=across, purpose="put into one frame")
        return super().to_dataframe()


@dataclass(frozen=True)
class GroupStatistics:
    """Statistics of one group.

    Attributes:
        group: the values of the fields that were grouped by, in their order; empty for all in one.
        count: documents that have the field.
        mean: arithmetic mean of the field; None for text.
        minimum: smallest value.
        maximum: largest value.
    """

    group: tuple[Any, ...]
    count: int
    mean: float | None
    minimum: Any
    maximum: Any


def grouped(collection: Collection, query: Query, *, field: str, group_by: Sequence[str]) -> list[GroupStatistics]:
    """Return statistics of a field over the documents that match, sorted by group."""
    has_field = {field: {"$ne": None}}
    pipeline: list[dict[str, Any]] = [
        {"$match": {"$and": [query, has_field]} if query else has_field},
        {
            "$group": {
                "_id": {str(place): f"${name}" for place, name in enumerate(group_by)} or None,
                "count": {"$sum": 1},
                "mean": {"$avg": f"${field}"},
                "minimum": {"$min": f"${field}"},
                "maximum": {"$max": f"${field}"},
            },
        },
    ]
    groups = [
        GroupStatistics(
            group=tuple((row["_id"] or {}).get(str(place)) for place in range(len(group_by))),
            count=row["count"],
            mean=row["mean"],
            minimum=row["minimum"],
            maximum=row["maximum"],
        )
        for row in collection.aggregate(pipeline)
        if row["count"]  # some engines return an empty group
    ]
    return sorted(groups, key=lambda row: tuple((value is None, str(type(value)), value) for value in row.group))
