"""Versions of trained models."""

from typing import Any, ClassVar

from pydantic import Field

from vitrion.database.records.base import Index, Record, index, unique


class ModelRecord(Record):
    """A trained model; its files are the artefact of the same sha256.

    Attributes:
        artefact_sha256: identity.
        kind: ``surrogate`` or ``generator``.
        training_label_keys: labels it learned from.
        training_structures: fingerprints of the cells it learned from.
        split: how training, validation and test were divided.
        metrics: numbers on the frozen test.
        errors: statistical and model error of the labels it was given, each apart.
        parent: artefact of the version it was retrained from or is to replace.
        promoted: whether it took its parent's place; `promotion_reason` says why or why not.
    """

    collection: ClassVar[str] = "models"
    indexes: ClassVar[tuple[Index, ...]] = (unique("artefact_sha256"), index("campaign", "kind"), index("kind"))

    artefact_sha256: str
    kind: str
    architecture: str
    hyperparameters: dict[str, Any] = Field(default_factory=dict)
    training_label_keys: tuple[str, ...] = ()
    training_structures: tuple[str, ...] = ()
    split: dict[str, Any] = Field(default_factory=dict)
    metrics: dict[str, Any] = Field(default_factory=dict)
    errors: dict[str, Any] = Field(default_factory=dict)
    parent: str | None = None
    promoted: bool = False
    promotion_reason: str = ""
    campaign: str | None = None
    cycle: int | None = None
    seed: int | None = None
    wall_seconds: float | None = None
    code_version: str | None = None
