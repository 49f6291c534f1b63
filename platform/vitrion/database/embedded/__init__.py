"""The embedded store: LiteMongo in a folder, with counts, filters, orders and uniqueness done by SQLite's indexes.

LiteMongo keeps each collection in an SQLite file and answers queries in Python with hash indexes that it rebuilds
whenever the file was changed by others. That is right but slow beyond some thousand documents. Here each indexed field
is a column of its own beside the document, so that SQLite answers what it can answer exactly; everything else still
goes through LiteMongo's query engine. See docs/design/embedded-store.md.
"""

from vitrion.database.embedded.client import EmbeddedClient

__all__ = ["EmbeddedClient"]
