"""Candidates with another content of the mobile ion, and the charge that it leaves."""

from collections.abc import Iterator
from fractions import Fraction

from pymatgen.core.composition import Composition
from pymatgen.core.structure import Structure

from vitrion_workflows.candidates.candidate import CandidateComposition, Change, Parent
from vitrion_workflows.candidates.crystal import without_share
from vitrion_workflows.candidates.integer_formula import integer_formula
from vitrion_workflows.candidates.oxidation import compensate, total_charge
from vitrion_workflows.candidates.settings import CandidateSettings

FINEST_DENOMINATOR = 12
NEUTRAL = 1e-6


def lithium_changes(
    source: Parent,
    states: dict[str, float],
    *,
    settings: CandidateSettings,
) -> Iterator[CandidateComposition]:
    """Generate candidates with another content of the mobile ion.

    The charge imbalance is the sum of the oxidation states of the parent over the new formula. It is compensated where
    the range of a redox-active element allows; otherwise the candidate is rejected, unless the settings allow it.

    Args:
        source: the parent.
        states: mean oxidation states in the parent.
        settings: fractions and limits.
    """
    parent = Composition(source.formula)
    present = parent[settings.species]
    for fraction in settings.lithium_fractions:
        amount = Fraction(present).limit_denominator(FINEST_DENOMINATOR) * (
            1 + Fraction(fraction).limit_denominator(FINEST_DENOMINATOR)
        )
        if present == 0 or amount < 0 or fraction == 0:
            continue
        amounts = {element.symbol: Fraction(count).limit_denominator() for element, count in parent.items()}
        changed = integer_formula({**amounts, settings.species: amount})
        if changed is not None:
            yield _candidate(source, changed, states, fraction=fraction, settings=settings)


def _candidate(
    parent: Parent,
    formula: str,
    states: dict[str, float],
    *,
    fraction: float,
    settings: CandidateSettings,
) -> CandidateComposition:
    composition = Composition(formula)
    kept = {element.symbol: states[element.symbol] for element in composition}
    imbalance = total_charge(composition, kept)
    balanced = (kept, "") if abs(imbalance) < NEUTRAL else compensate(composition, kept)
    if balanced is not None:
        reason = f"{imbalance:+.3g} e per {formula} compensated by {balanced[1]}" if balanced[1] else "charge balanced"
    elif settings.allow_charge_imbalance:
        reason = f"{imbalance:+.3g} e per {formula} is not compensated, allowed by the settings"
    else:
        reason = f"{imbalance:+.3g} e per {formula}: no redox-active element can compensate it"
    final, compensation = balanced or (kept, "")
    return CandidateComposition(
        formula=formula,
        parent=parent,
        change=Change.LITHIUM_REMOVED if fraction < 0 else Change.LITHIUM_ADDED,
        description=f"{settings.species} content {fraction:+.0%}",
        oxidation_states=final,
        charge_imbalance_e=imbalance,
        compensation=compensation,
        reasons=(reason,),
        accepted=balanced is not None or settings.allow_charge_imbalance,
        structure=_crystal(parent, fraction, settings=settings),
    )


def _crystal(parent: Parent, fraction: float, *, settings: CandidateSettings) -> Structure | None:
    if parent.structure is None or fraction > 0:
        return None
    share = Fraction(-fraction).limit_denominator(FINEST_DENOMINATOR)
    return without_share(parent.structure, settings.species, share=share, most_atoms=settings.greatest_crystal)
