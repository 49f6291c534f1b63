"""Cells, published labels and cycles that tests store in a database."""

from itertools import pairwise

import numpy as np

from vitrion.database.records import ImportedLabel
from vitrion_models.system import AtomicSystem
from vitrion_workflows.schemas.label import GATE_VERSION

OLDER = GATE_VERSION - 1
PUBLISHED = {
    "property": "tracer_diffusivity",
    "species": "Li",
    "temperature_K": 1000.0,
    "state": "published",
    "value": 1e-5,
    "unit": "cm2/s",
    "convention": "einstein_3d",
    "potential": "pbe",
    "weights_sha256": "c" * 64,
    "dataset": "aimd",
    "record": 0,
    "composition": "Li2S",
}


def random_cell(*, anion=16, seed=0):
    """Return six lithium ions and six anions anywhere in a cube of 7 A."""
    positions = np.random.default_rng(seed).uniform(0, 7, (12, 3))
    return AtomicSystem(np.repeat([3, anion], 6), positions, np.eye(3) * 7)


def published_label(**changes):
    """Return a label from a table, with any fields changed."""
    return ImportedLabel(**PUBLISHED | changes)


def set_gate_version(db, *keys, version=OLDER):
    """Store labels as another version of Vitrion would have left them."""
    for key in keys:
        assert db.collection("labels").update_one({"key": key}, {"$set": {"gate_version": version}})


def close_cycle(db, campaign, index, *, since="proposed"):
    """Move a cycle from a state through the following ones to the last."""
    states = ("proposed", "labelling", "learning", "closed")
    db.cycles.acquire_lease(campaign, index, "me", 300)
    for old, new in pairwise(states[states.index(since) :]):
        db.cycles.transition(campaign, index, expected=old, new=new, owner="me")
    db.cycles.release_lease(campaign, index, "me")
