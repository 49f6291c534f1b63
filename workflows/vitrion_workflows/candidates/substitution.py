"""Isovalent substitution: ions of equal charge and similar size that replace each other in known crystals."""

import math
import warnings
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from typing import Any

from pymatgen.core.composition import Composition
from pymatgen.core.periodic_table import Species
from pymatgen.core.structure import Structure

from vitrion_workflows.candidates.candidate import CandidateComposition, Change, Parent
from vitrion_workflows.candidates.crystal import with_share
from vitrion_workflows.candidates.integer_formula import integer_formula
from vitrion_workflows.candidates.oxidation import REDOX_STATES, total_charge
from vitrion_workflows.candidates.settings import CandidateSettings

FINEST_DENOMINATOR = 12
INTEGER_TOLERANCE = 1e-6


@lru_cache(maxsize=1)
def _table() -> Any:
    # Slow to import and to read.
    from pymatgen.analysis.structure_prediction.substitution_probability import SubstitutionProbability  # noqa: PLC0415

    return SubstitutionProbability()


def similarity(ion: Species, other: Species) -> float:
    """Return the probability ratio of two ions replacing each other in one structure type.

    P(a, b) / (P(a) P(b)) of G. Hautier et al., Inorg. Chem. 50, 656 (2011); zero where the table lacks an ion.
    """
    table = _table()
    if not {ion, other} <= set(table.species):
        return 0.0
    try:
        return float(table.pair_corr(ion, other))
    except ZeroDivisionError:  # the table lists the ion without any occurrence
        return 0.0


def radius_mismatch(ion: Species, other: Species) -> float:
    """Return the relative difference of two ionic radii; infinite where one is not tabulated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        radius, other_radius = ion.ionic_radius, other.ionic_radius
    return math.inf if radius is None or other_radius is None else abs(float(other_radius) / float(radius) - 1)


def replacements(ion: Species, *, settings: CandidateSettings) -> list[tuple[str, float]]:
    """List the elements that may replace an ion, the most probable first.

    A redox-active element replaces only another one: elsewhere it would make the compound an electronic conductor.

    Args:
        ion: element with an integer oxidation state.
        settings: limits on similarity, radius, elements and number.

    Returns:
        (element, similarity) pairs.
    """
    excluded = {*settings.excluded_elements, settings.species, ion.symbol}
    if ion.symbol not in REDOX_STATES:
        excluded |= REDOX_STATES.keys()
    pairs = [
        (other.symbol, similarity(ion, other))
        for other in _table().species
        if other.oxi_state == ion.oxi_state
        and other.symbol not in excluded
        and other.oxi_state in other.element.common_oxidation_states
        and radius_mismatch(ion, other) <= settings.greatest_radius_mismatch
    ]
    likely = [pair for pair in pairs if pair[1] >= settings.least_similarity]
    return sorted(likely, key=lambda pair: (-pair[1], pair[0]))[: settings.substitutes]


def substitutions(
    source: Parent,
    states: dict[str, float],
    *,
    settings: CandidateSettings,
) -> Iterator[CandidateComposition]:
    """Generate candidates in which a share of one ion is replaced at equal charge.

    Args:
        source: the parent.
        states: mean oxidation states in the parent; ions of mixed valence are kept.
        settings: fractions and limits.
    """
    amounts = {
        element.symbol: Fraction(amount).limit_denominator() for element, amount in Composition(source.formula).items()
    }
    for symbol in sorted(amounts):
        state = round(states[symbol])
        if symbol == settings.species or abs(states[symbol] - state) > INTEGER_TOLERANCE or state == 0:
            continue
        for substitute, ratio in replacements(Species(symbol, state), settings=settings):
            if substitute in amounts:
                continue
            for share in settings.substitution_fractions:
                part = Fraction(share).limit_denominator(FINEST_DENOMINATOR)
                changed = integer_formula(
                    {**amounts, symbol: amounts[symbol] * (1 - part), substitute: amounts[symbol] * part},
                )
                if changed is None:
                    continue
                kept = {element: states.get(element, float(state)) for element in Composition(changed).as_dict()}
                yield CandidateComposition(
                    formula=changed,
                    parent=source,
                    change=Change.SUBSTITUTED,
                    description=f"{symbol} -> {substitute} at {state:+d}, {share:.0%}",
                    oxidation_states=kept,
                    charge_imbalance_e=total_charge(Composition(changed), kept),
                    similarity=ratio,
                    reasons=(f"{substitute} replaces {symbol} {ratio:.1f} times as often as by chance",),
                    accepted=True,
                    structure=_crystal(source, symbol, substitute, share=part, states=kept | states, settings=settings),
                )


def _crystal(
    source: Parent,
    symbol: str,
    substitute: str,
    *,
    share: Fraction,
    states: dict[str, float],
    settings: CandidateSettings,
) -> Structure | None:
    if source.structure is None:
        return None
    most = settings.greatest_crystal
    return with_share(source.structure, symbol, substitute, share=share, states=states, most_atoms=most)
