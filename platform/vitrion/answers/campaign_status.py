"""Status of a campaign: cycles, labels by state, cells, cost and the best conductor."""

from collections import Counter

from pydantic import Field

from vitrion.answers.answer import Answer
from vitrion.database import Database
from vitrion.database.errors import NotFoundError
from vitrion.database.records import FINISHED, ProposalState
from vitrion.learning.best_label import best_so_far
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.configuration.sections import TunedPotential
from vitrion.learning.tuned_potential import tuned_name
from vitrion_workflows.tuning.work_folder import is_unfinished


class CampaignStatus(Answer):
    """Status of a campaign.

    A campaign is not begun, tuning (its potential is not finished), active or finished. `labels` counts those of the
    current gate version by state, `other_gate_versions` the rest by version, `refused` the cells that failed
    their gates by reason; `waiting` and `failed` name proposals, the latter with their reasons.
    """

    campaign: str
    state: str
    potential: str | None = None
    cycles_closed: int = 0
    cycles: int
    current_stage: str = "proposed"
    lease_owner: str | None = None
    labels: dict[str, int] = Field(default_factory=dict)
    other_gate_versions: dict[int, int] = Field(default_factory=dict)
    compositions_labelled: int = 0
    cells: int = 0
    worker_seconds: float = 0.0
    best: str = "none yet"
    refused: dict[str, int] = Field(default_factory=dict)
    waiting: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


def campaign_status(db: Database, configuration: CampaignConfiguration) -> CampaignStatus:
    """Return the status of a campaign, also of one that is not begun."""
    name = configuration.name
    try:
        campaign = db.campaigns.get(name)
    except NotFoundError:
        state = "tuning" if _is_tuning(configuration) else "not begun"
        return CampaignStatus(campaign=name, state=state, cycles=configuration.cycles)
    plan = (campaign.summary or {}).get("plan", {})
    if plan.get("potential_note"):
        configuration = configuration.shrunk()
    cycles = db.cycles.list(name)
    closed = sum(cycle.state == "closed" for cycle in cycles)
    labels = db.labels.search(campaign=name)
    proposals = [entry for cycle in cycles for entry in cycle.proposals]
    waiting = tuple(entry.title for entry in proposals if entry.state not in FINISHED)
    seconds = sum(entry["seconds"] for cycle in cycles for entry in (cycle.budget or {}).values())
    return CampaignStatus(
        campaign=name,
        state="finished" if closed >= configuration.cycles and not waiting else "active",
        potential=plan.get("potential"),
        cycles_closed=closed,
        cycles=configuration.cycles,
        current_stage=cycles[-1].state if cycles else "proposed",
        lease_owner=cycles[-1].lease_owner if cycles else None,
        labels=dict(Counter(row.state for row in labels)),
        other_gate_versions=db.labels.count_other_versions(campaign=name),
        compositions_labelled=len({row.reduced_formula for row in labels}),
        cells=db.structures.count(campaign=name),
        worker_seconds=round(seconds, 1),
        best=best_so_far(db, configuration),
        refused=dict(Counter(entry.reason for entry in proposals if entry.state is ProposalState.REFUSED)),
        waiting=waiting,
        failed=tuple(f"{entry.title}: {entry.reason}" for entry in proposals if entry.state is ProposalState.FAILED),
    )


def _is_tuning(configuration: CampaignConfiguration) -> bool:
    potential = configuration.potential
    return isinstance(potential, TunedPotential) and is_unfinished(tuned_name(configuration, potential.tune))
