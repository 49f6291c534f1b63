"""The trained models of a database, and which of them is in use."""

from typing import Any

from vitrion.database.collection import Collection
from vitrion.database.queries.filters import OneOrMore, check_choice, sort_of
from vitrion.database.queries.rows import Rows
from vitrion.database.records import ModelRecord
from vitrion.database.repositories.structures import one_by_prefix

MODEL_KINDS = ("surrogate", "generator")


class Models:
    """The model versions of a database."""

    def __init__(self, models: Collection) -> None:
        """Use the collection."""
        self._models = models

    def add(
        self,
        artefact_sha256: str,
        *,
        kind: str,
        architecture: str,
        promoted: bool,
        promotion_reason: str,
        **fields: Any,
    ) -> bool:
        """Register a trained model, once; the arguments are fields of `ModelRecord`.

        Returns:
            Whether it is new.

        Raises:
            InputError: a field that the document does not have or refuses.
        """
        record = ModelRecord.of(
            artefact_sha256=artefact_sha256,
            kind=kind,
            architecture=architecture,
            promoted=promoted,
            promotion_reason=promotion_reason,
            **fields,
        )
        return self._models.insert_if_absent(record.document())

    def get(self, artefact_sha256: str) -> ModelRecord:
        """Return a model version by its sha256 or the first eight or more digits of it.

        Raises:
            NotFoundError: it is not stored.
            InputError: the prefix is short or not unique.
        """
        return ModelRecord.model_validate(one_by_prefix(self._models, "artefact_sha256", artefact_sha256, "model"))

    def promoted(self, campaign: str | None, kind: str, *, before_cycle: int | None = None) -> ModelRecord | None:
        """Return the version in use: the last one promoted, or None before the first.

        Args:
            campaign: name of the campaign.
            kind: ``surrogate`` or ``generator``.
            before_cycle: only versions of earlier cycles: the one that was in use when this cycle began.
        """
        query: dict[str, Any] = {"campaign": campaign, "kind": kind, "promoted": True}
        if before_cycle is not None:
            query["cycle"] = {"$lt": before_cycle}
        last = self._models.find(query, sort=[("cycle", -1), ("_id", -1)], limit=1)
        return ModelRecord.model_validate(last[0]) if last else None

    def search(
        self,
        *,
        kind: str | None = None,
        campaign: str | None = None,
        promoted: bool | None = None,
        sort: OneOrMore | None = None,
        limit: int = 0,
        skip: int = 0,
    ) -> Rows[ModelRecord]:
        """Return the versions that pass all filters; None filters nothing.

        Raises:
            InputError: there is no such kind of model, or no such field to sort by.
        """
        if kind is not None:
            check_choice("kind", kind, MODEL_KINDS)
        given = {"kind": kind, "campaign": campaign, "promoted": promoted}
        query = {name: value for name, value in given.items() if value is not None}
        versions = self._models.find(query, sort=sort_of("models", sort), limit=limit, skip=skip)
        return Rows(ModelRecord, [ModelRecord.model_validate(version) for version in versions])
