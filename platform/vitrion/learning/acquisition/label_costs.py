"""Seconds that a label costs, from those that earlier labels of the campaign took."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion.database import Database
from vitrion.database.queries.gate_versions import ANY
from vitrion.database.records import CycleRecord
from vitrion.running.task import TaskKind


@dataclass(frozen=True)
class LabelCosts:
    """Measured costs.

    Attributes:
        per_atom: seconds of a label for each atom of its cell, by registry name of the potential; those without a
            label are absent.
        cell: seconds to make one cell; zero where none was made.
    """

    per_atom: dict[str, float]
    cell: float

    def seconds(self, potential: str, *, atoms: int, has_cell: bool) -> float:
        """Return the seconds of a label, rounded to a power of two: the load of a machine must not decide a choice."""
        exact = self.per_atom[potential] * atoms + (0.0 if has_cell else self.cell)
        return float(2.0 ** np.round(np.log2(exact)))


def label_costs(db: Database, campaign: str, cycles: Sequence[CycleRecord], potentials: Sequence[str]) -> LabelCosts:
    """Read the costs of a campaign: all labels of one potential have one protocol, so that atoms alone scale them.

    Args:
        db: database of the campaign.
        campaign: its name.
        cycles: its earlier cycles.
        potentials: registry names.
    """
    per_atom = {}
    for name in potentials:
        rows = db.labels.search(campaign=campaign, potential=name, property="tracer_diffusivity", gate_version=ANY)
        taken = [row.wall_seconds / row.n_atoms for row in rows if row.wall_seconds and row.n_atoms]
        if taken:
            per_atom[name] = float(np.median(taken))
    spent = [entry for cycle in cycles if (entry := (cycle.budget or {}).get(TaskKind.CELL.value))]
    tasks = sum(int(entry["tasks"]) for entry in spent)
    return LabelCosts(per_atom, sum(float(entry["seconds"]) for entry in spent) / tasks if tasks else 0.0)
