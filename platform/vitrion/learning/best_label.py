"""Best label of a campaign."""

from vitrion.database import Database
from vitrion.database.queries.filters import LabelFilters
from vitrion.database.records import Arm
from vitrion.learning.configuration import CampaignConfiguration
from vitrion_workflows.schemas import LabelState


def best_so_far(db: Database, configuration: CampaignConfiguration) -> str:
    """Return the highest diffusivity accepted at the target temperature, as text.

    Reference labels are values of another potential and are left out.
    """
    target = configuration.labels.target_temperature_K
    filters: LabelFilters = {
        "campaign": configuration.name,
        "state": LabelState.ACCEPTED.value,
        "temperature": (target - 0.5, target + 0.5),
    }
    references: LabelFilters = {**filters, "arm": Arm.REFERENCE.value}
    # One row more than there are reference labels holds one of another arm, or of none, if there is any.
    rows = db.labels.search(sort="-log10_value", limit=1 + db.labels.count(**references), **filters)
    best = next((row for row in rows if row.arm != Arm.REFERENCE), None)
    return "none yet" if best is None else f"{best.reduced_formula} {best.value:.2g} cm2/s at {target:.0f} K"
