"""Records of a candidate composition: parent compound, change, charge, and the reasons for its acceptance."""

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
    """A compound from which candidates are derived.

    Attributes:
        formula: reduced formula.
        fingerprint: fingerprint of its crystal; None without one.
        band_gap_eV: its band gap; None where unknown.
        structure: its crystal; None where unknown.
    """

    formula: str
    fingerprint: str | None = None
    band_gap_eV: float | None = None
    structure: Structure | None = field(default=None, repr=False)


@dataclass(frozen=True)
class CandidateComposition:
    """An accepted or rejected composition.

    Attributes:
        formula: reduced formula with integer amounts.
        parent: compound from which it was derived.
        change: kind of change.
        description: the change, for example ``Cl -> Br at -1, 50%``.
        oxidation_states: mean oxidation state of each element after the change.
        charge_imbalance_e: sum of the parent's charges over one reduced formula of the candidate, before any
            compensation, in elementary charges; zero for unchanged and isovalently substituted compositions.
        compensation: redox change that compensates the imbalance, for example ``Fe 2 -> 2.5``; empty if there is none.
        similarity: probability ratio of the substitution in known crystals (Hautier et al. 2011), otherwise 1.
        band_gap_eV: band gap compared with the limit; None where unknown.
        reasons: why it was accepted or rejected, one line each.
        accepted: True if it meets all limits.
        structure: unrelaxed crystal of that composition made from that of the parent; None where the parent has none
            or the added lithium has no site.
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
