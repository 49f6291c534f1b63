"""From crystals to compositions worth making, each with its parent, its change, its charge and its reasons."""

import random
from collections.abc import Iterable
from dataclasses import replace

from pymatgen.core.composition import Composition
from pymatgen.core.structure import Structure

from vitrion_workflows.candidates.candidate import CandidateComposition, Change, Parent
from vitrion_workflows.candidates.integer_formula import reduced_formula
from vitrion_workflows.candidates.lithium import lithium_changes
from vitrion_workflows.candidates.oxidation import oxidation_states
from vitrion_workflows.candidates.settings import CandidateSettings
from vitrion_workflows.candidates.substitution import substitutions
from vitrion_workflows.schemas import fingerprint

Crystal = Structure | Composition | Parent | str


def propose_compositions(
    crystals: Iterable[Crystal],
    *,
    settings: CandidateSettings | None = None,
    seed: int,
) -> list[CandidateComposition]:
    """Compositions derived from crystals: unchanged, with more or less lithium, isovalently substituted.

    Args:
        crystals: structures, compositions, formulas, or parents that carry a gap and a fingerprint.
        settings: fractions and limits; the defaults of `CandidateSettings` when None.
        seed: draws the accepted candidates when `settings.limit` asks for fewer than there are.

    Returns:
        Every formula once, accepted ones first, in the order unchanged, lithium content, substitution, then
        likeliest first, then by formula. Refused ones follow with their reasons.

    Raises:
        InputError: a crystal's formula cannot be read.
    """
    limits = settings or CandidateSettings()
    parents = sorted((_parent(crystal) for crystal in crystals), key=lambda parent: parent.formula)
    gaps = dict(limits.known_gaps_eV)
    gaps.update({parent.formula: parent.band_gap_eV for parent in parents if parent.band_gap_eV is not None})
    derived = [candidate for parent in parents for candidate in _derive(parent, gaps=gaps, settings=limits)]
    ordered = sorted(derived, key=_rank)
    once = list({candidate.formula: candidate for candidate in reversed(ordered)}.values())
    accepted = sorted((candidate for candidate in once if candidate.accepted), key=_rank)
    refused = sorted((candidate for candidate in once if not candidate.accepted), key=_rank)
    if limits.limit is not None and limits.limit < len(accepted):
        accepted = sorted(random.Random(seed).sample(accepted, limits.limit), key=_rank)  # noqa: S311 - no secret
    return accepted + refused


def _parent(crystal: Crystal) -> Parent:
    if isinstance(crystal, Structure):
        formula = reduced_formula(crystal.composition.element_composition)
        return Parent(formula=formula, fingerprint=fingerprint(crystal), structure=crystal)
    if isinstance(crystal, Parent):
        return replace(crystal, formula=reduced_formula(crystal.formula))
    return Parent(formula=reduced_formula(crystal))


def _derive(
    parent: Parent,
    *,
    gaps: dict[str, float],
    settings: CandidateSettings,
) -> list[CandidateComposition]:
    states = oxidation_states(parent.formula)
    if states is None:
        return [_unchanged(parent, {}, reason="no charge-neutral oxidation states are known", accepted=False)]
    found = [
        _unchanged(parent, states, reason="charge balanced", accepted=True),
        *lithium_changes(parent, states, settings=settings),
        *substitutions(parent, states, settings=settings),
    ]
    return [_judged(candidate, parent, gaps=gaps, settings=settings) for candidate in found]


def _unchanged(parent: Parent, states: dict[str, float], *, reason: str, accepted: bool) -> CandidateComposition:
    return CandidateComposition(
        formula=parent.formula,
        parent=parent,
        change=Change.NONE,
        description="as it is",
        oxidation_states=states,
        charge_imbalance_e=0.0,
        reasons=(reason,),
        accepted=accepted,
        structure=parent.structure,
    )


def _judged(
    candidate: CandidateComposition,
    parent: Parent,
    *,
    gaps: dict[str, float],
    settings: CandidateSettings,
) -> CandidateComposition:
    """Hold size, mobile ion and the best-known gap against the limits: the candidate's own, or else its parent's."""
    own = gaps.get(candidate.formula)
    gap, whose = (own, candidate.formula) if own is not None else (gaps.get(parent.formula), parent.formula)
    composition = Composition(candidate.formula)
    faults = []
    if gap is not None and gap < settings.least_gap_eV:
        faults.append(f"gap of {whose} is {gap:.2f} eV, at least {settings.least_gap_eV:g} eV wanted")
    if settings.species not in composition:
        faults.append(f"no {settings.species} in it")
    if composition.num_atoms > settings.greatest_atoms:
        faults.append(f"{composition.num_atoms:.0f} atoms in one formula, at most {settings.greatest_atoms} wanted")
    known = "gap unknown" if gap is None else f"gap {gap:.2f} eV ({whose})"
    return replace(
        candidate,
        band_gap_eV=gap,
        reasons=(*candidate.reasons, *(faults or (known,))),
        accepted=candidate.accepted and not faults,
    )


_ORDER = {change: place for place, change in enumerate(Change)}


def _rank(candidate: CandidateComposition) -> tuple[bool, int, float, str, str]:
    return (
        not candidate.accepted,
        _ORDER[candidate.change],
        -candidate.similarity,
        candidate.formula,
        candidate.parent.formula,
    )
