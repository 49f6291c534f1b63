"""One cycle's document under one owner's lease: every write says who writes and fails if the lease is lost."""

import time
from dataclasses import dataclass, field
from typing import Any

from vitrion.database import CycleRow, Database

RENEWALS_PER_LEASE = 6


@dataclass
class Ledger:
    """Writes of one cycle.

    Attributes:
        db: where.
        campaign: name.
        index: of the cycle.
        owner: holder of the lease.
        lease_seconds: how long a renewal lasts.
    """

    db: Database
    campaign: str
    index: int
    owner: str
    lease_seconds: float
    _renewed: float = field(default_factory=time.monotonic)

    @property
    def cycle(self) -> CycleRow:
        """The document as it is now."""
        return self.db.cycles.get(self.campaign, self.index)

    def keep_alive(self) -> None:
        """Renew the lease when a sixth of it has passed; cheap to call often."""
        now = time.monotonic()
        if now - self._renewed > self.lease_seconds / RENEWALS_PER_LEASE:
            self.db.cycles.renew_lease(self.campaign, self.index, self.owner, self.lease_seconds)
            self._renewed = now

    def update(self, **fields: Any) -> None:
        """Write fields of the cycle."""
        self.db.cycles.update(self.campaign, self.index, owner=self.owner, **fields)

    def remember(self, name: str, value: Any) -> None:
        """Write one entry of the cycle's record."""
        self.update(record={**(self.cycle.record or {}), name: value})

    def spend(self, kind: str, seconds: float) -> None:
        """Add one task's time to the budget."""
        budget = dict(self.cycle.budget or {})
        entry = budget.get(kind, {"tasks": 0, "seconds": 0.0})
        budget[kind] = {"tasks": entry["tasks"] + 1, "seconds": entry["seconds"] + seconds}
        self.update(budget=budget)

    def transition(self, expected: str, new: str) -> None:
        """Move the cycle on in one atomic update."""
        self.db.cycles.transition(self.campaign, self.index, expected=expected, new=new, owner=self.owner)
