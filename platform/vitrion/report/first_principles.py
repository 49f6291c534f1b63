"""What the potential was off by where ab initio molecular dynamics is known, for the chemistries of a campaign."""

from vitrion.report.data import ReportData
from vitrion.report.numbers import count, diffusivity, formula, plain, signed
from vitrion.report.ranking import Source, rank
from vitrion_models.errors import InputError
from vitrion_workflows.amorphous.composition import parse_formula
from vitrion_workflows.potentials.trust import EVERY_CLASS, ModelError, model_error

TWO_SIDED_95 = 1.96


def first_principles_note(data: ReportData) -> str:
    """Median and spread of log10(D / D_AIMD) for each anion class that the labels belong to; empty without labels."""
    if not data.labels:
        return ""
    found = {_error(data.potential, label.formula) for label in data.labels}
    errors = sorted((error for error in found if error is not None), key=lambda error: error.chemistry)
    if not errors:
        return (
            f"{data.potential} was never compared with ab initio molecular dynamics here: its own error is not known "
            "and not in the error bars."
        )
    parts = [_words(error) for error in errors]
    coldest = min(error.temperatures_K[0] for error in errors)
    hottest = max(error.temperatures_K[1] for error in errors)
    return (
        f"On melts at {coldest:.0f} to {hottest:.0f} K and zero pressure {data.potential} lies from ab initio "
        f"molecular dynamics by, in decades (median ± half the width of the central 68 %): {'; '.join(parts)}. This is "
        f"not in the error bars: a longer run does not make it smaller.{_best(data)}"
    )


def _best(data: ReportData) -> str:
    measured = [row for row in rank(data) if row.source is Source.MEASURED]
    if not measured:
        return ""
    best = measured[0]
    error = _error(data.potential, best.formula)
    if error is None or best.interval is None:
        return ""
    mean, deviation = error.corrected(best.log10_D, (best.interval[1] - best.interval[0]) / (2 * TWO_SIDED_95))
    ends = (10 ** (mean - TWO_SIDED_95 * deviation), 10 ** (mean + TWO_SIDED_95 * deviation))
    return (
        f" With it, and its own statistical error, the fastest, {formula(best.formula)}, would have D = "
        f"{diffusivity(10**mean, ends)} cm²/s from first principles."
    )


def _error(potential: str, compound: str) -> ModelError | None:
    try:
        elements = parse_formula(compound).elements
    except InputError:  # a name that somebody else's document brought along
        return None
    return model_error(potential, [element.symbol for element in elements])


def _words(error: ModelError) -> str:
    name = "all chemistries together" if error.chemistry == EVERY_CLASS else f"{error.chemistry}s"
    compounds = count(error.formulas, "compound")
    return f"{name} {signed(error.median_log10)} ± {plain(error.spread_log10)} ({compounds})"
