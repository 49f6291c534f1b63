"""Pairs of labels of the same cell by two potentials, and the model error that they show."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from vitrion.database.queries.filters import LabelFilters
from vitrion.database.queries.label_cases import cases_of_labels, typical_volume
from vitrion.database.queries.quantity import COMPUTED, WEAK, Quantity, require_one
from vitrion.database.records import LabelRecord
from vitrion_models.errors import InputError
from vitrion_workflows.model_error.anion_classes import anion_class
from vitrion_workflows.model_error.model_errors import ModelErrors
from vitrion_workflows.model_error.observations import PotentialPair
from vitrion_workflows.schemas import LabelState
from vitrion_workflows.schemas.label import GATE_VERSION

if TYPE_CHECKING:
    from vitrion.database.database import Database

FEWEST_OF_A_CLASS = 4
EVERY_CLASS = "all"


class Cell(NamedTuple):
    """Structure, mobile species and temperature of a label, and the volume per atom (A3) that it was scaled to, or 0.

    D goes as the volume: labels of one structure at several volumes are no repetitions of each other.
    """

    structure_fingerprint: str
    species: str
    temperature_K: float
    volume_A3_per_atom: float


@dataclass(frozen=True)
class LabelPair:
    """Labels of the same structure, volume, species and temperature by two potentials.

    Attributes:
        structure_fingerprint, species, temperature_K, reduced_formula: of both labels.
        chemistry: class of anion, see `vitrion_workflows.model_error.anion_classes.anion_class`.
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
        """log10(second / first), in decades."""
        return self.second - self.first

    @property
    def stderr(self) -> float:
        """Standard error of the difference, in decades."""
        return math.hypot(self.first_stderr, self.second_stderr)


def label_pairs(db: "Database", first: str, second: str, **filters: Any) -> tuple[LabelPair, ...]:
    """Return the accepted labels of the same structure, volume, species and temperature by two potentials.

    Args:
        db: the database.
        first: production potential.
        second: reference potential.
        filters: see `vitrion.database.queries.filters.LabelFilters`, but for potential and state.

    Raises:
        InputError: the potentials are the same, or the labels are of several quantities (other weights of one
            potential) or gate versions.
    """
    if first == second:
        raise InputError(f"{first} cannot be compared with itself: give two potentials")
    pairs = _common_labels(db, first, second, filters)
    if pairs:
        ours = [row for rows, _ in pairs.values() for row in rows]
        theirs = [row for _, rows in pairs.values() for row in rows]
        for rows in (ours, theirs):
            # Each pair is of one species and volume.
            fields = ("species", "isotopes", "start", "volume", "protocol")
            require_one(rows, across=fields, purpose="compared", mixable=False)
        _require_one_version([*ours, *theirs])
    return tuple(_pair(key, rows, others) for key, (rows, others) in pairs.items())


def _require_one_version(rows: Sequence[LabelRecord]) -> None:
    # One version for each potential is not enough: the difference of the versions would be taken for the potentials'.
    versions = sorted({row.gate_version for row in rows if row.gate_version is not None})
    if len(versions) > 1:
        raise InputError(
            f"labels of gate versions {' and '.join(map(str, versions))} cannot be compared: choose one by gate_version"
        )


def _common_labels(
    db: "Database", first: str, second: str, filters: Mapping[str, Any]
) -> dict[Cell, tuple[list[LabelRecord], list[LabelRecord]]]:
    """Return the labels that both potentials have, by cell."""
    ours, theirs = (
        _by_cell(row for row in db.labels.search(**_common(filters) | {"potential": name}) if _measured(row))
        for name in (first, second)
    )
    return {key: (ours[key], theirs[key]) for key in sorted(ours.keys() & theirs.keys())}


def _common(filters: Mapping[str, Any]) -> dict[str, Any]:
    return {"property": "tracer_diffusivity"} | dict(filters) | {"state": LabelState.ACCEPTED.value}


def by_chemistry(pairs: Sequence[LabelPair]) -> dict[str, list[LabelPair]]:
    """Return the pairs by class of anion, for classes with enough of them, and all pairs last."""
    classes: defaultdict[str, list[LabelPair]] = defaultdict(list)
    for pair in pairs:
        classes[pair.chemistry].append(pair)
    enough = {name: members for name, members in sorted(classes.items()) if len(members) >= FEWEST_OF_A_CLASS}
    return {**enough, EVERY_CLASS: list(pairs)}


def systematic_errors(
    db: "Database",
    potential: str,
    weights_sha256: str,
    *,
    species: str,
    campaign: str | None = None,
    without: Collection[str] = (),
) -> ModelErrors:
    """Return the systematic error of a potential, from AIMD and from reference potentials in this database.

    Only labels of the current gate version are used.

    Args:
        db: with the labels of the reference potentials.
        potential: registry name.
        weights_sha256: of its weights.
        species: mobile species.
        campaign: use the labels of this campaign only, so that its decisions do not depend on others.
        without: reduced formulas to leave out, such as those of a frozen test.
    """
    asked: LabelFilters = {"property": "tracer_diffusivity", "accepted": True, "gate_version": GATE_VERSION}
    if campaign is not None:
        asked["campaign"] = campaign
    stored = db.labels.quantities(**asked)
    computed = {(quantity.potential, quantity.weights_sha256) for quantity in stored if quantity.source == COMPUTED}
    own = (potential, weights_sha256)
    first = _accepted_by(db, *own, species=species, asked=asked) if own in computed else {}
    pairs = [
        PotentialPair(
            compound=pair.reduced_formula,
            elements=frozenset(elements),
            temperature_K=pair.temperature_K,
            reference=other[0],
            reference_sha256=other[1],
            log10_ratio=-pair.difference,
            stderr=pair.stderr,
            force_r2=r2,
        )
        for other in sorted(computed - {own} if first else ())
        for pair, elements, r2 in _shared(first, _accepted_by(db, *other, species=species, asked=asked))
        if pair.reduced_formula not in without
    ]
    labelled = [row for rows in first.values() for row in rows]
    volume = typical_volume(cases_of_labels(db, labelled))
    return ModelErrors.of(potential, weights_sha256, pairs=pairs, volume=volume, species=species)


def _accepted_by(
    db: "Database", potential: str, weights_sha256: str, *, species: str, asked: LabelFilters
) -> dict[Cell, list[LabelRecord]]:
    mine: LabelFilters = {**asked, "potential": potential, "weights_sha256": weights_sha256}
    rows = db.labels.search(**mine)
    # Strong friction slows the ions: that is not an error of the potential.
    return _by_cell(
        row
        for row in rows
        if row.species == species and _measured(row) and not row.dataset and Quantity.of(row).thermostat == WEAK
    )


def _shared(
    first: Mapping[Cell, list[LabelRecord]], second: Mapping[Cell, list[LabelRecord]]
) -> list[tuple[LabelPair, tuple[str, ...], float | None]]:
    """Return the pairs of labels by two potentials, with the elements and the R2 of forces of the first."""
    return [
        (_pair(key, first[key], second[key]), first[key][0].elements, _force_r2(first[key]))
        for key in sorted(first.keys() & second.keys())
    ]


def _force_r2(rows: Sequence[LabelRecord]) -> float | None:
    checked = [row.force_check.agreement.r2 for row in rows if row.force_check and row.force_check.agreement]
    return sum(checked) / len(checked) if checked else None


def _measured(row: LabelRecord) -> bool:
    return row.structure_fingerprint is not None and row.log10_value is not None and bool(row.log10_stderr)


def _by_cell(rows: Iterable[LabelRecord]) -> dict[Cell, list[LabelRecord]]:
    labels: defaultdict[Cell, list[LabelRecord]] = defaultdict(list)
    for row in rows:
        volume = row.start.volume_A3_per_atom if row.start else None
        labels[Cell(str(row.structure_fingerprint), row.species, row.temperature_K, volume or 0.0)].append(row)
    return dict(labels)


def _pair(cell: Cell, first: list[LabelRecord], second: list[LabelRecord]) -> LabelPair:
    (first_mean, first_stderr), (second_mean, second_stderr) = _mean(first), _mean(second)
    return LabelPair(
        cell.structure_fingerprint,
        cell.species,
        cell.temperature_K,
        reduced_formula=first[0].reduced_formula,
        chemistry=anion_class(first[0].elements),
        first=first_mean,
        first_stderr=first_stderr,
        second=second_mean,
        second_stderr=second_stderr,
    )


def _mean(rows: Sequence[LabelRecord]) -> tuple[float, float]:
    """Return the weighted mean of log10 values and its standard error."""
    weights = [1 / (row.log10_stderr or math.inf) ** 2 for row in rows]
    mean = sum(weight * (row.log10_value or 0.0) for weight, row in zip(weights, rows, strict=True)) / sum(weights)
    return mean, sum(weights) ** -0.5
