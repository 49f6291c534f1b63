"""What the numbers say, in sentences; where there is nothing to say yet, why."""

import math
from collections import Counter

import numpy as np

from vitrion.database.queries.gate_versions import summarize_others
from vitrion.report.data import ReportData
from vitrion.report.figures.arms import ACQUISITION, RANDOM, difference, points
from vitrion.report.figures.rdf import overlap
from vitrion.report.inference import wilson
from vitrion.report.numbers import count, diffusivity, formula, plain, signed
from vitrion.report.ranking import Ranked, Source, tied_with_first
from vitrion_workflows.schemas import LabelState, Origin


def headline(data: ReportData, rows: list[Ranked]) -> str:
    """One sentence: the best conductor found, and how sure that is."""
    values = [row for row in rows if row.source is Source.MEASURED] or rows[:1]
    if not values and data.other_gate_versions:
        return "All labels are of other gate versions than the current one, and nothing is predicted."
    if not values:
        return "Nothing has been labelled or predicted yet: the campaign has only begun."
    best = values[0]
    interval = tuple(10**end for end in best.interval) if best.interval else None
    number = diffusivity(10**best.log10_D, (interval[0], interval[1]) if interval else None)
    kind = "generated" if best.origin is Origin.GENERATED else "melt-quenched"
    verb = "measured by molecular dynamics" if best.source is Source.MEASURED else "predicted by the surrogate"
    return (
        f"The fastest {data.species} conductor found is {kind} {formula(best.formula)}: D = {number} cm²/s at "
        f"{data.target_temperature_K:.0f} K, {verb}."
    )


def gate_version_note(data: ReportData) -> str:
    """Return a note on labels of other gate versions, left out of the page or learned by the surrogate; else empty."""
    sentences = []
    if line := summarize_others(data.other_gate_versions):
        sentences.append(f"Left out: {line} Cycles and costs count them.")
    if number := data.outdated_training_labels:
        sentences.append(f"The surrogate was trained on {count(number, 'label')} of other gate versions.")
    return " ".join(sentences)


def ranking_note(data: ReportData, rows: list[Ranked]) -> str:
    """How far the order of the ranking can be trusted."""
    if not rows:
        return "There is no candidate to rank yet."
    tied = tied_with_first(rows)
    measured = sum(row.source is Source.MEASURED for row in rows)
    predicted = sum(row.source is Source.PREDICTED for row in rows)
    order = (
        f"The intervals of {count(tied, 'other candidate')} reach into that of the first: their order is not "
        "settled, and the first of several noisy numbers is flattered by its noise."
        if tied
        else "No other interval reaches into that of the first."
    )
    return (
        f"{count(measured, 'cell')} measured at {data.target_temperature_K:.0f} K, {predicted} known there by the "
        f"surrogate alone. {order}"
    )


def labels_note(data: ReportData) -> str:
    """How the labels fared before their gates."""
    if not data.labels and data.other_gate_versions:
        return "All labels are of other gate versions than the current one: there is none to show."
    if not data.labels:
        return "No label has been made yet."
    states = Counter(label.state for label in data.labels)
    known = (label.log10_stderr for label in data.accepted_labels)
    errors = [error for error in known if error is not None and math.isfinite(error)]
    middle = float(np.median(errors)) if errors else math.nan
    size = f" Their median standard error is {plain(middle)} decades, a factor of {10**middle:.2f}." if errors else ""
    temperatures = sorted({label.temperature_K for label in data.labels})
    compositions = len({label.formula for label in data.labels})
    return (
        f"{count(len(data.labels), 'label')} over {count(compositions, 'composition')} and "
        f"{count(len(temperatures), 'temperature')}: {states[LabelState.ACCEPTED]} accepted, "
        f"{states[LabelState.CENSORED]} censored (an upper bound), {states[LabelState.REJECTED]} rejected.{size}"
    )


def cells_note(data: ReportData) -> str:
    """Acceptance of quenched and generated cells, with intervals."""
    if not data.cells:
        return "No amorphous cell has been made yet."
    parts = []
    for origin, words in ((Origin.MELT_QUENCH, "melt-quenched"), (Origin.GENERATED, "generated")):
        cells = [cell for cell in data.cells if cell.origin is origin]
        if not cells:
            parts.append(f"no cell was {words} yet")
            continue
        passed = sum(cell.accepted for cell in cells)
        low, high = wilson(passed, len(cells))
        share = f"95 % interval {100 * low:.0f} to {100 * high:.0f} %"
        parts.append(f"{passed} of {len(cells)} {words} cells passed every gate ({share})")
    sentence = ", ".join(parts) + "."
    return sentence[0].upper() + sentence[1:]


def rdf_note(data: ReportData) -> str:
    """Whether generated cells look like quenched ones."""
    alike = [value for comparison in data.rdfs if (value := overlap(comparison)) is not None]
    if not data.rdfs:
        return "There is no cell to take a radial distribution of yet."
    if not alike:
        return "No generated cell has passed the gates, so the melt-quenched ones stand alone."
    return (
        f"Overlap of the mean curves (100 % for equal ones): {_range(min(alike), max(alike))} over "
        f"{count(len(alike), 'pair')}. Generated cells were relaxed, not held at temperature: their peaks may be "
        "sharper, and cells of so few atoms scatter."
    )


def surrogate_note(data: ReportData) -> str:
    """How good the surrogate is beside the simple models."""
    held_out = [point for point in data.parity if point.held_out]
    if not data.parity and not data.predictions:
        return "No surrogate has been trained yet."
    if not held_out:
        return f"The frozen test holds no accepted label, so nothing can be said about the surrogate.{_learned(data)}"
    rmse = math.sqrt(float(np.mean([(point.predicted - point.measured) ** 2 for point in held_out])))
    inside = sum(point.lower_95 <= point.measured <= point.upper_95 for point in held_out)
    better = [baseline for baseline in data.baselines if baseline.rmse < rmse]
    verdict = (
        f"{' and '.join(baseline.name for baseline in better)} did better: with so few labels that is no surprise, and "
        "the intervals below say so."
        if better
        else "It did better than every baseline." * bool(data.baselines)
    )
    width = float(np.mean([point.upper_95 - point.lower_95 for point in held_out]))
    return (
        f"On {count(len(held_out), 'label')} of compositions it never saw it errs by {plain(rmse)} decades (root mean "
        f"square); {inside} of them lie inside their 95 % interval, {plain(width, 1)} decades wide. {verdict}"
        f"{_learned(data)}"
    )


def _learned(data: ReportData) -> str:
    if not data.outdated_training_labels:
        return ""
    number = data.outdated_training_labels
    return f" Of its training labels, {number} were of other gate versions."


def arms_note(data: ReportData) -> str:
    """Whether choosing helped, and what so few labels can show."""
    found = {arm: points(data, arm) for arm in (ACQUISITION, RANDOM)}
    chosen, chance = len(found[ACQUISITION]), len(found[RANDOM])
    gap = difference(data)
    if gap is None:
        return (
            f"The acquisition has {count(chosen, 'usable label')}, the random arm {chance}: too few to compare their "
            "means. The random arm stays in every cycle, so that a longer campaign can."
        )
    verdict = (
        f"Choosing {'helped' if gap.value > 0 else 'did worse than chance'} in this run"
        if gap.decided
        else "The interval holds zero: this run cannot tell whether choosing helped"
    )
    return (
        f"On average the {chosen} labels that the acquisition asked for lie {plain(abs(gap.value))} decades "
        f"{'above' if gap.value > 0 else 'below'} the {chance} of the random arm (95 % interval {signed(gap.low)} to "
        f"{signed(gap.high)}). {verdict}. With so few labels only a difference of about {plain(gap.detectable, 1)} "
        "decades would show itself in four runs out of five, and one run is one seed."
    )


def referee_note(data: ReportData) -> str:
    """What the second potential says."""
    if not data.referee:
        return "No question has accepted labels of two potentials: the error of the potential itself is not known here."
    gaps = [-pair.difference for pair in data.referee]
    worst = max(pair.stderr for pair in data.referee)
    length = min(pair.referee_ps for pair in data.referee)
    return (
        f"{data.referee[0].referee_name} was asked {count(len(gaps), 'question')} again, in runs of {length:g} ps: it "
        f"lies {' and '.join(signed(gap) for gap in gaps)} decades from {data.potential}, the difference known to "
        f"± {plain(worst)} at best. Below is each pair, and what all comparisons together say of the potential."
    )


def _range(low: float, high: float) -> str:
    ends = dict.fromkeys(f"{100 * share:.0f}" for share in (low, high))
    return " to ".join(ends) + " %"
