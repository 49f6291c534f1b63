"""Labels of one question by two potentials: pairs, and the model error that they show."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from vitrion.database.queries.filters import LabelFilters
from vitrion.database.queries.quantity import COMPUTED, WEAK, Quantity, require_one
from vitrion.database.records import LabelRecord
from vitrion_models.errors import InputError
from vitrion_workflows.model_error.benchmark_errors import EVERY_CLASS, anion_class
from vitrion_workflows.model_error.compound_error import ModelErrors, PotentialPair
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.label import GATE_VERSION

if TYPE_CHECKING:
    from vitrion.database.database import Database

FEWEST_OF_A_CLASS = 4


@dataclass(frozen=True)
class LabelPair:
    """One question that two potentials answered.

    Attributes:
        structure_fingerprint, species, temperature_K, reduced_formula: the question.
        chemistry: class of anion, see `vitrion_workflows.model_error.benchmark_errors.anion_class`.
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
        filters: see `vitrion.database.queries.filters.LabelFilters`, but for potential and state.

    Raises:
        InputError: one potential twice, labels of pairs that are of several quantities (the weights of one
            potential) or of several gate versions.
    """
    if first == second:
        raise InputError(f"{first} cannot be compared with itself: name two potentials")
    pairs = _answered_by_both(db, first, second, filters)
    if pairs:
        ours = [row for one, _ in pairs.values() for row in one]
        theirs = [row for _, two in pairs.values() for row in two]
        for rows in (ours, theirs):
            require_one(rows, across=("species", "start", "protocol"), purpose="compared")
        _require_one_version([*ours, *theirs])
    return tuple(_pair(question, one, two) for question, (one, two) in pairs.items())


def _require_one_version(rows: Sequence[LabelRecord]) -> None:
    # One version for each potential is not enough: the difference of the versions would be taken for the potentials'.
    versions = sorted({row.gate_version for row in rows if row.gate_version is not None})
    if len(versions) > 1:
        raise InputError(
            f"labels of gate versions {' and '.join(map(str, versions))} cannot be compared: choose one by gate_version"
        )


def _answered_by_both(
    db: "Database", first: str, second: str, filters: Mapping[str, Any]
) -> dict[tuple[str, str, float], tuple[list[LabelRecord], list[LabelRecord]]]:
    """Labels of each question that both potentials answered."""
    one, two = (
        _by_question(row for row in db.labels.search(**_common(filters) | {"potential": name}) if _measured(row))
        for name in (first, second)
    )
    return {question: (one[question], two[question]) for question in sorted(one.keys() & two.keys())}


def _common(filters: Mapping[str, Any]) -> dict[str, Any]:
    return {"property": "tracer_diffusivity"} | dict(filters) | {"state": LabelState.ACCEPTED.value}


def by_chemistry(pairs: Sequence[LabelPair]) -> dict[str, list[LabelPair]]:
    """Pairs by class of anion where there are enough of one, and all of them last."""
    classes: defaultdict[str, list[LabelPair]] = defaultdict(list)
    for pair in pairs:
        classes[pair.chemistry].append(pair)
    enough = {name: found for name, found in sorted(classes.items()) if len(found) >= FEWEST_OF_A_CLASS}
    return {**enough, EVERY_CLASS: list(pairs)}


def systematic_errors(
    db: "Database",
    potential: str,
    weights_sha256: str,
    *,
    campaign: str | None = None,
    without: Collection[str] = (),
) -> ModelErrors:
    """What labels of a potential are off by beside their statistical errors: by AIMD, and by referees in this database.

    Only labels of the current gate version are used.

    Args:
        db: where the referees' labels are.
        potential: registry name.
        weights_sha256: of the weights that made the labels.
        campaign: only what this campaign asked, so that its decisions do not hang on what else is in the database.
        without: reduced formulas that are left out, such as those of a frozen test.
    """
    asked: LabelFilters = {"property": "tracer_diffusivity", "accepted": True, "gate_version": GATE_VERSION}
    if campaign is not None:
        asked["campaign"] = campaign
    made = db.labels.quantities(**asked)
    known = {(found.potential, found.weights_sha256) for found in made if found.source == COMPUTED}
    own = (potential, weights_sha256)
    first = _accepted_by(db, *own, asked=asked) if own in known else {}
    pairs = [
        PotentialPair(
            compound=pair.reduced_formula,
            elements=frozenset(elements),
            temperature_K=pair.temperature_K,
            reference=other[0],
            reference_sha256=other[1],
            log10_ratio=-pair.difference,
            stderr=pair.stderr,
        )
        for other in sorted(known - {own} if first else ())
        for pair, elements in _shared(first, _accepted_by(db, *other, asked=asked))
        if pair.reduced_formula not in without
    ]
    return ModelErrors.of(potential, weights_sha256, pairs=pairs)


def _accepted_by(
    db: "Database", potential: str, weights_sha256: str, *, asked: LabelFilters
) -> dict[tuple[str, str, float], list[LabelRecord]]:
    mine: LabelFilters = {**asked, "potential": potential, "weights_sha256": weights_sha256}
    rows = db.labels.search(**mine)
    # Strong friction slows the ions themselves: that is no error of the potential.
    return _by_question(
        row for row in rows if _measured(row) and not row.dataset and Quantity.of(row).thermostat == WEAK
    )


def _shared(
    first: Mapping[tuple[str, str, float], list[LabelRecord]],
    second: Mapping[tuple[str, str, float], list[LabelRecord]],
) -> list[tuple[LabelPair, tuple[str, ...]]]:
    """Questions that both answered, with the elements of each."""
    return [
        (_pair(question, first[question], second[question]), first[question][0].elements)
        for question in sorted(first.keys() & second.keys())
    ]


def _measured(row: LabelRecord) -> bool:
    return row.structure_fingerprint is not None and row.log10_value is not None and bool(row.log10_stderr)


def _by_question(rows: Iterable[LabelRecord]) -> dict[tuple[str, str, float], list[LabelRecord]]:
    found: defaultdict[tuple[str, str, float], list[LabelRecord]] = defaultdict(list)
    for row in rows:
        found[str(row.structure_fingerprint), row.species, row.temperature_K].append(row)
    return dict(found)


def _pair(question: tuple[str, str, float], first: list[LabelRecord], second: list[LabelRecord]) -> LabelPair:
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


def _mean(rows: Sequence[LabelRecord]) -> tuple[float, float]:
    """Weighted mean of log10 values and its standard error."""
    weights = [1 / (row.log10_stderr or math.inf) ** 2 for row in rows]
    mean = sum(weight * (row.log10_value or 0.0) for weight, row in zip(weights, rows, strict=True)) / sum(weights)
    return mean, sum(weights) ** -0.5
