"""A composition worth making: what it was changed from, its charge, and why it was taken or refused."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class Change(StrEnum):
    """How a candidate differs from its parent."""

    NONE = "none"
    LITHIUM_REMOVED = "lithium-removed"
    LITHIUM_ADDED = "lithium-added"
    SUBSTITUTED = "substituted"


class Parent(BaseModel):
    """A compound that candidates are derived from.

    Attributes:
        formula: any formula of it.
        fingerprint: identity of its crystal in the database, if it has one.
        band_gap_eV: its gap, where known.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    formula: str
    fingerprint: str | None = None
    band_gap_eV: float | None = None


class CandidateComposition(BaseModel):
    """A proposed or refused composition.

    Attributes:
        formula: reduced, whole amounts.
        parent: reduced formula of the parent.
        parent_fingerprint: the parent's crystal, if known.
        change: sort of change.
        description: the change in words, for example ``Cl- -> Br-, half of it``.
        oxidation_states: mean oxidation state of each element after the change.
        charge_imbalance: sum of the parent's charges over one reduced formula of the candidate, before any
            compensation, in elementary charges; zero for unchanged and isovalently substituted compositions.
        compensation: what takes up the imbalance, for example ``Fe 2 -> 2.5``; empty where nothing has to or can.
        similarity: probability ratio of the substitution in known crystals (Hautier et al. 2011), 1 elsewhere.
        band_gap_eV: gap that was held against the limit, where one is known.
        reasons: one line each, why it was taken or refused.
        accepted: whether it may be made.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    formula: str
    parent: str
    parent_fingerprint: str | None = None
    change: Change
    description: str
    oxidation_states: dict[str, float]
    charge_imbalance: float
    compensation: str = ""
    similarity: float = 1.0
    band_gap_eV: float | None = None
    reasons: tuple[str, ...]
    accepted: bool
