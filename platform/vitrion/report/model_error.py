"""Systematic error of the potential for the chemistries at hand, from AIMD and from the reference potential."""

from itertools import groupby

from vitrion.report.data import ReportData
from vitrion.report.numbers import diffusivity, formula, plain, signed
from vitrion.report.ranking import Source, rank
from vitrion_models.constants import Z_95
from vitrion_workflows.model_error.compound_error import CompoundError


def model_error_note(data: ReportData) -> str:
    """Return the offset and standard deviation of log10(D / true D) by class of compound; empty without labels."""
    errors = sorted(data.model_errors.items(), key=lambda entry: (entry[1].chemistry, entry[0]))
    if not errors:
        return ""
    first = errors[0][1]
    if not first.is_measured:
        return (
            f"{data.potential} was compared neither with ab initio molecular dynamics nor, here, with a reference "
            "potential: its systematic error is unknown and not in the error bars. The selection of labels assumed "
            f"{signed(first.offset_decades)} ± {plain(first.stderr_decades)} decades, as found for other potentials."
        )
    by_class = groupby(errors, key=lambda entry: entry[1].chemistry)
    classes = [_of_class(chemistry, list(members)) for chemistry, members in by_class]
    return (
        f"Estimated systematic error of {data.potential} at {data.target_temperature_K:.0f} K in decades, mean ± "
        f"standard deviation for one compound (with its evidence): {'; '.join(classes)}. It is not in the error bars, "
        f"longer runs do not reduce it, and the selection of labels takes it into account.{_best(data)}"
    )


def _of_class(chemistry: str, members: list[tuple[str, CompoundError]]) -> str:
    """Return one figure for a class if all its compounds have the same, else one for each compound."""
    figures = {(round(error.offset_decades, 2), round(error.stderr_decades, 2)) for _, error in members}
    listed = members[:1] if len(figures) == 1 else members
    parts = [
        f"{f'{chemistry}s' if len(figures) == 1 else formula(name)} {signed(error.offset_decades)} ± "
        f"{plain(error.stderr_decades)}"
        for name, error in listed
    ]
    return f"{', '.join(parts)} ({members[0][1].evidence.replace(';', ',')})"


def _best(data: ReportData) -> str:
    measured = [row for row in rank(data) if row.source is Source.MEASURED and row.formula in data.model_errors]
    if not measured:
        return ""
    best = measured[0]
    if best.interval is None:
        return ""
    error = data.model_errors[best.formula]
    mean, deviation = error.corrected(best.log10_D, (best.interval[1] - best.interval[0]) / (2 * Z_95))
    ends = (10 ** (mean - Z_95 * deviation), 10 ** (mean + Z_95 * deviation))
    return (
        f" Corrected for it, the fastest, {formula(best.formula)}, has D = {diffusivity(10**mean, ends)} cm²/s, "
        "statistical error included."
    )
