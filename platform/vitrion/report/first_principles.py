"""What the potential is off by from nature, as far as AIMD and the campaign's referee tell, for its chemistries."""

from itertools import groupby

from vitrion.report.data import ReportData
from vitrion.report.numbers import diffusivity, formula, plain, signed
from vitrion.report.ranking import Source, rank
from vitrion_workflows.model_error.compound_error import CompoundError

TWO_SIDED_95 = 1.96


def first_principles_note(data: ReportData) -> str:
    """Offset and deviation of log10(D / D of nature) for the classes of the labels; empty without labels."""
    errors = sorted(data.model_errors.items(), key=lambda entry: (entry[1].chemistry, entry[0]))
    if not errors:
        return ""
    first = errors[0][1]
    if not first.is_measured:
        return (
            f"{data.potential} was never compared with ab initio molecular dynamics, nor with a referee here: its own "
            f"error is not known and not in the error bars. The choice of labels took it for "
            f"{signed(first.offset_decades)} ± {plain(first.stderr_decades)} decades, what such potentials are off by."
        )
    by_class = groupby(errors, key=lambda entry: entry[1].chemistry)
    classes = [_of_class(chemistry, list(members)) for chemistry, members in by_class]
    return (
        f"At {data.target_temperature_K:.0f} K {data.potential} is taken to be off by, in decades (mean ± standard "
        f"deviation for one compound, and what it rests on): {'; '.join(classes)}. This is not in the error bars: a "
        f"longer run does not make it smaller. What was labelled next was chosen with it.{_best(data)}"
    )


def _of_class(chemistry: str, members: list[tuple[str, CompoundError]]) -> str:
    """One figure for a class where all its compounds have the same, else one for each."""
    told = {(round(error.offset_decades, 2), round(error.stderr_decades, 2)) for _, error in members}
    named = members[:1] if len(told) == 1 else members
    parts = [
        f"{f'{chemistry}s' if len(told) == 1 else formula(name)} {signed(error.offset_decades)} ± "
        f"{plain(error.stderr_decades)}"
        for name, error in named
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
    mean, deviation = error.corrected(best.log10_D, (best.interval[1] - best.interval[0]) / (2 * TWO_SIDED_95))
    ends = (10 ** (mean - TWO_SIDED_95 * deviation), 10 ** (mean + TWO_SIDED_95 * deviation))
    return (
        f" With it, and its own statistical error, the fastest, {formula(best.formula)}, would have D = "
        f"{diffusivity(10**mean, ends)} cm²/s in nature."
    )
