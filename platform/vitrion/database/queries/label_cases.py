"""Stored labels as cases of the error model."""

from vitrion.database.records import LabelRecord
from vitrion_workflows.model_error.effects import USUAL_ATOMS, USUAL_LOG10_D, Case


def case_of_label(row: LabelRecord) -> Case:
    """Return a label as a case of the error model, with what is known of its forces and cell."""
    agreement = row.force_check.agreement if row.force_check else None
    return Case(
        compound=row.reduced_formula,
        elements=frozenset(row.elements),
        temperature_K=row.temperature_K,
        force_r2=agreement.r2 if agreement else None,
        log10_D=USUAL_LOG10_D if row.log10_value is None else row.log10_value,
        atoms=row.n_atoms or USUAL_ATOMS,
    )
