"""Proposal of candidate compositions from crystals, with parent, change, charge and reasons."""

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
    """Derive compositions from crystals: unchanged, with more or less lithium, or isovalently substituted.

    Args:
        crystals: structures, compositions, formulas, or parents with a band gap and a fingerprint.
        settings: fractions and limits; the defaults of `CandidateSettings` when None.
        seed: seed of the draw among accepted candidates where `settings.limit` is smaller than their number.

    Returns:
        Each formula once: the accepted ones in the order unchanged, lithium content, substitution, then by similarity,
        then by formula; the rejected ones follow with their reasons.

    Raises:
        InputError: a formula cannot be read.
    """
    limits = settings or CandidateSettings()
    parents = sorted((_parent(crystal) for crystal in crystals), key=lambda parent: parent.formula)
    gaps = dict(limits.known_gaps_eV)
    gaps.update({parent.formula: parent.band_gap_eV for parent in parents if parent.band_gap_eV is not None})
    derived = [candidate for parent in parents for candidate in _derive(parent, gaps=gaps, settings=limits)]
    ordered = sorted(derived, key=_rank)
    once = list({candidate.formula: candidate for candidate in reversed(ordered)}.values())
    accepted = sorted((candidate for candidate in once if candidate.accepted), key=_rank)
    rejected = sorted((candidate for candidate in once if not candidate.accepted), key=_rank)
    if limits.limit is not None and limits.limit < len(accepted):
        accepted = sorted(random.Random(seed).sample(accepted, limits.limit), key=_rank)  # noqa: S311 - no secret
    return accepted + rejected


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
        return [_unchanged(parent, {}, reason="no charge-neutral oxidation states", accepted=False)]
    candidates = [
        _unchanged(parent, states, reason="charge balanced", accepted=True),
        *lithium_changes(parent, states, settings=settings),
        *substitutions(parent, states, settings=settings),
    ]
    return [_limited(candidate, parent, gaps=gaps, settings=settings) for candidate in candidates]


def _unchanged(parent: Parent, states: dict[str, float], *, reason: str, accepted: bool) -> CandidateComposition:
    return CandidateComposition(
        formula=parent.formula,
        parent=parent,
        change=Change.NONE,
        description="unchanged",
        oxidation_states=states,
        charge_imbalance_e=0.0,
        reasons=(reason,),
        accepted=accepted,
        structure=parent.structure,
    )


def _limited(
    candidate: CandidateComposition,
    parent: Parent,
    *,
    gaps: dict[str, float],
    settings: CandidateSettings,
) -> CandidateComposition:
    """Apply the limits on size, mobile ion and band gap, that of the parent where its own is unknown."""
    formula = candidate.formula if candidate.formula in gaps else parent.formula
    gap = gaps.get(formula)
    composition = Composition(candidate.formula)
    faults = []
    if gap is not None and gap < settings.least_gap_eV:
        faults.append(f"band gap of {formula} is {gap:.2f} eV, below {settings.least_gap_eV:g} eV")
    if settings.species not in composition:
        faults.append(f"contains no {settings.species}")
    if composition.num_atoms > settings.greatest_atoms:
        faults.append(f"{composition.num_atoms:.0f} atoms in one formula unit, more than {settings.greatest_atoms}")
    comment = "band gap unknown" if gap is None else f"band gap {gap:.2f} eV ({formula})"
    return replace(
        candidate,
        band_gap_eV=gap,
        reasons=(*candidate.reasons, *(faults or (comment,))),
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
