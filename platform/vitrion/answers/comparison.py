"""Comparison of two potentials by their labels of the same cells: model error by class of chemistry."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vitrion.answers.answer import Answer, Range
from vitrion.database.queries.comparison import by_chemistry, label_pairs
from vitrion.database.queries.gate_versions import summarize_others
from vitrion_models.errors import InputError
from vitrion_models.uncertainty.disagreement import FEWEST_PAIRS, disagreement

if TYPE_CHECKING:
    from vitrion.database import Database


class PotentialComparison(Answer):
    """Differences log10(D of the second / D of the first) over the pairs of one class of chemistry, in decades.

    `offset` and `spread` exclude the statistical errors of the labels, whose root mean square is `statistical`;
    `model_error` is offset and spread together. `other_gate_versions` counts the labels left out, by version.
    """

    chemistry: str
    first: str
    second: str
    pairs: int
    offset_decades: float
    offset_95: Range
    spread_decades: float
    spread_95: Range
    statistical_decades: float
    model_error_decades: float
    other_gate_versions: dict[int, int]


def compare_potentials(db: "Database", first: str, second: str, **filters: Any) -> tuple[PotentialComparison, ...]:
    """Compare two potentials, by class of chemistry where there are enough pairs, and over all pairs last.

    Args:
        db: where the labels are.
        first: production potential.
        second: reference potential.
        filters: see `vitrion.database.queries.filters.LabelFilters`, but for potential and state.

    Raises:
        InputError: the same potential twice, too few pairs, or a mixture of quantities or gate versions.
    """
    pairs = label_pairs(db, first, second, **filters)
    query = {**filters, "potential": [first, second], "accepted": True}
    others = {} if "gate_version" in filters else db.labels.count_other_versions(**query)
    if len(pairs) < FEWEST_PAIRS:
        left_out = f"; left out: {summarize_others(others)}" if others else ""
        raise InputError(
            f"{first} and {second} have {len(pairs)} accepted labels of the same structure, species and temperature: "
            f"a comparison needs {FEWEST_PAIRS}{left_out}"
        )
    rows = []
    for chemistry, members in by_chemistry(pairs).items():
        result = disagreement([pair.difference for pair in members], [pair.stderr for pair in members])
        names = {"chemistry": chemistry, "first": first, "second": second, "other_gate_versions": others}
        rows.append(PotentialComparison(**names, **asdict(result), model_error_decades=result.model_error_decades))
    return tuple(rows)
