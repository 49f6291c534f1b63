"""A proposal: one question put to the molecular dynamics, and how far its answer has come."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Arm(StrEnum):
    """Who asked."""

    TEST = "test"  # the frozen test set: never trained on
    INITIAL = "initial"  # the first design, spread over compositions and temperatures
    ACQUISITION = "acquisition"
    RANDOM = "random"  # permanent: what the acquisition has to beat
    REFERENCE = "reference"  # a label of an earlier cycle repeated with the reference potential


class ProposalState(StrEnum):
    """How far a proposal is."""

    WAITING = "waiting"
    LABELLED = "labelled"
    REFUSED = "refused"  # no cell passed the gates
    FAILED = "failed"  # the run itself broke; the reason says how


FINISHED = frozenset({ProposalState.LABELLED, ProposalState.REFUSED, ProposalState.FAILED})


class Proposal(BaseModel):
    """One structure at one temperature.

    Attributes:
        formula: reduced formula.
        source_fingerprint: crystal to make a cell of, or the cell itself; None for a composition without crystal.
        structure_fingerprint: the amorphous cell, once there is one.
        temperature_K: temperature of the label.
        arm: who asked.
        acquisition_function: its name, empty for other arms.
        acquisition: its value when the choice was made.
        predicted_log10_D: log10 D (cm2/s) the surrogate expected at the label's temperature.
        predicted_std: its deviation in decades.
        model_offset: what the potential was taken to be off by on average at the target temperature, decades.
        model_std: deviation of that.
        label_key: identity of the label, once the cell is known.
        label_state: accepted, rejected or censored, once labelled.
        seed: of the labelling run.
        potential: registry name of the potential that answers.
        state: how far it is.
        reason: why it was refused or failed.
        attempts: cells tried.
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
