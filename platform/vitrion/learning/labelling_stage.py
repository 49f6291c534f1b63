"""Labelling stage of a cycle: proposals become cells, and cells become labels.

Finished work is read from the cycle's document, the JobStore and the runner's spool; only the rest is run. A result is
durable (JobStore, then documents, then the proposal) before its follow-up starts, and each of these writes may be
repeated.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from pymatgen.core.structure import Structure

from vitrion.database.records import FINISHED, Arm, Proposal, ProposalState
from vitrion.learning.tasks import TaskFactory, outcome_of
from vitrion.running.task import Task, TaskKind, TaskResult
from vitrion_workflows.schemas import CellOutcome, LabelOutcome, VolumeEstimates, failed_gates, gate_version_fault

MAX_CELLS = 3
"""Cells tried for one composition before its proposals are refused."""

GeometryReader = Callable[[str], Structure]
VolumesReader = Callable[[str], VolumeEstimates | None]
ResultKeeper = Callable[[TaskResult, TaskKind, str], Mapping[str, str]]
ProposalKeeper = Callable[[Sequence[Proposal]], None]


@dataclass
class LabellingStage:
    """The proposals of one cycle on their way to labels.

    Attributes:
        proposals: as in the cycle's document; replaced one by one as results arrive.
        factory: makes the tasks.
        geometry: reads a structure of the database by fingerprint.
        volumes: reads the estimates of a stored cell's volume by fingerprint.
        keep_result: stores the documents of a result; returns the state of each stored label by key.
        keep_proposals: stores the proposals.
    """

    proposals: list[Proposal]
    factory: TaskFactory
    geometry: GeometryReader
    volumes: VolumesReader
    keep_result: ResultKeeper
    keep_proposals: ProposalKeeper
    _kinds: dict[str, tuple[TaskKind, str]] = field(default_factory=dict)

    def begin(self) -> list[Task]:
        """Return the tasks of all proposals that are neither finished nor waiting for another task."""
        tasks: dict[str, Task] = {}
        # Reference labels take longest by far: begun last, they would leave all workers but one idle.
        for proposal in sorted(self.proposals, key=lambda entry: entry.arm is not Arm.REFERENCE):
            if proposal.state in FINISHED:
                continue
            task = self._cell_task(proposal) if proposal.structure_fingerprint is None else self._label_task(proposal)
            tasks.setdefault(task.id, task)
        return list(tasks.values())

    def on_result(self, result: TaskResult) -> Iterable[Task]:
        """Make a result durable and return the tasks that it makes possible."""
        kind, subject = self._kinds[result.task_id]
        result = _refuse_outdated(result)
        arm = next(p.arm for p in self.proposals if subject in (p.formula, p.label_key))
        label_states = self.keep_result(result, kind, arm) if result.error is None else {}
        following: list[Task] = []
        if kind is TaskKind.CELL:
            following = self._after_cell(subject, result)
        else:
            self._after_label(subject, label_states.get(subject), result)
        self.keep_proposals(self.proposals)
        return following

    def _cell_task(self, proposal: Proposal) -> Task:
        crystal = None if proposal.source_fingerprint is None else self.geometry(proposal.source_fingerprint)
        task = self.factory.cell(proposal.formula, crystal, attempt=proposal.attempts)
        self._kinds[task.id] = (TaskKind.CELL, proposal.formula)
        return task

    def _label_task(self, proposal: Proposal) -> Task:
        cell = self.geometry(str(proposal.structure_fingerprint))
        request = self.factory.label_request(proposal)
        task = self.factory.label(request, cell, self.volumes(request.fingerprint))
        self._kinds[task.id] = (task.kind, task.id)
        self._replace(proposal, label_key=task.id, potential=request.potential, seed=request.seed)
        return task

    def _after_cell(self, formula: str, result: TaskResult) -> list[Task]:
        waiting = [
            entry
            for entry in self.proposals
            if entry.formula == formula and entry.structure_fingerprint is None and entry.state not in FINISHED
        ]
        outcome = outcome_of(result)
        gates = outcome.gates if isinstance(outcome, CellOutcome) else ()
        if isinstance(outcome, CellOutcome) and outcome.accepted:
            with_cell = [self._replace(entry, structure_fingerprint=outcome.fingerprint) for entry in waiting]
            return list({task.id: task for task in map(self._label_task, with_cell)}.values())
        reason = result.error or f"the cell failed {', '.join(failed_gates(gates))}"
        attempts = waiting[0].attempts + 1
        if attempts < MAX_CELLS:
            retried = [self._replace(entry, attempts=attempts) for entry in waiting]
            return [self._cell_task(retried[0])]
        state = ProposalState.FAILED if result.error else ProposalState.REFUSED
        for proposal in waiting:
            self._replace(proposal, attempts=attempts, state=state, reason=reason)
        return []

    def _after_label(self, key: str, label_state: str | None, result: TaskResult) -> None:
        """Give the proposals of a label the state of the stored document, which may differ from the job's."""
        for proposal in [entry for entry in self.proposals if entry.label_key == key]:
            if label_state is not None:
                self._replace(proposal, state=ProposalState.LABELLED, label_state=label_state)
            else:
                self._replace(proposal, state=ProposalState.FAILED, reason=result.error or "the job returned no label")

    def _replace(self, proposal: Proposal, **changes: object) -> Proposal:
        changed = proposal.model_copy(update=changes)
        self.proposals[self.proposals.index(proposal)] = changed
        return changed


def _refuse_outdated(result: TaskResult) -> TaskResult:
    """Return the result, or a failure where a run of an earlier version left the label: `campaign retry` recomputes it.

    Nothing of such a result is stored.
    """
    outcome = outcome_of(result)
    if not isinstance(outcome, LabelOutcome) or (reason := gate_version_fault(outcome)) is None:
        return result
    return replace(result, documents=(), error=f"the stored label {reason}")
