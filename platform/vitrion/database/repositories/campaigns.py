"""The campaigns of a database: one name, one configuration."""

from collections.abc import Mapping
from typing import Any

from vitrion.database.collection import Collection
from vitrion.database.errors import DatabaseError, NotFoundError
from vitrion.database.queries.rows import Rows
from vitrion.database.records import CampaignRecord
from vitrion.keys import short_key


class Campaigns:
    """The campaigns of a database."""

    def __init__(self, campaigns: Collection) -> None:
        """Use the collection."""
        self._campaigns = campaigns

    def create_or_get(self, name: str, configuration: Mapping[str, Any], config_hash: str) -> CampaignRecord:
        """Return the campaign of a name, made if there is none.

        Args:
            name: identity.
            configuration: validated, with defaults filled in; plain JSON values.
            config_hash: sha256 of it.

        Raises:
            DatabaseError: the name is taken by another configuration.
        """
        record = CampaignRecord.of(name=name, configuration=dict(configuration), config_hash=config_hash)
        self._campaigns.insert_if_absent(record.document())
        row = self.get(name)
        if row.config_hash != config_hash:
            raise DatabaseError(
                f"campaign {name!r} was started with another configuration ({short_key(row.config_hash)}, now"
                f" {short_key(config_hash)}): choose another name, or take the old configuration to go on",
            )
        return row

    def get(self, name: str) -> CampaignRecord:
        """Return the campaign of a name.

        Raises:
            NotFoundError: there is none.
        """
        document = self._campaigns.find_one({"name": name})
        if document is None:
            raise NotFoundError(f"no campaign {name!r} in the database")
        return CampaignRecord.model_validate(document)

    def update(self, name: str, **fields: Any) -> None:
        """Set fields of a campaign, such as state, frozen_test or summary.

        Raises:
            NotFoundError: there is none.
            InputError: a field that the document refuses.
        """
        document = CampaignRecord.of(**{**vars(self.get(name)), **fields}).document()
        self._campaigns.update_one({"name": name}, {"$set": {field: document.get(field) for field in fields}})

    def set_if_absent(self, name: str, entry: str, value: Any, **fields: Any) -> CampaignRecord:
        """Set an entry of the summary, and fields, unless the entry exists, in one atomic update.

        Returns:
            The campaign as it is now.

        Raises:
            NotFoundError: there is none.
            InputError: a value that the document refuses.
        """
        document = CampaignRecord.of(**{**vars(self.get(name)), "summary": {entry: value}, **fields}).document()
        given = {f"summary.{entry}": document["summary"][entry]} | {field: document.get(field) for field in fields}
        first = {"name": name, f"summary.{entry}": {"$exists": False}}
        self._campaigns.update_one(first, {"$set": given})
        return self.get(name)

    def list(self) -> Rows[CampaignRecord]:
        """Return all campaigns, in the order they were made."""
        return Rows(
            CampaignRecord, [CampaignRecord.model_validate(row) for row in self._campaigns.find({}, sort=[("_id", 1)])]
        )
