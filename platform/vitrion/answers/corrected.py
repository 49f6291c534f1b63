"""Values of log10 D corrected for the systematic error of their potential, each error apart."""

from typing import TYPE_CHECKING

from vitrion.answers.answer import Answer, Range
from vitrion.database.queries.comparison import systematic_errors
from vitrion.database.queries.label_cases import cases_of_labels
from vitrion_models.constants import Z_95
from vitrion_workflows.schemas.error_budget import ErrorBudget

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vitrion.database import Database
    from vitrion.database.records import LabelRecord
    from vitrion_workflows.model_error.compound_error import CompoundError

DIFFUSIVITY = "tracer_diffusivity"


class CorrectedValue(Answer):
    """log10 D (cm2/s) freed from the mean error of its potential.

    `errors` are standard deviations in decades by origin; the interval has all of them. `model_offset_decades` is the
    mean error that was taken off, `model_error_by` its evidence.
    """

    log10_D: float
    interval_95: Range
    model_offset_decades: float
    model_error_by: str
    errors: ErrorBudget


def corrected_value(error: "CompoundError", log10_D: float, log10_stderr: float) -> CorrectedValue:
    """Correct a value of a potential.

    Args:
        error: systematic error of the potential.
        log10_D: its value.
        log10_stderr: statistical standard error, decades.
    """
    mean, deviation = error.corrected(log10_D, log10_stderr)
    return CorrectedValue(
        log10_D=mean,
        interval_95=(mean - Z_95 * deviation, mean + Z_95 * deviation),
        model_offset_decades=error.offset_decades,
        model_error_by=error.evidence,
        errors=error.budget.with_statistical(log10_stderr),
    )


def corrected_labels(db: "Database", rows: "Sequence[LabelRecord]") -> dict[str, CorrectedValue]:
    """Return the corrected values of labels by key; labels that no potential computed, and bounds, have none.

    Args:
        db: with labels of reference potentials, which tell of the error.
        rows: labels.
    """
    computed = [
        row
        for row in rows
        if row.property == DIFFUSIVITY and row.dataset is None and row.log10_value is not None and row.log10_stderr
    ]
    methods = {(row.potential, row.weights_sha256, row.species) for row in computed}
    errors = {method: systematic_errors(db, *method[:2], species=method[2]) for method in methods}
    return {
        row.key: corrected_value(
            errors[row.potential, row.weights_sha256, row.species].of_case(case),
            row.log10_value or 0.0,
            row.log10_stderr or 0.0,
        )
        for row, case in zip(computed, cases_of_labels(db, computed), strict=True)
    }


def describe_correction(value: CorrectedValue) -> str:
    """Return a corrected value and its errors in one line."""
    errors = value.errors
    parts = {
        "statistical": errors.statistical,
        "one cell among many": errors.protocol,
        "few atoms": errors.finite_size,
        "potential's level": errors.level,
        "slope": errors.slope,
        "volume": errors.volume,
        "AIMD itself": errors.reference,
    }
    listed = ", ".join(f"{name} {deviation:.2f}" for name, deviation in parts.items())
    return (
        f"corrected log10 D {value.log10_D:.2f} +- {errors.total:.2f} decades ({listed}; mean error taken off "
        f"{value.model_offset_decades:+.2f}, {value.model_error_by})"
    )
