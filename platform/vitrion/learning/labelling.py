"""The labelling stage of a cycle: proposals become cells and labels, whatever happened before.

What is finished is read from the cycle's document, the JobStore and the runner's spool; only the rest is run. A result
is durable (JobStore, then documents, then the proposal) before its follow-up is begun, and each of these writes can be
repeated without harm.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pymatgen.core.structure import Structure

from vitrion.database.records import FINISHED, Arm, Proposal, ProposalState
from vitrion.learning.tasks import TaskFactory, outcome_of
from vitrion.running.task import Task, TaskKind, TaskResult
from vitrion_workflows.schemas import CellOutcome, LabelOutcome, failed_gates, gate_version_fault

MOST_CELLS = 3
"""Cells tried for one composition before its proposals are refused."""

GeometryReader = Callable[[str], Structure]
ResultKeeper = Callable[[TaskResult, TaskKind, str], None]
ProposalKeeper = Callable[[Sequence[Proposal]], None]


@dataclass
class Labelling:
    """The proposals of one cycle on their way to labels.

    Attributes:
        proposals: as the cycle's document holds them; replaced one by one as results come.
        factory: makes the tasks.
        geometry: reads a structure of the database by fingerprint.
        keep_result: writes a result's documents (JobStore, builder).
        keep_proposals: writes the proposals.
    """

    proposals: list[Proposal]
    factory: TaskFactory
    geometry: GeometryReader
    keep_result: ResultKeeper
    keep_proposals: ProposalKeeper
    _kinds: dict[str, tuple[TaskKind, str]] = field(default_factory=dict)

    def begin(self) -> list[Task]:
        """Tasks of everything that is neither finished nor waiting for another task."""
        tasks: dict[str, Task] = {}
        # A referee's labels take longest by far: begun last, all but one worker would wait for them.
        for proposal in sorted(self.proposals, key=lambda entry: entry.arm is not Arm.REFERENCE):
            if proposal.state in FINISHED:
                continue
            task = self._cell_task(proposal) if proposal.structure_fingerprint is None else self._label_task(proposal)
            tasks.setdefault(task.id, task)
        return list(tasks.values())

    def on_result(self, result: TaskResult) -> Iterable[Task]:
        """Make a result durable and return what it makes possible."""
        kind, subject = self._kinds[result.task_id]
        result = _of_current_gate_version(result)
        arm = next(p.arm for p in self.proposals if subject in (p.formula, p.label_key))
        if result.error is None:
            self.keep_result(result, kind, arm)
        outcome = outcome_of(result)
        following = self._after_cell(subject, outcome, result) if kind is TaskKind.CELL else []
        if kind is not TaskKind.CELL:
            self._after_label(subject, outcome, result)
        self.keep_proposals(self.proposals)
        return following

    def _cell_task(self, proposal: Proposal) -> Task:
        crystal = None if proposal.source_fingerprint is None else self.geometry(proposal.source_fingerprint)
        task = self.factory.cell(proposal.formula, crystal, attempt=proposal.attempts)
        self._kinds[task.id] = (TaskKind.CELL, proposal.formula)
        return task

    def _label_task(self, proposal: Proposal) -> Task:
        cell = self.geometry(str(proposal.structure_fingerprint))
        question = self.factory.question(proposal)
        task = self.factory.label(question, cell)
        self._kinds[task.id] = (task.kind, task.id)
        self._replace(proposal, label_key=task.id, potential=question.potential, seed=question.seed)
        return task

    def _after_cell(self, formula: str, outcome: Any, result: TaskResult) -> list[Task]:
        waiting = [p for p in self.proposals if p.formula == formula and p.structure_fingerprint is None]
        waiting = [p for p in waiting if p.state not in FINISHED]
        if isinstance(outcome, CellOutcome) and outcome.accepted:
            placed = [self._replace(p, structure_fingerprint=outcome.fingerprint) for p in waiting]
            return list({task.id: task for task in map(self._label_task, placed)}.values())
        reason = result.error or f"the cell failed {', '.join(failed_gates(outcome.gates))}"
        attempts = waiting[0].attempts + 1
        if attempts < MOST_CELLS:
            again = [self._replace(p, attempts=attempts) for p in waiting]
            return [self._cell_task(again[0])]
        state = ProposalState.FAILED if result.error else ProposalState.REFUSED
        for proposal in waiting:
            self._replace(proposal, attempts=attempts, state=state, reason=reason)
        return []

    def _after_label(self, key: str, outcome: Any, result: TaskResult) -> None:
        for proposal in [p for p in self.proposals if p.label_key == key]:
            if isinstance(outcome, LabelOutcome):
                self._replace(proposal, state=ProposalState.LABELLED, label_state=outcome.state.value)
            else:
                self._replace(proposal, state=ProposalState.FAILED, reason=result.error or "no label came back")

    def _replace(self, proposal: Proposal, **changes: object) -> Proposal:
        changed = proposal.model_copy(update=changes)
        self.proposals[self.proposals.index(proposal)] = changed
        return changed


def _of_current_gate_version(result: TaskResult) -> TaskResult:
    """Return the result, or a failure for a label of another gate version: it can be asked again."""
    outcome = outcome_of(result)
    if not isinstance(outcome, LabelOutcome) or (foreign := gate_version_fault(outcome)) is None:
        return result
    return replace(result, documents=(), error=f"the stored label {foreign}")
