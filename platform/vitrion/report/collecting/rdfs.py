"""Radial distribution functions of quenched and generated cells of the same formula."""

from collections import defaultdict
from collections.abc import Mapping

from pymatgen.core.periodic_table import Element

from vitrion.database import Database
from vitrion.database.records import StructureRecord
from vitrion.report.data import RdfComparison
from vitrion_models.system import AtomicSystem
from vitrion_workflows import analysis
from vitrion_workflows.schemas import Origin
from vitrion_workflows.structure.composition import parse_formula

CUTOFF_A = 6.0
BINS = 60
MOST_FORMULAS = 6


def compare_rdfs(db: Database, cells: Mapping[str, StructureRecord], *, species: str) -> tuple[RdfComparison, ...]:
    """Return one comparison for each formula with accepted cells, those with cells of both kinds first.

    Args:
        db: where the geometry is.
        cells: cells of the campaign.
        species: mobile species; paired with the most electronegative other element.
    """
    groups: defaultdict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in cells.values():
        if row.accepted and len(row.elements) > 1:
            groups[row.reduced_formula][row.origin].append(row.fingerprint)
    order = sorted(groups, key=lambda formula: (-len(groups[formula]), formula))
    return tuple(_compare(db, formula, groups[formula], species) for formula in order[:MOST_FORMULAS])


def _compare(db: Database, formula: str, group: Mapping[str, list[str]], species: str) -> RdfComparison:
    others = [element for element in parse_formula(formula).elements if element.symbol != species]
    partner = max(others, key=lambda element: element.X)
    pair = Element(species).Z, partner.Z
    curves = {
        origin: tuple(partial_rdf(db.structures.system(fingerprint), pair) for fingerprint in group.get(origin, ()))
        for origin in (Origin.MELT_QUENCH.value, Origin.GENERATED.value)
    }
    width = CUTOFF_A / BINS
    return RdfComparison(
        formula=formula,
        pair=f"{species}-{partner.symbol}",
        r_A=tuple(float((place + 0.5) * width) for place in range(BINS)),
        quenched=curves[Origin.MELT_QUENCH.value],
        generated=curves[Origin.GENERATED.value],
    )


def partial_rdf(system: AtomicSystem, pair: tuple[int, int]) -> tuple[float, ...]:
    """Return g(r) of one cell for two different elements, shape (BINS,)."""
    centre, neighbour = (Element.from_Z(number).symbol for number in pair)
    rdf = analysis.partial_rdf(system, centre=centre, neighbour=neighbour, cutoff_A=CUTOFF_A, bin_A=CUTOFF_A / BINS)
    return tuple(float(value) for value in rdf.g)
