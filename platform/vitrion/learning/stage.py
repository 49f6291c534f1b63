"""What the stages of a cycle share: the documents they write and the progress they show."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from vitrion.database import Database
from vitrion.database.queries.filters import LabelFilters
from vitrion.database.records import FINISHED, Arm, Proposal
from vitrion.ingest import builder
from vitrion.learning.best_label import best_so_far
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.labelling import Labelling
from vitrion.learning.ledger import Ledger
from vitrion.learning.plan import Plan
from vitrion.learning.tasks import TaskFactory
from vitrion.running.display import Display
from vitrion.running.task import TaskKind, TaskResult, Watch, WorkerStatus
from vitrion_models.errors import InputError


@dataclass
class Stage:
    """One cycle in one owner's hands.

    Attributes:
        db: where.
        configuration: the campaign's.
        plan: what was decided when it began.
        factory: makes its tasks.
        ledger: writes its cycle.
        display: what people see.
        scratch: folder of the runs' checkpoints and trajectories.
        should_stop: asked often.
    """

    db: Database
    configuration: CampaignConfiguration
    plan: Plan
    factory: TaskFactory
    ledger: Ledger
    display: Display
    scratch: Path
    should_stop: Callable[[], bool]

    def labelling(self) -> Labelling:
        """The labelling stage of this cycle."""
        proposals = self.ledger.cycle.proposals
        self._tally(proposals)
        return Labelling(
            proposals=list(proposals),
            factory=self.factory,
            geometry=self.db.structures.structure,
            keep_result=self.keep,
            keep_proposals=self._keep_proposals,
        )

    def keep(self, result: TaskResult, kind: TaskKind, arm: str) -> None:
        """Make a result durable: JobStore, then documents, then the budget."""
        name, index = self.configuration.name, self.ledger.index
        self._job_store.update([dict(document) for document in result.documents], key=["uuid", "index"])
        built = builder.build(self.db, result.documents, campaign=name, cycle=index, arm=arm, scratch=self.scratch)
        if built.refused:
            raise InputError(f"task {result.task_id}: {'; '.join(built.refused.values())}")
        for what, why in built.missing.items():
            self.display.say(f"the trajectory of {what[:12]} could not be kept: {why}")
        self.ledger.spend(kind.value, result.task_id, result.seconds)
        self.display.tally.cpu_seconds += result.seconds

    @cached_property
    def _job_store(self) -> Any:
        return self.db.job_store()

    def watch(self) -> Watch:
        """Keeps the lease alive, shows progress, passes a stop on."""

        def on_tick(statuses: Sequence[WorkerStatus]) -> None:
            self.ledger.keep_alive()
            self.display.tick(statuses)

        return Watch(should_stop=self.should_stop, on_tick=on_tick)

    def _keep_proposals(self, proposals: Sequence[Proposal]) -> None:
        keys = sorted({entry.label_key for entry in proposals if entry.label_state and entry.label_key})
        self.ledger.update(proposals=[entry.model_dump(mode="json") for entry in proposals], label_keys=keys)
        self._tally(proposals)

    def begin_display(self, what: str, *, known: int, done: int) -> None:
        """Show what this cycle does now and how much of it is done."""
        tally = self.display.tally
        tally.stage = f"cycle {self.ledger.index + 1}/{self.configuration.cycles}, {what}"
        tally.tasks_known, tally.tasks_done = known, done

    def _tally(self, proposals: Sequence[Proposal]) -> None:
        tally = self.display.tally
        done = sum(entry.state in FINISHED for entry in proposals)
        self.begin_display("questions", known=len(proposals), done=done)
        asked: LabelFilters = {"campaign": self.configuration.name}
        referees: LabelFilters = {**asked, "arm": Arm.REFERENCE.value}
        tally.labels = self.db.labels.count(**asked) - self.db.labels.count(**referees)
        tally.best = best_so_far(self.db, self.configuration)
