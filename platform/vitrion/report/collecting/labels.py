"""Labels of a campaign, and pairs of labels with the reference potential."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from vitrion.database import Database
from vitrion.database.queries.comparison import systematic_errors
from vitrion.database.queries.label_cases import cases_of_labels
from vitrion.database.queries.quantity import REFERENCE_ARM
from vitrion.database.records import CycleRecord, LabelRecord, StructureRecord
from vitrion.report import data
from vitrion_models.constants import Z_95
from vitrion_workflows.model_error.compound_error import CompoundError
from vitrion_workflows.model_error.effects import case_of
from vitrion_workflows.schemas import LabelState, Origin


def labels_of(
    db: Database, cycles: Sequence[CycleRecord]
) -> tuple[dict[str, LabelRecord], dict[str, Mapping[str, Any]]]:
    """Return the stored labels of a campaign and the proposal of each, both by label key.

    A label of several proposals belongs to the first.
    """
    proposals: dict[str, Mapping[str, Any]] = {}
    for cycle in cycles:
        for entry in cycle.proposals:
            key = entry.label_key
            if key is not None:
                proposals.setdefault(key, {**entry.model_dump(mode="json"), "cycle": cycle.index})
    stored = db.labels.find(list(proposals))
    return stored, {key: proposal for key, proposal in proposals.items() if key in stored}


def report_labels(
    stored: Mapping[str, LabelRecord],
    proposals: Mapping[str, Mapping[str, Any]],
    cells: Mapping[str, StructureRecord],
) -> tuple[data.Label, ...]:
    """Return the labels by the production potential, in the order of their proposals."""
    return tuple(
        _report_label(stored[key], proposal, cells)
        for key, proposal in proposals.items()
        if proposal["arm"] != REFERENCE_ARM
    )


def reference_pairs(
    stored: Mapping[str, LabelRecord], proposals: Mapping[str, Mapping[str, Any]]
) -> tuple[data.ReferencePair, ...]:
    """Return the accepted labels of the same cell and temperature by both potentials."""
    own = {
        (stored[key].structure_fingerprint, proposal["temperature_K"]): stored[key]
        for key, proposal in proposals.items()
        if proposal["arm"] != REFERENCE_ARM
    }
    pairs = []
    for key, proposal in proposals.items():
        again = stored[key]
        first = own.get((again.structure_fingerprint, proposal["temperature_K"]))
        if proposal["arm"] != REFERENCE_ARM or first is None or not (_accepted(first) and _accepted(again)):
            continue
        pairs.append(
            data.ReferencePair(
                formula=again.reduced_formula,
                temperature_K=again.temperature_K,
                fingerprint=str(again.structure_fingerprint),
                production=first.log10_value or 0.0,
                production_stderr=first.log10_stderr or 0.0,
                production_95=_interval(first),
                reference=again.log10_value or 0.0,
                reference_stderr=again.log10_stderr or 0.0,
                reference_95=_interval(again),
                reference_name=again.potential,
                reference_ps=again.production_ps or 0.0,
            ),
        )
    return tuple(pairs)


@dataclass(frozen=True)
class ReportedErrors:
    """Systematic errors of the production potential at the target temperature.

    Attributes:
        by_formula: of all labels and cells, by reduced formula.
        by_label: of labels, with what is known of their forces and cells, by key.
        covariances: of two formulas, decades squared.
    """

    by_formula: dict[str, CompoundError] = field(default_factory=dict)
    by_label: dict[str, CompoundError] = field(default_factory=dict)
    covariances: dict[tuple[str, str], float] = field(default_factory=dict)


def reported_errors(
    db: Database,
    stored: Iterable[LabelRecord],
    cells: Iterable[StructureRecord],
    potential: str,
    *,
    campaign: str,
    temperature_K: float,
) -> ReportedErrors:
    """Return the systematic errors of the production potential; none without a label by it."""
    own = [label for label in stored if label.potential == potential]
    if not own:
        return ReportedErrors()
    errors = systematic_errors(db, potential, own[0].weights_sha256, species=own[0].species, campaign=campaign)
    elements = {cell.reduced_formula: cell.elements for cell in cells}
    elements |= {label.reduced_formula: label.elements for label in own}
    names = sorted(elements)
    cases = [case_of(name, elements[name], temperature_K) for name in names]
    covariances = errors.covariance(cases).ravel().tolist()
    at_target = [label for label in own if label.temperature_K == temperature_K]
    by_label = errors.of_cases(cases_of_labels(db, at_target))
    return ReportedErrors(
        by_formula=dict(zip(names, errors.of_cases(cases), strict=True)),
        by_label={label.key: error for label, error in zip(at_target, by_label, strict=True)},
        covariances=dict(zip(product(names, names), covariances, strict=True)),
    )


def _accepted(label: LabelRecord) -> bool:
    return label.state == LabelState.ACCEPTED.value and label.log10_value is not None


def _interval(label: LabelRecord) -> tuple[float, float]:
    """Return the 95 % interval of log10 D, from the standard error if the label states none."""
    if label.interval_95 is not None and label.interval_95[0] > 0:
        return math.log10(label.interval_95[0]), math.log10(label.interval_95[1])
    value, half = label.log10_value or 0.0, Z_95 * (label.log10_stderr or 0.0)
    return value - half, value + half


def _report_label(label: LabelRecord, proposal: Mapping[str, Any], cells: Mapping[str, StructureRecord]) -> data.Label:
    fingerprint = str(label.structure_fingerprint)
    cell = cells.get(fingerprint)
    return data.Label(
        key=label.key,
        fingerprint=fingerprint,
        formula=label.reduced_formula,
        origin=Origin(cell.origin) if cell else Origin.IMPORTED,
        temperature_K=label.temperature_K,
        state=LabelState(label.state),
        value_cm2_s=label.value,
        interval_95_cm2_s=label.interval_95,
        log10_stderr=label.log10_stderr,
        arm=proposal["arm"],
        cycle=proposal["cycle"],
        msd=label.msd,
        fit_window_ps=label.fit_window_ps,
        equilibration_ps=label.equilibration_ps or 0.0,
        production_ps=label.production_ps or 0.0,
        n_eff=label.n_eff,
        exponent=label.exponent,
        gates=label.gates,
        force_r2=label.force_r2,
        wall_seconds=label.wall_seconds or 0.0,
    )
