"""Campaigns and their cycles."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from vitrion.database.records.base import Index, Record, unique
from vitrion.database.records.proposal import Proposal


class CycleState(StrEnum):
    """Stage of a cycle; each transition is one atomic update under the lease."""

    PROPOSED = "proposed"
    LABELLING = "labelling"
    LEARNING = "learning"
    CLOSED = "closed"


class CampaignRecord(Record):
    """A campaign and the configuration it was started with.

    Attributes:
        name: identity.
        configuration: validated, complete with defaults.
        config_hash: sha256 of it; another one under the same name is refused.
        frozen_test: label or group keys that are never trained on nor chosen by.
    """

    collection: ClassVar[str] = "campaigns"
    indexes: ClassVar[tuple[Index, ...]] = (unique("name"),)

    name: str
    configuration: dict[str, Any]
    config_hash: str
    state: str = "active"
    frozen_test: tuple[str, ...] = ()
    summary: dict[str, Any] = Field(default_factory=dict)


class CycleRecord(Record):
    """One turn of the loop.

    Attributes:
        campaign, index: identity; indices count from 0.
        lease_owner, lease_expires: who may change it, and until when (UTC).
        budget: numbers spent, by stage.
        record: what the stages want to remember.
    """

    collection: ClassVar[str] = "cycles"
    indexes: ClassVar[tuple[Index, ...]] = (unique("campaign", "index"),)

    campaign: str
    index: int = Field(ge=0)
    state: CycleState = CycleState.PROPOSED
    lease_owner: str | None = None
    lease_expires: datetime | None = None
    proposals: tuple[Proposal, ...] = ()
    label_keys: tuple[str, ...] = ()
    model_versions: tuple[str, ...] = ()
    budget: dict[str, Any] = Field(default_factory=dict)
    record: dict[str, Any] = Field(default_factory=dict)
    closed_at: datetime | None = None
