"""Advice on the size of an embedded store."""

from vitrion.database.database import Database

# As far as it was measured: no offered query took longer than a third of a second; see docs/design/embedded-store.md.
SERVER_ADVISED_STRUCTURES = 100_000


def advice(db: Database) -> str:
    """Return one line of advice on where to keep a database of this size, for `vitrion doctor`."""
    count = db.structures.count()
    if not db.embedded:
        return f"{count} structures on a MongoDB server: room to grow"
    if count >= SERVER_ADVISED_STRUCTURES:
        return (
            f"{count} structures in the embedded store: move to a MongoDB server (VITRION_DATABASE_URI),"
            f" advised from {SERVER_ADVISED_STRUCTURES}"
        )
    return (
        f"{count} structures in the embedded store, good for up to {SERVER_ADVISED_STRUCTURES};"
        " several writers or machines need a MongoDB server (VITRION_DATABASE_URI)"
    )
