"""The pool of candidates that can be labelled next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from vitrion.database import Database
from vitrion_models.surrogates import Material
from vitrion_workflows.schemas import StructureKind
from vitrion_workflows.structure.composition import parse_formula


@dataclass(frozen=True, eq=False)
class Candidate:
    """A cell, or a composition whose cell is still to be made, that can be labelled.

    Attributes:
        formula: reduced formula.
        fingerprint: of the accepted amorphous cell, or of the crystal to make a cell from; None where only the
            composition is known.
        is_cell: True for an amorphous cell.
        material: input of the surrogate: the cell, the crystal, or the composition.
        proposed_K: temperatures proposed already.
    """

    formula: str
    fingerprint: str | None
    is_cell: bool
    material: Material
    proposed_K: frozenset[float]


def build_pool(
    db: Database,
    *,
    campaign: str,
    crystals: Mapping[str, str | None],
    proposed_K: Mapping[str, frozenset[float]],
    temperatures_K: Sequence[float],
) -> list[Candidate]:
    """Return the accepted amorphous cells, then the compositions without one, that have a temperature left.

    Args:
        db: database of the campaign.
        campaign: its name.
        crystals: fingerprint of the crystal (or None) of each reduced formula that may be proposed.
        proposed_K: temperatures proposed already, by fingerprint of the cell.
        temperatures_K: temperatures at which cells may be labelled.
    """
    cells = [
        row
        for row in db.structures.search(campaign=campaign, kind=StructureKind.AMORPHOUS.value, sort="fingerprint")
        if row.accepted and row.reduced_formula in crystals
    ]
    formulas_with_cell = {row.reduced_formula for row in cells}
    without_cell = {name: twin for name, twin in sorted(crystals.items()) if name not in formulas_with_cell}
    systems = db.structures.systems(
        [*(row.fingerprint for row in cells), *(twin for twin in without_cell.values() if twin is not None)]
    )
    candidates = [
        Candidate(
            formula=row.reduced_formula,
            fingerprint=row.fingerprint,
            is_cell=True,
            material=systems[row.fingerprint],
            proposed_K=proposed_K.get(row.fingerprint, frozenset()),
        )
        for row in cells
    ]
    candidates += [
        Candidate(
            formula=formula,
            fingerprint=twin,
            is_cell=False,
            material=amounts(formula) if twin is None else systems[twin],
            proposed_K=frozenset(),
        )
        for formula, twin in without_cell.items()
    ]
    return [candidate for candidate in candidates if set(temperatures_K) - candidate.proposed_K]


def amounts(formula: str) -> dict[int, float]:
    """Return the amounts in a formula by atomic number: the surrogate's input where there is no structure."""
    return {element.Z: float(amount) for element, amount in parse_formula(formula).items()}


def elements_of(formula: str) -> frozenset[str]:
    """Return the chemical symbols in a formula."""
    return frozenset(element.symbol for element in parse_formula(formula).elements)
