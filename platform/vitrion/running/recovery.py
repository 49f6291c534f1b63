"""Recovery from dead workers: fireworks that they left claimed, locked or running without heartbeat.

FireWorks writes a firework, its launch and its workflow one after another, without transactions. A worker that is
killed between two of these writes leaves one of four traces, each of which is repaired here; fireworks of other
applications on the same launchpad are left alone.
"""

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from fireworks import LaunchPad

from vitrion_workflows.execution.scratch import TASK_METADATA_KEY

CHECKS_PER_LOSS = 4
MOST_LOSSES = 10
"""Workers that one firework may cost before it is defused: it may be the cause of their deaths."""


class Recovery:
    """Repairs the fireworks of dead workers among the tasks of one coordinator."""

    def __init__(self, pad: LaunchPad, *, lost_after_seconds: float) -> None:
        """Prepare.

        Args:
            pad: the launchpad.
            lost_after_seconds: time without heartbeat after which a worker counts as dead.
        """
        self._pad = pad
        self._lost_after = lost_after_seconds
        self._checked = float("-inf")
        self._locked_since: dict[int, float] = {}
        self._losses: Counter[int] = Counter()

    def repair(self, task_ids: Sequence[str]) -> None:
        """Make the fireworks of dead workers ready again; cheap to call often.

        A firework that lost ten workers under this coordinator is defused.
        """
        now = time.monotonic()
        if now - self._checked < self._lost_after / CHECKS_PER_LOSS:
            return
        self._checked = now
        tasks = {"$in": list(task_ids)}
        self._unlock(tasks, now)
        self._unreserve(tasks)
        _, lost, _ = self._pad.detect_lostruns(
            expiration_secs=self._lost_after, rerun=True, refresh=True, query={f"spec.{TASK_METADATA_KEY}": tasks}
        )
        self._losses.update(lost)
        self._rerun_unexplained(tasks)
        for fw_id in lost:
            if self._losses[fw_id] >= MOST_LOSSES:
                self._pad.defuse_fw(fw_id)

    def _unlock(self, tasks: dict[str, Any], now: float) -> None:
        """Remove locks held for half of `lost_after_seconds` at every check; a live one lasts milliseconds."""
        workflows = self._pad.workflows.find(
            {f"metadata.{TASK_METADATA_KEY}": tasks, "locked": {"$exists": True}}, {"nodes": 1}
        )
        locked = {min(workflow["nodes"]) for workflow in workflows}
        self._locked_since = {node: self._locked_since.get(node, now) for node in locked}
        for node, since in self._locked_since.items():
            if now - since >= self._lost_after / 2:
                self._pad.workflows.update_one({"nodes": node}, {"$unset": {"locked": ""}})

    def _unreserve(self, tasks: dict[str, Any]) -> None:
        """Make fireworks ready that were claimed and never started.

        A claim leaves a date in `updated_on`, a reservation by `qlaunch` (which may wait in its queue) a string; the
        query matches dates only.
        """
        cutoff = datetime.now(UTC) - timedelta(seconds=self._lost_after)
        self._pad.fireworks.update_many(
            {f"spec.{TASK_METADATA_KEY}": tasks, "state": "RESERVED", "updated_on": {"$lt": cutoff}},
            {"$set": {"state": "READY"}},
        )

    def _rerun_unexplained(self, tasks: dict[str, Any]) -> None:
        """Rerun fireworks that fizzled without a stored error: their coordinator died before it could rerun them."""
        fizzled = self._pad.fireworks.find(
            {f"spec.{TASK_METADATA_KEY}": tasks, "state": "FIZZLED"}, {"fw_id": 1, "launches": 1}
        )
        for firework in list(fizzled):
            explained = {"launch_id": {"$in": firework["launches"]}, "action": {"$ne": None}}
            if firework["launches"] and self._pad.launches.find_one(explained, {"_id": 1}) is None:
                self._pad.rerun_fw(firework["fw_id"])
