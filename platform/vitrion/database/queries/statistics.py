"""Count, mean, minimum and maximum of a field, by group."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vitrion.database.collection import Collection
from vitrion.database.queries.filters import Query


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
