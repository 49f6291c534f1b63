"""The campaign: a state machine kept in its documents.

    (none) -> proposed -> labelling -> learning -> closed -> (next cycle) ...

`step` does the next thing whatever happened before, under a lease with an owner and an expiry; `run` steps until
nothing is left. Nothing that decides a result lives in memory only: a killed campaign goes on from its documents, the
JobStore, the spool and the checkpoints, and ends with the labels that an undisturbed one has.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vitrion.database import Database
from vitrion.database.records import FINISHED, CycleRecord, Proposal
from vitrion.learning.acquisition.proposing import propose
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.lease import LEASE_SECONDS, holding, own_name
from vitrion.learning.ledger import Ledger
from vitrion.learning.plan import Plan, effective, make_plan, pinned_weights
from vitrion.learning.retraining.stage import LearningStage
from vitrion.learning.retrying import ask_again
from vitrion.learning.stage import Stage
from vitrion.learning.tasks import TaskFactory
from vitrion.running.display import Display
from vitrion.running.task import Runner
from vitrion_models.errors import VitrionError


class StoppedEarlyError(VitrionError):
    """A stop was asked for; everything finished is kept and the campaign can go on."""


@dataclass
class Campaign:
    """One campaign in one database.

    Attributes:
        db: where it lives.
        configuration: what it does.
        runner: where its tasks run.
        display: what people see of it.
        scratch: folder of the runs' checkpoints and trajectories.
        should_stop: asked often; true ends the current step cleanly.
    """

    db: Database
    configuration: CampaignConfiguration
    runner: Runner
    display: Display
    scratch: Path
    should_stop: Callable[[], bool]

    def __post_init__(self) -> None:
        """Name the owner of leases: this very process."""
        self.owner = own_name()

    @cached_property
    def factory(self) -> TaskFactory:
        """Tasks with the potential that this campaign was begun with."""
        plan = self.plan
        return TaskFactory(self.configuration, plan.potential, pinned_weights(plan, self.configuration.name))

    @cached_property
    def plan(self) -> Plan:
        """What was decided when the campaign began."""
        plan = make_plan(self.db, self.configuration)
        self.configuration = effective(self.configuration, plan.potential_note)
        return plan

    def run(self) -> None:
        """Step until every cycle is closed.

        Raises:
            StoppedEarlyError: a stop was asked for.
            BusyError: another process works on it.
        """
        while self.step():
            pass

    def step(self) -> bool:
        """Do the next thing.

        Returns:
            Whether there is more to do.

        Raises:
            StoppedEarlyError: a stop was asked for.
            BusyError: another process works on it.
        """
        plan, name = self.plan, self.configuration.name
        cycle = self.db.cycles.latest(name)
        if cycle is None:
            self._propose(plan, 0)
            return True
        if (late := self._asked_again()) is not None:
            with holding(self.db, name, late, owner=self.owner) as held:
                self._label(self._stage(held), what="what is asked again")
            return True
        if cycle.index + (cycle.state == "closed") >= self.configuration.cycles:
            return False
        with holding(self.db, name, cycle.index, owner=self.owner) as held:
            if held.state != "closed":
                self._advance(held)
            elif (latest := self.db.cycles.latest(name)) and latest.index == held.index:
                self._propose(plan, held.index + 1)  # else somebody has begun the next one
        return True

    def ask_again(self, *, outdated: bool = False) -> list[Proposal]:
        """Have the questions whose runs broke asked again by the next steps, those of closed cycles included.

        Args:
            outdated: also those whose labels are of an older gate version.

        Raises:
            BusyError: another process works on them.
        """
        return ask_again(self.db, self.factory, self.runner, owner=self.owner, outdated=outdated)

    def _asked_again(self) -> int | None:
        """The first cycle past its labelling in which a proposal waits, or None."""
        for cycle in self.db.cycles.list(self.configuration.name):
            past = cycle.state in {"learning", "closed"}
            if past and any(entry.state not in FINISHED for entry in cycle.proposals):
                return cycle.index
        return None

    def _propose(self, plan: Plan, index: int) -> None:
        self.display.say(f"cycle {index + 1} of {self.configuration.cycles}: choosing what to label")
        proposals = propose(self.db, self.configuration, plan, self.factory, index=index)
        self.db.cycles.create(self.configuration.name, index, proposals=proposals)

    def _stage(self, cycle: CycleRecord) -> Stage:
        return Stage(
            self.db,
            self.configuration,
            plan=self.plan,
            factory=self.factory,
            ledger=Ledger(self.db, cycle.campaign, cycle.index, self.owner, lease_seconds=LEASE_SECONDS),
            display=self.display,
            scratch=self.scratch,
            should_stop=self.should_stop,
        )

    def _advance(self, cycle: CycleRecord) -> None:
        stage = self._stage(cycle)
        if cycle.state == "proposed":
            stage.ledger.transition("proposed", "labelling")
        elif cycle.state == "labelling":
            self._label(stage, what="cells and labels")
            stage.ledger.transition("labelling", "learning")
        else:
            self._learn(stage)
            stage.ledger.transition("learning", "closed")

    def _label(self, stage: Stage, *, what: str) -> None:
        self.display.say(f"cycle {stage.ledger.index + 1}: {what}")
        labelling = stage.labelling()
        if not self.runner.run(labelling.begin(), on_result=labelling.on_result, watch=stage.watch()):
            raise StoppedEarlyError(_stopped(self.configuration.name))

    def _learn(self, stage: Stage) -> None:
        self.display.say(f"cycle {stage.ledger.index + 1}: retraining both models")
        learning = LearningStage(stage)
        learning.retrain()
        if self.should_stop() or not self.runner.run(
            learning.draws(), on_result=learning.on_result, watch=stage.watch()
        ):
            raise StoppedEarlyError(_stopped(self.configuration.name))
        learning.conclude()


def _stopped(name: str) -> str:
    return f"campaign {name} was stopped; what was finished is kept: run the same command to go on"
