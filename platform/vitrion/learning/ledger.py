"""Writes to the document of one cycle; each fails if its lease was lost."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from vitrion.database import Database
from vitrion.database.records import CycleRecord

RENEWALS_PER_LEASE = 6


@dataclass
class Ledger:
    """Writes to one cycle.

    Attributes:
        db: database of the campaign.
        campaign: its name.
        index: of the cycle.
        owner: owner of the lease.
        lease_seconds: duration of a renewal.
    """

    db: Database
    campaign: str
    index: int
    owner: str
    lease_seconds: float
    _renewed: float = field(default_factory=time.monotonic)

    @property
    def cycle(self) -> CycleRecord:
        """The document as it is now."""
        return self.db.cycles.get(self.campaign, self.index)

    def keep_alive(self) -> None:
        """Renew the lease once a sixth of it has passed; cheap to call often."""
        now = time.monotonic()
        if now - self._renewed > self.lease_seconds / RENEWALS_PER_LEASE:
            self.db.cycles.renew_lease(self.campaign, self.index, self.owner, self.lease_seconds)
            self._renewed = now

    def update(self, **fields: Any) -> None:
        """Write fields of the cycle."""
        self.db.cycles.update(self.campaign, self.index, owner=self.owner, **fields)

    @property
    def record(self) -> Mapping[str, Any]:
        """Results that the stages of this cycle have stored, by name."""
        return self._record

    def remember(self, name: str, value: Any) -> None:
        """Write one entry of the cycle's record."""
        record = {**self._record, name: value}
        self.update(record=record)
        self._record = record

    def spend(self, kind: str, task_id: str, seconds: float) -> None:
        """Add the time of one task to the budget, once: after a kill the same task may be reported again."""
        entry = self._budget.get(kind, {"tasks": 0, "seconds": 0.0})
        counted = entry.get("counted", [])
        if task_id in counted:
            return
        total = {
            "tasks": entry["tasks"] + 1,
            "seconds": entry["seconds"] + seconds,
            "counted": [*counted, task_id],
        }
        budget = {**self._budget, kind: total}
        self.update(budget=budget)
        self._budget = budget

    # Read once: nobody else writes under our lease, and the next write fails if it was lost.

    @cached_property
    def _record(self) -> dict[str, Any]:
        return dict(self.cycle.record or {})

    @cached_property
    def _budget(self) -> dict[str, Any]:
        return dict(self.cycle.budget or {})

    def transition(self, expected: str, new: str) -> None:
        """Move the cycle to its next state in one atomic update."""
        self.db.cycles.transition(self.campaign, self.index, expected=expected, new=new, owner=self.owner)
