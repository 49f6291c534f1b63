"""Where a campaign stands, as plain values."""

from collections import Counter
from typing import Any

from vitrion.database import Database
from vitrion.database.errors import NotFoundError
from vitrion.database.queries.filters import LabelFilters
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.proposal import FINISHED, Arm, ProposalState, plain_proposals
from vitrion_workflows.schemas import LabelState


def standing(db: Database, configuration: CampaignConfiguration) -> dict[str, Any]:
    """Cycles, labels by verdict, cells, cost and the best so far.

    Labels of other gate versions are counted apart (`other_gate_versions`, by version).

    Args:
        db: where the campaign is, or will be.
        configuration: the campaign's.
    """
    name = configuration.name
    try:
        campaign = db.campaigns.get(name)
    except NotFoundError:
        return {"campaign": name, "state": "not begun"}
    plan = (campaign.summary or {}).get("plan", {})
    if plan.get("potential_note"):
        configuration = configuration.shrunk()
    cycles = db.cycles.list(name)
    closed = sum(cycle.state == "closed" for cycle in cycles)
    labels = db.labels.search(campaign=name)
    spent = sum(entry["seconds"] for cycle in cycles for entry in (cycle.budget or {}).values())
    proposals = [entry for cycle in cycles for entry in plain_proposals(cycle.proposals)]
    waiting = [entry.title for entry in proposals if entry.state not in FINISHED]
    failed = [f"{entry.title}: {entry.reason}" for entry in proposals if entry.state is ProposalState.FAILED]
    return {
        "campaign": name,
        "state": "finished" if closed >= configuration.cycles and not waiting else "active",
        "potential": plan.get("potential"),
        "cycles_closed": closed,
        "cycles": configuration.cycles,
        "current_stage": cycles[-1].state if cycles else "proposed",
        "lease_owner": cycles[-1].lease_owner if cycles else None,
        "labels": dict(Counter(row.state for row in labels)),
        "other_gate_versions": db.labels.count_other_versions(campaign=name),
        "compositions_labelled": len({row.reduced_formula for row in labels}),
        "cells": db.structures.count(campaign=name),
        "worker_seconds": round(spent, 1),
        "best": best_so_far(db, configuration),
        "waiting": waiting,
        "failed": failed,
    }


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
