"""Repeating proposals that failed, or whose labels are of an older gate version."""

from collections.abc import Iterator, Sequence

from vitrion.database import Database
from vitrion.database.queries.gate_versions import is_outdated
from vitrion.database.records import Proposal, ProposalState
from vitrion.learning.labelling import MOST_CELLS
from vitrion.learning.lease import holding
from vitrion.learning.tasks import TaskFactory
from vitrion.running.task import Runner


def ask_again(
    db: Database, factory: TaskFactory, runner: Runner, *, owner: str, outdated: bool = False
) -> list[Proposal]:
    """Have every failed proposal of a campaign wait again, whatever state its cycle is in.

    A cell or label that the gates refused is an answer and stays. The runner forgets the failures first: killed in
    between, the same call finds the proposals as they were still.

    Args:
        db: where the campaign is.
        factory: makes its tasks.
        runner: where they run.
        owner: see `vitrion.learning.lease.own_name`.
        outdated: also those whose labels are of an older gate version; each stays in the database until the
            recomputed one takes its place.

    Returns:
        The proposals as they are now.

    Raises:
        BusyError: another process works on a cycle with such a proposal.
    """
    name = factory.configuration.name
    asked: list[Proposal] = []
    for cycle in db.cycles.list(name):
        if not _chosen(db, cycle.proposals, outdated=outdated):
            continue
        with holding(db, name, cycle.index, owner=owner) as held:
            proposals = held.proposals
            chosen = _chosen(db, proposals, outdated=outdated)
            runner.ask_again([task for entry in chosen for task in _cell_tasks(db, factory, entry)])
            # A finished label of an older gate version is computed anew.
            runner.ask_again([entry.label_key for entry in chosen if entry.label_key is not None], anew=True)
            waiting = {entry: _waiting(entry) for entry in chosen}
            stored = [waiting.get(entry, entry).model_dump(mode="json") for entry in proposals]
            db.cycles.update(name, held.index, owner=owner, proposals=stored)
            asked += waiting.values()
    return asked


def _chosen(db: Database, proposals: Sequence[Proposal], *, outdated: bool) -> list[Proposal]:
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
    for attempt in range(MOST_CELLS):
        yield factory.cell(proposal.formula, crystal, attempt=attempt).id


def _waiting(proposal: Proposal) -> Proposal:
    begun = {} if proposal.structure_fingerprint is not None else {"attempts": 0}
    asked = {"state": ProposalState.WAITING, "reason": "", "label_state": None}
    return proposal.model_copy(update=asked | begun)
