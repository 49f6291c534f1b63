"""Labels from elsewhere, such as AIMD, that a campaign learns from as its most trusted fidelity.

They may be of any compound: one that is no candidate tells of the others by its descriptors. Labels of the chemical
systems of the frozen test are left out, except those of its own compositions, which belong to the test.
"""

from collections.abc import Collection

from vitrion.database import Database
from vitrion.database.queries.quantity import require_one
from vitrion.database.records import LabelRecord
from vitrion.datasets.formulas import chemical_system
from vitrion.learning.configuration import CampaignConfiguration
from vitrion_models.errors import InputError
from vitrion_workflows.schemas import Convention, LabelState

LEARNED_STATES = (LabelState.PUBLISHED.value, LabelState.CENSORED.value)


def given_labels(
    db: Database, configuration: CampaignConfiguration, test_formulas: Collection[str]
) -> tuple[LabelRecord, ...]:
    """Return the given labels of a campaign, sorted by key, each with a standard error or a bound; none if not asked.

    Only labels between the extreme temperatures of the campaign are taken: beyond them the Arrhenius law may bend.

    Args:
        db: with the data set.
        configuration: of the campaign.
        test_formulas: compositions of the frozen test.

    Raises:
        InputError: no such label, all of the frozen test, of several quantities, of another convention, or one without
            standard error where the configuration states none.
    """
    section = configuration.given
    if section is None:
        return ()
    name = section.given
    rows = [
        row
        for row in db.labels.search(dataset=name, property="tracer_diffusivity", sort="key")
        if row.state in LEARNED_STATES and row.log10_value is not None
    ]
    if not rows:
        raise InputError(
            f"fidelities: the database has no diffusivities of a data set {name!r}: add them with `vitrion ingest`"
        )
    kelvins = (*configuration.labels.temperatures_K, configuration.labels.target_temperature_K)
    lowest, highest = min(kelvins), max(kelvins)
    rows = [row for row in rows if row.species == configuration.species and lowest <= row.temperature_K <= highest]
    held_out = {chemical_system(formula) for formula in test_formulas}
    rows = [row for row in rows if row.reduced_formula in test_formulas or row.chemsys not in held_out]
    if all(row.reduced_formula in test_formulas for row in rows):
        raise InputError(
            f"fidelities: {name} gives no diffusivity of {configuration.species} between {lowest:g} and {highest:g} K "
            "besides those of the frozen test: give other labels, or change labels.temperatures_K"
        )
    quantity = require_one(rows, purpose="learned from", mixable=False)
    if quantity.convention != Convention.EINSTEIN_3D:
        raise InputError(f"fidelities: the labels of {name} are of convention {quantity.convention}, not Einstein's")
    return tuple(_with_stderr(row, section.stderr_decades, name) for row in rows)


def _with_stderr(row: LabelRecord, stderr_decades: float | None, name: str) -> LabelRecord:
    if row.log10_stderr is not None or row.state == LabelState.CENSORED:
        return row
    if stderr_decades is None:
        raise InputError(
            f"fidelities: labels of {name} state no standard error (the first: {row.reduced_formula} at "
            f"{row.temperature_K:g} K): give stderr_decades beside `given`"
        )
    return row.model_copy(update={"log10_stderr": stderr_decades})
