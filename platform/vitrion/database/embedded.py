"""The embedded store: LiteMongo in a folder, with the methods of a pymongo client."""

from pathlib import Path
from typing import Any

from litemongo import sqlite_store
from litemongo.client import MongoClient


class EmbeddedClient(MongoClient):
    """LiteMongo's client under the signature that pymongo's and mongoengine's callers expect.

    `mongoengine.connect(mongo_client_class=EmbeddedClient, host=folder)` works too.
    """

    def __init__(self, host: Path | str, **options: Any) -> None:
        """Open the folder.

        Args:
            host: folder with one subfolder a database.
            options: of mongomock's client.
        """
        super().__init__(sqlite_store.ServerStore(Path(host)), **options)
