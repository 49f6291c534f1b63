"""Sentences of the report; where there is no result yet, the reason."""

import math
from collections import Counter

import numpy as np

from vitrion.database.queries.gate_versions import summarize_others
from vitrion.report.data import Prediction, ReportData
from vitrion.report.figures.arms import ACQUISITION, RANDOM, difference, points
from vitrion.report.figures.rdf import overlap
from vitrion.report.inference import wilson
from vitrion.report.numbers import count, decades, diffusivity, formula, plain, signed
from vitrion.report.ranking import Ranked, Source, Tie, tied_with_first
from vitrion_models.constants import Z_95
from vitrion_workflows.schemas import LabelState, Origin

MOST_TRUSTED = 5


def headline(data: ReportData, rows: list[Ranked]) -> str:
    """Return one sentence on the best conductor, ranked and stated by its corrected value, and its interval."""
    values = [row for row in rows if row.source is Source.MEASURED] or rows[:1]
    if not values and data.other_gate_versions:
        return "All labels are of other gate versions than the current one, and nothing is predicted."
    if not values:
        return "Nothing has been labelled or predicted yet."
    best = values[0]
    kind = "generated" if best.origin is Origin.GENERATED else "melt-quenched"
    verb = "measured by molecular dynamics" if best.source is Source.MEASURED else "predicted by the surrogate"
    subject = f"fastest {data.species} conductor found is {kind} {formula(best.formula)}"
    if best.corrected is None or best.interval is None:
        interval = (10 ** best.interval[0], 10 ** best.interval[1]) if best.interval else None
        number = diffusivity(10**best.log10_D, interval)
        return f"The {subject}: D = {number} cm²/s at {data.target_temperature_K:.0f} K, {verb}."
    mean, deviation = best.corrected
    number = decades(mean, (mean - Z_95 * deviation, mean + Z_95 * deviation))
    return (
        f"Ranked by D corrected for the estimated error of {data.potential}, the {subject}: D = {number} cm²/s at "
        f"{data.target_temperature_K:.0f} K, all errors included, from {diffusivity(10**best.log10_D)} cm²/s {verb} "
        f"with {data.potential}."
    )


def opinion_note(data: ReportData, rows: list[Ranked]) -> str:
    """Return how far the first of the ranking is the potential's opinion; empty where its error is not known."""
    if not rows or rows[0].errors is None:
        return ""
    first, errors = rows[0], rows[0].errors
    evidence = data.model_errors[first.formula].evidence
    share = errors.model**2 / errors.total**2
    undecided = tied_with_first(rows, Tie.POTENTIAL)
    order = (
        f"The order of {count(undecided, 'other candidate')} and the first depends on the error of {data.potential}."
        if undecided
        else f"No further order with the first depends on the error of {data.potential}."
    )
    return (
        f"{share:.0%} of the uncertainty of the first candidate is that of {data.potential}: its D is expected to be "
        f"{signed(first.log10_D - first.best_estimate)} ± {plain(Z_95 * errors.model)} decades from the truth (95 %; "
        f"{evidence}), while the run itself is known to ± {plain(Z_95 * errors.statistical)}. {order}"
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
    """Return how well the order of the ranking is resolved."""
    if not rows:
        return "There is no candidate to rank yet."
    tied = tied_with_first(rows, Tie.CHANCE, Tie.POTENTIAL)
    measured = sum(row.source is Source.MEASURED for row in rows)
    predicted = sum(row.source is Source.PREDICTED for row in rows)
    order = (
        f"{count(tied, 'other candidate is', 'other candidates are')} tied with the first: their order is not "
        "resolved, and the largest of several noisy values is biased upwards."
        if tied
        else "No other candidate is tied with the first."
    )
    return (
        f"{count(measured, 'cell')} measured at {data.target_temperature_K:.0f} K, {predicted} predicted by the "
        f"surrogate only. {order}"
    )


def trusted_note(data: ReportData) -> str:
    """Return the fastest compositions by the most trusted fidelity; empty where a campaign has one."""
    best: dict[str, Prediction] = {}
    for row in sorted(data.trusted_predictions, key=lambda row: -row.log10_D):
        best.setdefault(row.formula, row)
    if not best:
        return ""
    last = data.configuration["fidelities"][-1]
    listed = "; ".join(
        f"{formula(name)} {decades(row.log10_D, (row.lower_95, row.upper_95))}"
        for name, row in list(best.items())[:MOST_TRUSTED]
    )
    return (
        f"The table is of {data.potential}. As the surrogate predicts for the most trusted fidelity, "
        f"{last.get('given') or last['potential']}, the fastest compositions are, in cm²/s and with 95 % intervals: "
        f"{listed}."
    )


def labels_note(data: ReportData) -> str:
    """Return the counts of labels by state, and their median error."""
    if not data.labels and data.other_gate_versions:
        return "All labels are of other gate versions than the current one; none is shown."
    if not data.labels:
        return "No label has been made yet."
    states = Counter(label.state for label in data.labels)
    stderrs = (label.log10_stderr for label in data.accepted_labels)
    errors = [error for error in stderrs if error is not None and math.isfinite(error)]
    median = float(np.median(errors)) if errors else math.nan
    size = f" The median standard error is {plain(median)} decades, a factor of {10**median:.2f}." if errors else ""
    temperatures = sorted({label.temperature_K for label in data.labels})
    compositions = len({label.formula for label in data.labels})
    return (
        f"{count(len(data.labels), 'label')} over {count(compositions, 'composition')} and "
        f"{count(len(temperatures), 'temperature')}: {states[LabelState.ACCEPTED]} accepted, "
        f"{states[LabelState.CENSORED]} censored (an upper bound), {states[LabelState.REJECTED]} rejected.{size}"
    )


def cells_note(data: ReportData) -> str:
    """Return the acceptance of melt-quenched and generated cells, with intervals."""
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
    return f"{sentence[0].upper()}{sentence[1:]} {bonds_note(data)}".strip()


def bonds_note(data: ReportData) -> str:
    """Return which accepted cells hold bonds between like atoms that their compounds lack; empty without a cell."""
    accepted = [cell for cell in data.cells if cell.accepted]
    if not accepted:
        return ""
    bonds = {
        cell.fingerprint: [f"{bond.element}-{bond.element}" for bond in cell.homonuclear_bonds if bond.unexpected]
        for cell in accepted
    }
    holding = [cell for cell in accepted if bonds[cell.fingerprint]]
    if not holding:
        return "No accepted cell holds bonds between like atoms that its compound lacks."
    by_formula: dict[str, set[str]] = {}
    for cell in holding:
        by_formula.setdefault(formula(cell.formula), set()).update(bonds[cell.fingerprint])
    listed = ", ".join(f"{name} ({', '.join(sorted(pairs))})" for name, pairs in sorted(by_formula.items()))
    unchecked = sum(cell.reference is None for cell in holding)
    references = " and ".join(sorted({cell.reference for cell in holding if cell.reference}))
    keeps = f"{references} keeps them (at most one in four breaks when it relaxes the cell)" if references else ""
    open_cells = f"{unchecked} of these cells had no reference potential" if unchecked else ""
    return (
        f"{len(holding)} of {len(accepted)} accepted cells hold bonds between like atoms that their compounds lack: "
        f"{listed}; {', '.join(filter(None, (keeps, open_cells)))}."
    )


def rdf_note(data: ReportData) -> str:
    """Return how similar generated and melt-quenched cells are."""
    alike = [value for comparison in data.rdfs if (value := overlap(comparison)) is not None]
    if not data.rdfs:
        return "There is no cell yet."
    if not alike:
        return "No generated cell has passed the gates; the figures show melt-quenched cells only."
    return (
        f"Overlap of the mean curves (100 % if equal): {_range(min(alike), max(alike))} over "
        f"{count(len(alike), 'pair')}. Generated cells were relaxed, not thermalized: their peaks may be sharper, and "
        "small cells scatter."
    )


def surrogate_note(data: ReportData) -> str:
    """Return the errors of the surrogate on the frozen test, beside those of the baselines."""
    held_out = [point for point in data.parity if point.held_out]
    if not data.parity and not data.predictions:
        return "No surrogate has been trained yet."
    if not held_out:
        return f"The frozen test holds no accepted label, so the surrogate is not tested.{_learned(data)}"
    rmse = math.sqrt(float(np.mean([(point.predicted - point.measured) ** 2 for point in held_out])))
    inside = sum(point.lower_95 <= point.measured <= point.upper_95 for point in held_out)
    better = [baseline for baseline in data.baselines if baseline.rmse < rmse]
    comparison = (
        f"Better: {' and '.join(baseline.name for baseline in better)}, as is common with few labels; see the "
        "intervals below."
        if better
        else "It did better than every baseline." * bool(data.baselines)
    )
    width = float(np.mean([point.upper_95 - point.lower_95 for point in held_out]))
    return (
        f"On {count(len(held_out), 'label')} of compositions outside its training set the error is {plain(rmse)} "
        f"decades (root mean square); {inside} lie inside their 95 % interval, on average {plain(width, 1)} decades "
        f"wide. {comparison}{_learned(data)}"
    )


def _learned(data: ReportData) -> str:
    if not data.outdated_training_labels:
        return ""
    number = data.outdated_training_labels
    return f" Of its training labels, {number} were of other gate versions."


def arms_note(data: ReportData) -> str:
    """Return whether the acquisition did better than random choice, and the detectable difference."""
    chosen, chance = (len(points(data, arm)) for arm in (ACQUISITION, RANDOM))
    gap = difference(data)
    if gap is None:
        return (
            f"The acquisition has {count(chosen, 'usable label')}, the random arm {chance}: too few to compare their "
            "means. Every cycle keeps a random arm, so that a longer campaign can compare them."
        )
    conclusion = (
        f"The acquisition did {'better' if gap.value > 0 else 'worse'} than random choice in this run"
        if gap.decided
        else "The interval includes zero: this run does not show whether the acquisition is better than random choice"
    )
    return (
        f"On average the {chosen} labels of the acquisition lie {plain(abs(gap.value))} decades "
        f"{'above' if gap.value > 0 else 'below'} the {chance} of the random arm (95 % interval {signed(gap.low)} to "
        f"{signed(gap.high)}). {conclusion}. With this number of labels a difference of about "
        f"{plain(gap.detectable, 1)} decades is detected in four runs of five; this is one run with one seed."
    )


def reference_note(data: ReportData) -> str:
    """Return the differences between the production and the reference potential."""
    if not data.reference_pairs:
        return "No cell has accepted labels by two potentials: the error of the potential was not measured here."
    gaps = [-pair.difference for pair in data.reference_pairs]
    worst = max(pair.stderr for pair in data.reference_pairs)
    length = min(pair.reference_ps for pair in data.reference_pairs)
    return (
        f"{data.reference_pairs[0].reference_name} repeated {count(len(gaps), 'label')} in runs of {length:g} ps: it "
        f"differs by {' and '.join(signed(gap) for gap in gaps)} decades from {data.potential}, with statistical "
        f"errors of up to {plain(worst)}. The table below lists the pairs and the systematic error estimated from all."
    )


def _range(low: float, high: float) -> str:
    ends = dict.fromkeys(f"{100 * share:.0f}" for share in (low, high))
    return " to ".join(ends) + " %"
