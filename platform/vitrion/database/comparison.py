"""Labels of one question by two potentials: pairs, and the model error that they show."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vitrion.database.quantity import require_one
from vitrion.database.rows import LabelRow
from vitrion_models.errors import InputError
from vitrion_models.uncertainty import disagreement
from vitrion_models.uncertainty.disagreement import FEWEST_PAIRS
from vitrion_workflows.potentials.trust import EVERY_CLASS, anion_class, model_error
from vitrion_workflows.schemas import LabelState

if TYPE_CHECKING:
    from vitrion.database.database import Database

FEWEST_OF_A_CLASS = 4


@dataclass(frozen=True)
class LabelPair:
    """One question that two potentials answered.

    Attributes:
        structure_fingerprint, species, temperature_K, reduced_formula: the question.
        chemistry: class of anion, see `vitrion_workflows.potentials.trust.anion_class`.
        first, second: log10 of the value, weighted mean over seeds.
        first_stderr, second_stderr: statistical standard errors, decades.
    """

    structure_fingerprint: str
    species: str
    temperature_K: float
    reduced_formula: str
    chemistry: str
    first: float
    first_stderr: float
    second: float
    second_stderr: float

    @property
    def difference(self) -> float:
        """log10(second / first)."""
        return self.second - self.first

    @property
    def stderr(self) -> float:
        """Standard error of the difference."""
        return math.hypot(self.first_stderr, self.second_stderr)


def label_pairs(db: "Database", first: str, second: str, **filters: Any) -> tuple[LabelPair, ...]:
    """Accepted labels of the same structure, species and temperature by two potentials.

    Args:
        db: where from.
        first: potential that is judged, the workhorse.
        second: potential it is judged by, the referee.
        filters: see `vitrion.database.filters.LabelFilters`, but for potential and state.

    Raises:
        InputError: one potential twice, or labels of one potential that are of several quantities (its weights).
    """
    if first == second:
        raise InputError(f"{first} cannot be compared with itself: name two potentials")
    asked: dict[str, dict[tuple[str, str, float], list[LabelRow]]] = {}
    common = {"property": "tracer_diffusivity"} | filters | {"state": LabelState.ACCEPTED.value}
    for name in (first, second):
        rows = [row for row in db.labels.search(**common | {"potential": name}) if _measured(row)]
        if rows:
            require_one(rows, across=("species", "start", "thermostat"), purpose="compared")
        asked[name] = _by_question(rows)
    return tuple(
        _pair(question, asked[first][question], asked[second][question])
        for question in sorted(asked[first].keys() & asked[second].keys())
    )


def by_chemistry(pairs: Sequence[LabelPair]) -> dict[str, list[LabelPair]]:
    """Pairs by class of anion where there are enough of one, and all of them last."""
    classes: defaultdict[str, list[LabelPair]] = defaultdict(list)
    for pair in pairs:
        classes[pair.chemistry].append(pair)
    enough = {name: found for name, found in sorted(classes.items()) if len(found) >= FEWEST_OF_A_CLASS}
    return {**enough, EVERY_CLASS: list(pairs)}


def model_error_decades(db: "Database", potential: str, elements: Collection[str]) -> tuple[float, str] | None:
    """What labels of a potential may be off beside their statistical errors, and by whose word.

    Ab initio molecular dynamics where the potential was compared with it (its class of compounds, else all), otherwise
    the potential that judged most of its labels in this database.

    Args:
        db: where the referees' labels are.
        potential: registry name.
        elements: of the compound.

    Returns:
        Offset and spread together, in decades, and ``aimd`` or the referee's name; None where nothing is known, which
        is not zero.
    """
    published = model_error(potential, elements)
    if published is not None:
        return math.hypot(published.median_log10, published.spread_log10), "aimd"
    others = {quantity.potential for quantity in db.labels.quantities(accepted=True) if quantity.start == "workhorse"}
    found = [(label_pairs(db, potential, other), other) for other in sorted(others - {potential})]
    pairs, referee = max(found, key=lambda entry: len(entry[0]), default=((), ""))
    if len(pairs) < FEWEST_PAIRS:
        return None
    whole = disagreement([pair.difference for pair in pairs], [pair.stderr for pair in pairs])
    return whole.model_error_decades, referee


def _measured(row: LabelRow) -> bool:
    return row.structure_fingerprint is not None and row.log10_value is not None and bool(row.log10_stderr)


def _by_question(rows: Iterable[LabelRow]) -> dict[tuple[str, str, float], list[LabelRow]]:
    found: defaultdict[tuple[str, str, float], list[LabelRow]] = defaultdict(list)
    for row in rows:
        found[str(row.structure_fingerprint), row.species, row.temperature_K].append(row)
    return dict(found)


def _pair(question: tuple[str, str, float], first: list[LabelRow], second: list[LabelRow]) -> LabelPair:
    (one, one_error), (two, two_error) = _mean(first), _mean(second)
    return LabelPair(
        *question,
        reduced_formula=first[0].reduced_formula,
        chemistry=anion_class(first[0].elements),
        first=one,
        first_stderr=one_error,
        second=two,
        second_stderr=two_error,
    )


def _mean(rows: Sequence[LabelRow]) -> tuple[float, float]:
    """Weighted mean of log10 values and its standard error."""
    weights = [1 / (row.log10_stderr or math.inf) ** 2 for row in rows]
    mean = sum(weight * (row.log10_value or 0.0) for weight, row in zip(weights, rows, strict=True)) / sum(weights)
    return mean, sum(weights) ** -0.5
