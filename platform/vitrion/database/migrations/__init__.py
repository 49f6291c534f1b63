"""Upgrades of stored documents from older layouts, one function for each collection and step.

A document carries the version of its layout (`schema_version`), a store the newest version that wrote it. Opening an
older store for writing upgrades it. Every document is replaced on its own and says afterwards that it is upgraded, so
that an interrupted upgrade goes on when the store is opened again.
"""

from collections.abc import Callable, Mapping
from typing import Any

from vitrion.database.collection import Collection
from vitrion.database.migrations import v1_to_v2
from vitrion.database.records import SCHEMA_VERSION

Document = dict[str, Any]

UPGRADES: dict[int, Mapping[str, Callable[[Document], Document]]] = {1: v1_to_v2.UPGRADES}
"""Version -> collection -> function from this version's document to the next version's."""

BATCH = 500


def upgrade_document(collection: str, document: Mapping[str, Any]) -> Document:
    """Return a document in the present layout.

    Args:
        collection: its name.
        document: of any earlier version, or of the present one.
    """
    upgraded = dict(document)
    for version in range(int(document.get("schema_version", SCHEMA_VERSION)), SCHEMA_VERSION):
        upgraded = UPGRADES[version].get(collection, dict)(upgraded) | {"schema_version": version + 1}
    return upgraded


def upgrade_store(collection_of: Callable[[str], Collection], version: int) -> None:
    """Upgrade all documents of a store; collections whose layout did not change are not touched."""
    for name in sorted({name for step in range(version, SCHEMA_VERSION) for name in UPGRADES[step]}):
        collection = collection_of(name)
        older = {"schema_version": {"$lt": SCHEMA_VERSION}}
        while documents := collection.find(older, limit=BATCH):
            collection.replace_many(documents, [upgrade_document(name, document) for document in documents])
