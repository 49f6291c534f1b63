"""Campaigns and their cycles."""

from enum import StrEnum
from typing import Any, ClassVar

from mongoengine import (
    DateTimeField,
    DictField,
    EmbeddedDocument,
    EmbeddedDocumentListField,
    FloatField,
    IntField,
    ListField,
    StringField,
)

from vitrion.database.documents.base import VersionedDocument


class CycleState(StrEnum):
    """Where a cycle stands; each transition is one atomic update under the lease."""

    PROPOSED = "proposed"
    LABELLING = "labelling"
    LEARNING = "learning"
    CLOSED = "closed"


class CampaignDocument(VersionedDocument):
    """A campaign and the configuration it was started with.

    Attributes:
        name: identity.
        configuration: validated, complete with defaults.
        config_hash: sha256 of it; another one under the same name is refused.
        frozen_test: label or group keys that are never trained on nor chosen by.
    """

    meta: ClassVar[dict[str, Any]] = {"collection": "campaigns"}

    name = StringField(required=True)
    configuration = DictField(required=True)
    config_hash = StringField(required=True)
    state = StringField(required=True, default="active")
    frozen_test = ListField(StringField())
    summary = DictField()


class ProposalDocument(EmbeddedDocument):
    """A question that the campaign decided to ask.

    Attributes:
        source_fingerprint: the crystal to make a cell of, or the cell itself.
        structure_fingerprint: the cell; None until it is made.
        formula: composition asked for.
        arm: which part of the design or the acquisition proposed it.
        acquisition_function: its name, empty for arms that use none.
        acquisition: value of the acquisition function.
        predicted_log10_D, predicted_std: what the surrogate expected, in decades.
        model_offset, model_std: what the potential was taken to be off by, and the deviation of that, in decades.
        label_key: identity of the label that answers it.
        label_state: verdict of that label's gates.
        attempts: cells tried.
        reason: why it was refused or failed.
    """

    source_fingerprint = StringField()
    structure_fingerprint = StringField()
    formula = StringField()
    temperature_K = FloatField(required=True)
    arm = StringField(required=True)
    acquisition_function = StringField()
    acquisition = FloatField()
    predicted_log10_D = FloatField()
    predicted_std = FloatField()
    model_offset = FloatField()
    model_std = FloatField()
    label_key = StringField()
    label_state = StringField()
    seed = IntField()
    state = StringField(required=True, default="waiting")
    potential = StringField()
    attempts = IntField(default=0)
    reason = StringField()


class CycleDocument(VersionedDocument):
    """One turn of the loop.

    Attributes:
        campaign, index: identity; indices count from 0.
        lease_owner, lease_expires: who may change it, and until when (UTC).
        budget: numbers spent, by stage.
        record: what the stages want to remember.
    """

    meta: ClassVar[dict[str, Any]] = {"collection": "cycles"}

    campaign = StringField(required=True)
    index = IntField(required=True, min_value=0)
    state = StringField(required=True, default=CycleState.PROPOSED.value, choices=[state.value for state in CycleState])
    lease_owner = StringField()
    lease_expires = DateTimeField()
    proposals = EmbeddedDocumentListField(ProposalDocument)
    label_keys = ListField(StringField())
    model_versions = ListField(StringField())
    budget = DictField()
    record = DictField()
    closed_at = DateTimeField()
