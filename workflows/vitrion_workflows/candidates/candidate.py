"""A composition worth making: what it was changed from, its charge, and why it was taken or refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from pymatgen.core.structure import Structure


class Change(StrEnum):
    """How a candidate differs from its parent."""

    NONE = "none"
    LITHIUM_REMOVED = "lithium-removed"
    LITHIUM_ADDED = "lithium-added"
    SUBSTITUTED = "substituted"


@dataclass(frozen=True)
class Parent:
    """A compound that candidates are derived from.

    Attributes:
        formula: reduced formula.
        fingerprint: identity of its crystal, if there is one.
        band_gap_eV: its gap, where known.
        structure: its crystal, where known.
    """

    formula: str
    fingerprint: str | None = None
    band_gap_eV: float | None = None
    structure: Structure | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CandidateComposition:
    """A proposed or refused composition.

    Attributes:
        formula: reduced, whole amounts.
        parent: what it was derived from.
        change: sort of change.
        description: the change in words, for example ``Cl -> Br at -1, 50%``.
        oxidation_states: mean oxidation state of each element after the change.
        charge_imbalance_e: sum of the parent's charges over one reduced formula of the candidate, before any
            compensation, in elementary charges; zero for unchanged and isovalently substituted compositions.
        compensation: what takes up the imbalance, for example ``Fe 2 -> 2.5``; empty where nothing has to or can.
        similarity: probability ratio of the substitution in known crystals (Hautier et al. 2011), 1 elsewhere.
        band_gap_eV: gap that was held against the limit, where one is known.
        reasons: one line each, why it was taken or refused.
        accepted: whether it may be made.
        structure: a crystal of that composition made from the parent's, unrelaxed; None where the parent has none or
            the change has no place in it (added lithium).
    """

    formula: str
    parent: Parent
    change: Change
    description: str
    oxidation_states: Mapping[str, float]
    charge_imbalance_e: float
    reasons: tuple[str, ...]
    accepted: bool
    compensation: str = ""
    similarity: float = 1.0
    band_gap_eV: float | None = None
    structure: Structure | None = field(default=None, repr=False)
