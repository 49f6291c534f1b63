"""Retrying proposals that failed, or whose labels are of an older gate version."""

from collections.abc import Iterator, Sequence

from vitrion.database import Database
from vitrion.database.queries.gate_versions import is_outdated
from vitrion.database.records import Proposal, ProposalState
from vitrion.learning.labelling_stage import MAX_CELLS
from vitrion.learning.lease import lease
from vitrion.learning.tasks import TaskFactory
from vitrion.running.task import Runner


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
