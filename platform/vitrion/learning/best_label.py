"""Best label of a campaign."""

from vitrion.database import Database
from vitrion.database.queries.comparison import systematic_errors
from vitrion.database.queries.filters import LabelFilters
from vitrion.database.queries.label_cases import cases_of_labels
from vitrion.database.records import Arm
from vitrion.learning.configuration import CampaignConfiguration
from vitrion_workflows.schemas import LabelState


def best_so_far(db: Database, configuration: CampaignConfiguration) -> str:
    """Return the highest corrected diffusivity accepted at the target temperature, as text.

    Labels are ranked by their value corrected for the error of their potential. Reference labels are values of another
    potential and are left out.
    """
    target = configuration.labels.target_temperature_K
    filters: LabelFilters = {
        "campaign": configuration.name,
        "state": LabelState.ACCEPTED.value,
        "temperature": (target - 0.5, target + 0.5),
    }
    rows = [row for row in db.labels.search(**filters) if row.arm != Arm.REFERENCE and row.log10_value is not None]
    if not rows:
        return "none yet"
    errors = systematic_errors(
        db,
        rows[0].potential,
        rows[0].weights_sha256,
        species=configuration.species,
        campaign=configuration.name,
    )
    offsets = [error.offset_decades for error in errors.of_cases(cases_of_labels(db, rows))]
    corrected = [(row.log10_value or 0.0) - offset for row, offset in zip(rows, offsets, strict=True)]
    best = max(range(len(rows)), key=corrected.__getitem__)
    label = rows[best]
    return (
        f"{label.reduced_formula} {10 ** corrected[best]:.2g} cm2/s at {target:.0f} K, corrected for the error of "
        f"{label.potential}, which gives {label.value:.2g}"
    )
