"""The indexes of all collections."""

from vitrion.database.records import RECORDS
from vitrion.database.records.base import ASCENDING, DESCENDING, Index

JOBS_COLLECTION = "outputs"
META_COLLECTION = "vitrion"

INDEXES: dict[str, tuple[Index, ...]] = {
    **{collection: record.indexes for collection, record in RECORDS.items()},
    # jobflow resolves references by {uuid, index}: without this index each one scans.
    JOBS_COLLECTION: (Index((("uuid", ASCENDING), ("index", DESCENDING))),),
}


def named_index(collection: str, first: str | None) -> Index | None:
    """Return the index of a collection that begins with a field; None for None.

    Raises:
        KeyError: there is none.
    """
    if first is None:
        return None
    for index in INDEXES[collection]:
        if index.keys[0][0] == first:
            return index
    raise KeyError(f"no index of {collection} begins with {first}")
