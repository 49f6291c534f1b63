"""Diffusivities of potentials beside those of ab initio molecular dynamics: one row for each label compared.

The rows are measured by `benchmarks/aimd.py`, stored in `aimd_comparisons.csv` and explained in
docs/design/aimd-comparison.md. Their errors are systematic: a longer run does not reduce them.
"""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import TypeAdapter

TABLE = "aimd_comparisons.csv"
COMPARED_SPECIES = "Li"  # mobile species of all rows
WEIGHTS_DIGITS = 12
# Standard error of an AIMD diffusivity at 1e-4 cm2/s, in decades, and its growth with counting noise (see
# `aimd_stderr_decades`).
AIMD_DECADES_AT_1E4, AIMD_POWER = 0.074, 0.5
AIMD_MOST_DECADES = 0.35


@dataclass(frozen=True, kw_only=True)
class AimdComparison:
    """One accepted label of a melt, made from the formula alone, beside the AIMD value of the same melt.

    Attributes:
        potential: registry name.
        weights: first twelve hexadecimal digits of the sha256 of its weights.
        route: ``zero-pressure``, or ``aimd-volume`` for the volume of the AIMD run.
        compound: reduced formula.
        temperature_K: of both runs.
        seed: of the label's cell and run.
        log10_D_aimd: log10 of AIMD's tracer diffusivity (cm2/s, Einstein convention).
        log10_ratio: log10(D of the potential / D of AIMD), decades.
        log10_stderr: statistical standard error of the potential's log10 D, decades.
        ln_volume_ratio: ln(volume of the label's cell / volume of the AIMD cell).
        force_r2: agreement of the forces along the run with those of `force_reference`; None without one.
        force_reference: registry name of the reference potential.
    """

    potential: str
    weights: str
    route: str
    compound: str
    temperature_K: float
    seed: str
    log10_D_aimd: float
    log10_ratio: float
    log10_stderr: float
    ln_volume_ratio: float
    force_r2: float | None = None
    force_reference: str | None = None

    @property
    def aimd_stderr(self) -> float:
        """Standard error of AIMD's log10 D, decades."""
        return aimd_stderr_decades(self.log10_D_aimd)

    def is_of(self, potential: str, weights_sha256: str) -> bool:
        """Return True if the label was made by this potential with these weights."""
        return self.potential == potential and weights_sha256.startswith(self.weights)


def aimd_stderr_decades(log10_D: float) -> float:
    """Return the standard error of log10 D of the AIMD table, decades.

    0.074 (1e-4 cm2/s / D)^(1/2), at most 0.35: the number of jumps in a run of given length grows as D. The factor is
    the maximum-likelihood estimate from the deviations of 173 formulas from an Arrhenius law over four temperatures
    (Student t, three degrees of freedom; with a free power 0.60, and no dependence on temperature beside that on D);
    true curvature counts as error there. At 1e-5 cm2/s this is 0.23, between the extremes of the block coefficients of
    variation, 10 to 75 % at 1000 K.

    Args:
        log10_D: log10 of the AIMD value, cm2/s.
    """
    return min(AIMD_DECADES_AT_1E4 * 10 ** (-AIMD_POWER * (log10_D + 4)), AIMD_MOST_DECADES)


@cache
def aimd_comparisons() -> tuple[AimdComparison, ...]:
    """Return all comparisons that Vitrion brings."""
    text = files("vitrion_workflows.model_error").joinpath(TABLE).read_text(encoding="utf-8")
    rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(text.splitlines())]
    return TypeAdapter(tuple[AimdComparison, ...]).validate_python(rows)


def write_comparisons(comparisons: Iterable[AimdComparison], path: Path) -> None:
    """Write comparisons as a table that `aimd_comparisons` reads.

    Args:
        comparisons: in any order; they are sorted.
        path: of the file, overwritten.
    """
    ordered = sorted(
        comparisons, key=lambda row: (row.potential, row.weights, row.route, row.temperature_K, row.compound, row.seed)
    )
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [field.name for field in fields(AimdComparison)], lineterminator="\n")
        writer.writeheader()
        for comparison in ordered:
            values = asdict(comparison)
            rounded = {name: round(value, 4) for name, value in values.items() if isinstance(value, float)}
            writer.writerow({**values, **rounded, "temperature_K": f"{comparison.temperature_K:g}"})
