"""One cycle being worked on: its documents, its budget and its progress, shared by both stages."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vitrion.database import Database
from vitrion.database.queries.filters import LabelFilters
from vitrion.database.records import FINISHED, Arm, Proposal
from vitrion.ingest import builder
from vitrion.keys import cycle_number, short_key
from vitrion.learning.best_label import best_so_far
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.labelling_stage import LabellingStage
from vitrion.learning.lease import Ledger
from vitrion.learning.plan import Plan
from vitrion.learning.tasks import TaskFactory
from vitrion.running.display import Display
from vitrion.running.task import RunCallbacks, TaskKind, TaskResult, WorkerStatus
from vitrion_models.errors import InputError


@dataclass
class CycleRun:
    """One cycle under the lease of this process."""

    db: Database
    configuration: CampaignConfiguration
    plan: Plan
    factory: TaskFactory
    ledger: Ledger
    display: Display
    scratch: Path
    should_stop: Callable[[], bool]

    def labelling_stage(self) -> LabellingStage:
        """Return the labelling stage of this cycle."""
        proposals = self.ledger.cycle.proposals
        self._tally(proposals)
        return LabellingStage(
            proposals=list(proposals),
            factory=self.factory,
            geometry=self.db.structures.structure,
            volumes=lambda fingerprint: self.db.structures.get(fingerprint).volumes,
            keep_result=self.keep,
            keep_proposals=self._keep_proposals,
        )

    def keep(self, result: TaskResult, kind: TaskKind, arm: str) -> Mapping[str, str]:
        """Make a result durable: JobStore, then documents, then the budget.

        Returns:
            The state of each of its labels as stored, by key.

        Raises:
            InputError: the builder refused an outcome.
        """
        name, index = self.configuration.name, self.ledger.index
        self._job_store.update([dict(document) for document in result.documents], key=["uuid", "index"])
        built = builder.build(self.db, result.documents, campaign=name, cycle=index, arm=arm, scratch=self.scratch)
        if built.refused:
            raise InputError(f"task {result.task_id}: {'; '.join(built.refused.values())}")
        for key, reason in built.missing.items():
            self.display.say(f"the trajectory of {short_key(key)} could not be kept: {reason}")
        self.ledger.spend(kind.value, result.task_id, result.seconds)
        self.display.tally.cpu_seconds += result.seconds
        return {key: row.state for key, row in self.db.labels.find(built.labels).items()} if built.labels else {}

    @cached_property
    def _job_store(self) -> Any:
        return self.db.job_store()

    def callbacks(self) -> RunCallbacks:
        """Return callbacks that renew the lease, show progress and pass a stop on."""

        def on_tick(statuses: Sequence[WorkerStatus]) -> None:
            self.ledger.keep_alive()
            self.display.tick(statuses)

        return RunCallbacks(should_stop=self.should_stop, on_tick=on_tick)

    def _keep_proposals(self, proposals: Sequence[Proposal]) -> None:
        keys = sorted({entry.label_key for entry in proposals if entry.label_state and entry.label_key})
        self.ledger.update(proposals=tuple(proposals), label_keys=keys)
        self._tally(proposals)

    def begin_display(self, what: str, *, total: int, done: int) -> None:
        """Show what the cycle does now and how much of it is done."""
        tally = self.display.tally
        tally.stage = f"cycle {cycle_number(self.ledger.index)}/{self.configuration.cycles}, {what}"
        tally.tasks_total, tally.tasks_done = total, done

    def _tally(self, proposals: Sequence[Proposal]) -> None:
        tally = self.display.tally
        done = sum(entry.state in FINISHED for entry in proposals)
        self.begin_display("labels", total=len(proposals), done=done)
        labels: LabelFilters = {"campaign": self.configuration.name}
        references: LabelFilters = {**labels, "arm": Arm.REFERENCE.value}
        tally.labels = self.db.labels.count(**labels) - self.db.labels.count(**references)
        tally.best = best_so_far(self.db, self.configuration)
