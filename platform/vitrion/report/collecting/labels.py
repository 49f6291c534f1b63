"""Labels of a campaign as the report shows them, and those that a referee made again."""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vitrion.database import Database
from vitrion.database.queries.comparison import systematic_errors
from vitrion.database.records import CycleRecord, LabelRecord, StructureRecord
from vitrion.report import data
from vitrion_workflows.model_error.compound_error import CompoundError
from vitrion_workflows.schemas import LabelState, Origin

REFERENCE_ARM = "reference"
TWO_SIDED_95 = 1.96


def labels_of(
    db: Database, cycles: Sequence[CycleRecord]
) -> tuple[dict[str, LabelRecord], dict[str, Mapping[str, Any]]]:
    """Stored labels of the campaign's questions, and the question of each, both by label key.

    A label that several questions led to (it existed already) belongs to the first of them.
    """
    questions: dict[str, Mapping[str, Any]] = {}
    for cycle in cycles:
        for proposal in cycle.proposals:
            key = proposal.label_key
            if key is not None:
                questions.setdefault(key, {**proposal.model_dump(mode="json"), "cycle": cycle.index})
    stored = db.labels.find(list(questions))
    return stored, {key: question for key, question in questions.items() if key in stored}


def report_labels(
    stored: Mapping[str, LabelRecord],
    questions: Mapping[str, Mapping[str, Any]],
    cells: Mapping[str, StructureRecord],
) -> tuple[data.LabelRow, ...]:
    """Labels of the workhorse in the order in which they were asked for."""
    return tuple(
        _report_label(stored[key], question, cells)
        for key, question in questions.items()
        if question["arm"] != REFERENCE_ARM
    )


def referee_pairs(
    stored: Mapping[str, LabelRecord], questions: Mapping[str, Mapping[str, Any]]
) -> tuple[data.RefereePair, ...]:
    """Questions that both potentials answered with an accepted label."""
    own = {
        (stored[key].structure_fingerprint, question["temperature_K"]): stored[key]
        for key, question in questions.items()
        if question["arm"] != REFERENCE_ARM
    }
    pairs = []
    for key, question in questions.items():
        again = stored[key]
        first = own.get((again.structure_fingerprint, question["temperature_K"]))
        if question["arm"] != REFERENCE_ARM or first is None or not (_accepted(first) and _accepted(again)):
            continue
        pairs.append(
            data.RefereePair(
                formula=again.reduced_formula,
                temperature_K=again.temperature_K,
                fingerprint=str(again.structure_fingerprint),
                workhorse=first.log10_value or 0.0,
                workhorse_stderr=first.log10_stderr or 0.0,
                workhorse_95=_interval(first),
                referee=again.log10_value or 0.0,
                referee_stderr=again.log10_stderr or 0.0,
                referee_95=_interval(again),
                referee_name=again.potential,
                referee_ps=again.production_ps or 0.0,
            ),
        )
    return tuple(pairs)


def model_errors(
    db: Database,
    stored: Iterable[LabelRecord],
    cells: Iterable[StructureRecord],
    potential: str,
    *,
    campaign: str,
    temperature_K: float,
) -> dict[str, CompoundError]:
    """What the workhorse is off by for each composition that was labelled or has a cell, by reduced formula.

    Args:
        db: where a referee's labels are.
        stored: the campaign's labels.
        cells: cells that it made.
        potential: the workhorse.
        campaign: its name.
        temperature_K: temperature asked about.
    """
    own = [label for label in stored if label.potential == potential]
    if not own:
        return {}
    known = systematic_errors(db, potential, own[0].weights_sha256, campaign=campaign)
    elements = {cell.reduced_formula: cell.elements for cell in cells}
    elements |= {label.reduced_formula: label.elements for label in own}
    names = sorted(elements)
    found = known.of_compounds([(name, elements[name], temperature_K) for name in names])
    return dict(zip(names, found, strict=True))


def _accepted(label: LabelRecord) -> bool:
    return label.state == LabelState.ACCEPTED.value and label.log10_value is not None


def _interval(label: LabelRecord) -> tuple[float, float]:
    """95 % interval of log10 D; from the standard error where the label states none."""
    if label.interval_95 is not None and label.interval_95[0] > 0:
        return math.log10(label.interval_95[0]), math.log10(label.interval_95[1])
    value, half = label.log10_value or 0.0, TWO_SIDED_95 * (label.log10_stderr or 0.0)
    return value - half, value + half


def _report_label(
    label: LabelRecord, question: Mapping[str, Any], cells: Mapping[str, StructureRecord]
) -> data.LabelRow:
    fingerprint = str(label.structure_fingerprint)
    cell = cells.get(fingerprint)
    return data.LabelRow(
        key=label.key,
        fingerprint=fingerprint,
        formula=label.reduced_formula,
        origin=Origin(cell.origin) if cell else Origin.IMPORTED,
        temperature_K=label.temperature_K,
        state=LabelState(label.state),
        value_cm2_s=label.value,
        interval_95_cm2_s=label.interval_95,
        log10_stderr=label.log10_stderr,
        arm=question["arm"],
        cycle=question["cycle"],
        msd=label.msd,
        fit_window_ps=label.fit_window_ps,
        equilibration_ps=label.equilibration_ps or 0.0,
        production_ps=label.production_ps or 0.0,
        n_eff=label.n_eff,
        exponent=label.exponent,
        gates=label.gates,
        wall_seconds=label.wall_seconds or 0.0,
    )
