"""Cycles: a state machine in a document, changed by one atomic update under a lease."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from vitrion.database.collection import Collection
from vitrion.database.errors import DatabaseError, LeaseLostError, NotFoundError
from vitrion.database.queries.rows import Rows
from vitrion.database.records import CycleRecord, CycleState, Proposal
from vitrion.database.records.base import now
from vitrion.keys import cycle_number
from vitrion_models.errors import InputError

NEXT_STATE = {
    CycleState.PROPOSED: CycleState.LABELLING,
    CycleState.LABELLING: CycleState.LEARNING,
    CycleState.LEARNING: CycleState.CLOSED,
}


class Cycles:
    """The cycles of a database.

    The lease decides who may change a cycle: on a server the claim is one atomic update; in the embedded store all
    writers are one process. A lease that expired may be taken by anybody, and its former owner's next change raises
    `LeaseLostError`.
    """

    def __init__(self, cycles: Collection) -> None:
        """Use the collection."""
        self._cycles = cycles

    def get(self, campaign: str, index: int) -> CycleRecord:
        """Return a cycle.

        Raises:
            NotFoundError: there is none.
        """
        document = self._cycles.find_one({"campaign": campaign, "index": index})
        if document is None:
            raise NotFoundError(f"campaign {campaign!r} has no cycle {cycle_number(index)}")
        return CycleRecord.model_validate(document)

    def latest(self, campaign: str) -> CycleRecord | None:
        """Return the cycle with the greatest index, or None before the first."""
        last = self._cycles.find({"campaign": campaign}, sort=[("index", -1)], limit=1)
        return CycleRecord.model_validate(last[0]) if last else None

    def list(self, campaign: str) -> Rows[CycleRecord]:
        """Return all cycles of a campaign, by index."""
        cycles = self._cycles.find({"campaign": campaign}, sort=[("index", 1)])
        return Rows(CycleRecord, [CycleRecord.model_validate(cycle) for cycle in cycles])

    def create(self, campaign: str, index: int, *, proposals: Sequence[Proposal] = (), **fields: Any) -> CycleRecord:
        """Start a cycle in state ``proposed``, or return the stored one unchanged.

        Args:
            campaign: name of the campaign.
            index: counts from 0.
            proposals: what the cycle asks.
            fields: further fields of `CycleRecord`.

        Raises:
            InputError: a field that the document refuses.
        """
        record = CycleRecord.of(campaign=campaign, index=index, proposals=tuple(proposals), **fields)
        self._cycles.insert_if_absent(record.document())
        return self.get(campaign, index)

    def acquire_lease(self, campaign: str, index: int, owner: str, seconds: float) -> bool:
        """Acquire the lease if it is free, expired, or already the owner's.

        Returns:
            Whether the owner holds it now.
        """
        moment = now()
        query = {
            "campaign": campaign,
            "index": index,
            "$or": [{"lease_owner": None}, {"lease_owner": owner}, {"lease_expires": {"$lt": moment}}],
        }
        expires = moment + timedelta(seconds=seconds)
        return self._cycles.update_one(query, {"$set": {"lease_owner": owner, "lease_expires": expires}})

    def renew_lease(self, campaign: str, index: int, owner: str, seconds: float) -> None:
        """Extend a lease to so many seconds from now.

        Raises:
            LeaseLostError: another process holds it.
        """
        expires = now() + timedelta(seconds=seconds)
        self.update(campaign, index, owner=owner, lease_expires=expires)

    def release_lease(self, campaign: str, index: int, owner: str) -> None:
        """Release a lease, unless another process has acquired it."""
        query = {"campaign": campaign, "index": index, "lease_owner": owner}
        self._cycles.update_one(query, {"$set": {"lease_owner": None, "lease_expires": None}})

    def transition(
        self, campaign: str, index: int, *, expected: str, new: str, owner: str, **fields: Any
    ) -> CycleRecord:
        """Move a cycle to its next state, and set fields, in one atomic update.

        Raises:
            InputError: the states do not follow each other, or a field that the document refuses.
            LeaseLostError: it is in another state, or another process holds the lease.
        """
        if NEXT_STATE.get(CycleState(expected)) != new:
            raise InputError(f"campaign {campaign}: cycle {cycle_number(index)} does not go from {expected} to {new}")
        if new == CycleState.CLOSED:
            fields.setdefault("closed_at", now())
        self._set(campaign, index, owner=owner, query={"state": str(expected)}, fields={**fields, "state": str(new)})
        return self.get(campaign, index)

    def update(self, campaign: str, index: int, *, owner: str, **fields: Any) -> None:
        """Set fields of a cycle in one atomic update.

        Raises:
            InputError: a field that the document refuses.
            LeaseLostError: another process holds the lease.
        """
        self._set(campaign, index, owner=owner, query={}, fields=fields)

    def _set(
        self, campaign: str, index: int, *, owner: str, query: Mapping[str, Any], fields: Mapping[str, Any]
    ) -> None:
        # Checked as a whole document before anything is written; None empties a field.
        document = CycleRecord.of(campaign=campaign, index=index, **fields).document()
        stored = {name: document.get(name) for name in fields}
        mine = {"campaign": campaign, "index": index, "lease_owner": owner, **query}
        if not self._cycles.update_one(mine, {"$set": stored}):
            raise self._lost(campaign, index, owner=owner, query=query)

    def _lost(self, campaign: str, index: int, *, owner: str, query: Mapping[str, Any]) -> DatabaseError:
        row = self.get(campaign, index)
        where = f"cycle {cycle_number(index)} of campaign {campaign!r}"
        if row.lease_owner != owner:
            return LeaseLostError(
                f"{where} is held by {row.lease_owner or 'nobody'}, not by {owner}: stop this process"
            )
        return LeaseLostError(
            f"{where} is {row.state}, not {query.get('state', 'as expected')}: look again before going on"
        )
