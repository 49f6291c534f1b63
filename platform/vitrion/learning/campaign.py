"""A campaign: a state machine kept in its documents.

    (none) -> proposed -> labelling -> learning -> closed -> (next cycle) ...

`step` does the next piece of work, whatever happened before, under a lease with an owner and an expiry; `run` steps
until every cycle is closed. Everything that determines a result is stored: a killed campaign continues from its
documents, the JobStore, the spool and the checkpoints, and ends with the labels of an undisturbed one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from vitrion.database import Database
from vitrion.database.queries.gate_versions import is_outdated
from vitrion.database.records import FINISHED, CycleRecord, Proposal, ProposalState
from vitrion.keys import cycle_number
from vitrion.learning.acquisition.proposing import propose
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.cycle_run import CycleRun
from vitrion.learning.labelling_stage import MAX_CELLS
from vitrion.learning.lease import LEASE_SECONDS, Ledger, lease, lease_owner
from vitrion.learning.plan import Plan, effective, make_plan, pinned_weights
from vitrion.learning.retraining.learning_stage import LearningStage
from vitrion.learning.tasks import TaskFactory
from vitrion.running.display import Display
from vitrion.running.task import Runner
from vitrion_models.errors import VitrionError
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.dynamics.stage import Callbacks


def retry_proposals(
    db: Database, factory: TaskFactory, runner: Runner, *, owner: str, outdated: bool = False
) -> list[Proposal]:
    """Set every failed proposal of a campaign back to waiting, whatever the state of its cycle.

    A cell or label that the gates rejected is a result and stays. The runner forgets the failures first: after a kill
    in between, the same call finds the proposals unchanged.

    Args:
        db: database of the campaign.
        factory: makes its tasks.
        runner: runs them.
        owner: see `vitrion.learning.lease.lease_owner`.
        outdated: also the proposals whose labels are of an older gate version; each label stays in the database until
            the new one replaces it.

    Returns:
        The proposals that now wait.

    Raises:
        BusyError: another process works on a cycle with such a proposal.
    """
    name = factory.configuration.name
    retried: list[Proposal] = []
    for cycle in db.cycles.list(name):
        if not _to_retry(db, cycle.proposals, outdated=outdated):
            continue
        with lease(db, name, cycle.index, owner=owner) as current:
            proposals = current.proposals
            chosen = _to_retry(db, proposals, outdated=outdated)
            runner.retry([task for entry in chosen for task in _cell_tasks(db, factory, entry)])
            # The run of an outdated label is finished; the runner must forget that, too.
            runner.retry([entry.label_key for entry in chosen if entry.label_key is not None], rerun_finished=True)
            waiting = {entry: _reset(entry) for entry in chosen}
            updated = tuple(waiting.get(entry, entry) for entry in proposals)
            db.cycles.update(name, current.index, owner=owner, proposals=updated)
            retried += waiting.values()
    return retried


def _to_retry(db: Database, proposals: Sequence[Proposal], *, outdated: bool) -> list[Proposal]:
    failed = [entry for entry in proposals if entry.state is ProposalState.FAILED]
    if not outdated:
        return failed
    keys = {entry.label_key for entry in proposals if entry.state is ProposalState.LABELLED and entry.label_key}
    older = {key for key, label in db.labels.find(sorted(keys)).items() if is_outdated(label.gate_version)}
    return [entry for entry in proposals if entry in failed or entry.label_key in older]


def _cell_tasks(db: Database, factory: TaskFactory, proposal: Proposal) -> Iterator[str]:
    if proposal.label_key is not None:
        return
    source = proposal.source_fingerprint
    crystal = None if source is None else db.structures.structure(source)
    for attempt in range(MAX_CELLS):
        yield factory.cell(proposal.formula, crystal, attempt=attempt).id


def _reset(proposal: Proposal) -> Proposal:
    attempts = {} if proposal.structure_fingerprint is not None else {"attempts": 0}
    return proposal.model_copy(
        update={"state": ProposalState.WAITING, "reason": "", "label_state": None, **attempts},
    )


class StoppedEarlyError(VitrionError):
    """The campaign was stopped on request; all finished work is stored and the campaign can be continued."""


@dataclass
class Campaign:
    """One campaign in one database."""

    db: Database
    configuration: CampaignConfiguration
    runner: Runner
    display: Display
    scratch: Path
    should_stop: Callable[[], bool]

    def __post_init__(self) -> None:
        """Name the owner of leases: this process."""
        self.owner = lease_owner()

    @cached_property
    def factory(self) -> TaskFactory:
        """Maker of tasks with the potential that the campaign was begun with."""
        plan = self.plan
        return TaskFactory(self.configuration, plan.potential, pinned_weights(plan, self.configuration.name))

    @cached_property
    def plan(self) -> Plan:
        """Decisions taken when the campaign began."""
        callbacks = Callbacks(on_progress=self.display.follow, should_stop=self.should_stop, on_part=self.display.say)
        try:
            plan = make_plan(self.db, self.configuration, callbacks=callbacks)
        except StoppedError as stopped:
            raise StoppedEarlyError(_stopped(self.configuration.name)) from stopped
        self.configuration = effective(self.configuration, plan.potential_note)
        return plan

    def run(self) -> None:
        """Step until every cycle is closed.

        Raises:
            StoppedEarlyError: a stop was requested.
            BusyError: another process works on the campaign.
        """
        while self.step():
            pass

    def step(self) -> bool:
        """Do the next piece of work.

        Returns:
            True if there is more to do.

        Raises:
            StoppedEarlyError: a stop was requested.
            BusyError: another process works on the campaign.
        """
        more = self._step()
        if more and self.should_stop():
            raise StoppedEarlyError(_stopped(self.configuration.name))
        return more

    def _step(self) -> bool:
        plan, name = self.plan, self.configuration.name
        cycle = self.db.cycles.latest(name)
        if cycle is None:
            self._propose(plan, 0)
            return True
        if (retried := self._cycle_with_retries()) is not None:
            with lease(self.db, name, retried, owner=self.owner) as current:
                self._label(self._cycle_run(current), what="retried labels")
            return True
        if cycle.index + (cycle.state == "closed") >= self.configuration.cycles:
            return False
        with lease(self.db, name, cycle.index, owner=self.owner) as current:
            if current.state != "closed":
                self._advance(current)
            elif (latest := self.db.cycles.latest(name)) and latest.index == current.index:
                self._propose(plan, current.index + 1)  # else another process has begun the next cycle
        return True

    def retry(self, *, outdated: bool = False) -> list[Proposal]:
        """Have the next steps repeat the runs that failed, in closed cycles too.

        Args:
            outdated: also those whose labels are of an older gate version.

        Raises:
            BusyError: another process works on them.
        """
        return retry_proposals(self.db, self.factory, self.runner, owner=self.owner, outdated=outdated)

    def _cycle_with_retries(self) -> int | None:
        """Return the index of the first cycle past its labelling stage in which a proposal waits, or None."""
        for cycle in self.db.cycles.list(self.configuration.name):
            past = cycle.state in {"learning", "closed"}
            if past and any(entry.state not in FINISHED for entry in cycle.proposals):
                return cycle.index
        return None

    def _propose(self, plan: Plan, index: int) -> None:
        self.display.say(f"cycle {cycle_number(index)} of {self.configuration.cycles}: choosing what to label")
        proposals = propose(self.db, self.configuration, plan, self.factory, index=index)
        self.db.cycles.create(self.configuration.name, index, proposals=proposals)

    def _cycle_run(self, cycle: CycleRecord) -> CycleRun:
        return CycleRun(
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
        run = self._cycle_run(cycle)
        if cycle.state == "proposed":
            run.ledger.transition("proposed", "labelling")
        elif cycle.state == "labelling":
            self._label(run, what="cells and labels")
            run.ledger.transition("labelling", "learning")
        else:
            self._learn(run)
            run.ledger.transition("learning", "closed")

    def _label(self, run: CycleRun, *, what: str) -> None:
        self.display.say(f"cycle {cycle_number(run.ledger.index)}: {what}")
        stage = run.labelling_stage()
        if not self.runner.run(stage.begin(), on_result=stage.on_result, callbacks=run.callbacks()):
            raise StoppedEarlyError(_stopped(self.configuration.name))

    def _learn(self, run: CycleRun) -> None:
        self.display.say(f"cycle {cycle_number(run.ledger.index)}: retraining both models")
        stage = LearningStage(run)
        stage.retrain()
        if self.should_stop() or not self.runner.run(
            stage.draws(), on_result=stage.on_result, callbacks=run.callbacks()
        ):
            raise StoppedEarlyError(_stopped(self.configuration.name))


def _stopped(name: str) -> str:
    return f"campaign {name} was stopped; finished work is stored: run the same command to continue"
