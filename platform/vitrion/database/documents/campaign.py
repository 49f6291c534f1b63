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
    """A question that the campaign decided to ask; mirror of `vitrion.learning.Proposal`.

    Attributes:
        formula: composition asked for.
        source_fingerprint: crystal to make a cell of, or the cell itself.
        structure_fingerprint: the cell; None until it is made.
        arm: who proposed it.
        acquisition, acquisition_value: the acquisition function and its value when the choice was made.
        predicted_mean, predicted_std: log10 D that the surrogate expected, and its deviation in decades.
        label_key, label_state: the label that answers it.
    """

    formula = StringField()
    source_fingerprint = StringField()
    structure_fingerprint = StringField()
    temperature_K = FloatField(required=True)
    arm = StringField(required=True)
    acquisition = StringField()
    acquisition_value = FloatField()
    predicted_mean = FloatField()
    predicted_std = FloatField()
    label_key = StringField()
    label_state = StringField()
    seed = IntField()
    potential = StringField()
    state = StringField(required=True, default="waiting")
    reason = StringField()
    attempts = IntField(default=0)


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
