"""Campaigns, their cycles, and the proposals of a cycle."""

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

from vitrion.database.records.base import Index, Record, UtcDate, unique


class Arm(StrEnum):
    """Part of the design or of the acquisition that chose a proposal."""

    TEST = "test"  # frozen test set, never trained on
    INITIAL = "initial"  # initial design, spread over compositions and temperatures
    ACQUISITION = "acquisition"
    RANDOM = "random"  # permanent control of the acquisition
    REFERENCE = "reference"  # a label by a reference potential: an earlier one repeated at random, or chosen by value


class ProposalState(StrEnum):
    """State of a proposal."""

    WAITING = "waiting"
    LABELLED = "labelled"
    REFUSED = "refused"  # every cell that was made failed its gates
    FAILED = "failed"  # the run ended with an error, given as the reason


FINISHED = frozenset({ProposalState.LABELLED, ProposalState.REFUSED, ProposalState.FAILED})


class Proposal(BaseModel):
    """One structure at one temperature.

    Attributes:
        formula: reduced formula.
        source_fingerprint: crystal to make a cell from, or the cell itself; None for a composition without a crystal.
        structure_fingerprint: the amorphous cell, once there is one.
        temperature_K: temperature of the label.
        arm: arm that chose it.
        acquisition_function: its name, empty for other arms.
        acquisition: its value at the time of the choice.
        predicted_log10_D: log10 D (cm2/s) that the surrogate predicted at the temperature of the label.
        predicted_std: its standard deviation, decades.
        model_offset: estimated mean error of the potential at the target temperature, decades.
        model_std: its standard deviation, decades.
        label_key: identity of the label, once the cell exists.
        label_state: state of the stored label: accepted, rejected or censored.
        seed: of the labelling run.
        potential: registry name of the potential that makes the label.
        state: state of the proposal.
        reason: why it was refused or failed.
        attempts: number of cells tried.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    formula: str
    source_fingerprint: str | None = None
    structure_fingerprint: str | None = None
    temperature_K: float
    arm: Arm
    acquisition_function: str = ""
    acquisition: float | None = None
    predicted_log10_D: float | None = None
    predicted_std: float | None = None
    model_offset: float | None = None
    model_std: float | None = None
    label_key: str | None = None
    label_state: str | None = None
    seed: int | None = None
    potential: str | None = None
    state: ProposalState = ProposalState.WAITING
    reason: str = ""
    attempts: int = 0

    @property
    def title(self) -> str:
        """Short text for people."""
        return f"{self.formula} {self.temperature_K:.0f} K ({self.arm})"


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
    lease_expires: UtcDate | None = None
    proposals: tuple[Proposal, ...] = ()
    label_keys: tuple[str, ...] = ()
    model_versions: tuple[str, ...] = ()
    budget: dict[str, Any] = Field(default_factory=dict)
    record: dict[str, Any] = Field(default_factory=dict)
    closed_at: UtcDate | None = None
