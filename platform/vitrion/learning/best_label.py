"""Best label of a campaign."""

from vitrion.database import Database
from vitrion.database.queries.filters import LabelFilters
from vitrion.database.records import Arm
from vitrion.learning.configuration import CampaignConfiguration
from vitrion_workflows.schemas import LabelState


def best_so_far(db: Database, configuration: CampaignConfiguration) -> str:
    """Return the highest diffusivity accepted at the target temperature, as text.

    A referee's label is a value by another potential, and not compared.
    """
    target = configuration.labels.target_temperature_K
    asked: LabelFilters = {
        "campaign": configuration.name,
        "state": LabelState.ACCEPTED.value,
        "temperature": (target - 0.5, target + 0.5),
    }
    referees: LabelFilters = {**asked, "arm": Arm.REFERENCE.value}
    # A label may have no arm. Among one more than the referee has is one of the others, if there is any.
    rows = db.labels.search(sort="-log10_value", limit=1 + db.labels.count(**referees), **asked)
    best = next((row for row in rows if row.arm != Arm.REFERENCE), None)
    return "none yet" if best is None else f"{best.reduced_formula} {best.value:.2g} cm2/s at {target:.0f} K"
