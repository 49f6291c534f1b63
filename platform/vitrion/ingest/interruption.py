"""Honest errors of an ingest that ends in the middle: how much is stored by then."""

from collections.abc import Iterator
from contextlib import contextmanager

from vitrion.database import Database, DatabaseError

COUNTED = ("structures", "labels")


@contextmanager
def count_stored(db: Database) -> Iterator[None]:
    """Add to an error of the database how many structures and labels were stored in this context before it.

    Raises:
        DatabaseError: of the same class, such as `DiskFullError`.
    """
    before = {name: db.collection(name).count({}) for name in COUNTED}
    try:
        yield
    except DatabaseError as fault:
        try:
            stored = {name: db.collection(name).count({}) - count for name, count in before.items()}
        except DatabaseError:
            raise fault from None  # a server that is gone counts no more
        summary = " and ".join(f"{count} {name}" for name, count in stored.items() if count) or "nothing"
        raise type(fault)(f"{fault}; {summary} stored before: the same command adds the rest") from fault
