"""Versions of trained models."""

from typing import Any, ClassVar

from mongoengine import BooleanField, DictField, FloatField, IntField, ListField, StringField

from vitrion.database.documents.base import VersionedDocument


class ModelVersionDocument(VersionedDocument):
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

    meta: ClassVar[dict[str, Any]] = {"collection": "models"}

    artefact_sha256 = StringField(required=True)
    kind = StringField(required=True)
    architecture = StringField(required=True)
    hyperparameters = DictField()
    training_label_keys = ListField(StringField())
    training_structures = ListField(StringField())
    split = DictField()
    metrics = DictField()
    errors = DictField()
    parent = StringField()
    promoted = BooleanField(required=True, default=False)
    promotion_reason = StringField(required=True, default="")
    campaign = StringField()
    cycle = IntField()
    seed = IntField()
    wall_seconds = FloatField()
    code_version = StringField()
