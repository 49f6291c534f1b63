"""Asking again: proposals whose runs broke go back to those that wait, once the reason is mended."""

from collections.abc import Iterator

from vitrion.database import Database
from vitrion.learning.holding import holding
from vitrion.learning.labelling import MOST_CELLS
from vitrion.learning.proposal import Proposal, ProposalState, plain_proposals
from vitrion.learning.tasks import TaskFactory
from vitrion.running.task import Runner


def ask_again(db: Database, factory: TaskFactory, runner: Runner, *, owner: str) -> list[Proposal]:
    """Have every failed proposal of a campaign wait again, whatever state its cycle is in.

    A cell or label that the gates refused is an answer and stays. The runner forgets the failures first: killed in
    between, the same call finds the proposals failed still.

    Args:
        db: where the campaign is.
        factory: makes its tasks.
        runner: where they run.
        owner: see `vitrion.learning.holding.own_name`.

    Returns:
        The proposals as they are now.

    Raises:
        BusyError: another process works on a cycle with a failed proposal.
    """
    name = factory.configuration.name
    asked: list[Proposal] = []
    for cycle in db.cycles.list(name):
        if not any(entry.state is ProposalState.FAILED for entry in plain_proposals(cycle.proposals)):
            continue
        with holding(db, name, cycle.index, owner=owner) as held:
            proposals = plain_proposals(held.proposals)
            failed = [entry for entry in proposals if entry.state is ProposalState.FAILED]
            runner.ask_again([task for entry in failed for task in _tasks_of(db, factory, entry)])
            waiting = {entry: _waiting(entry) for entry in failed}
            stored = [waiting.get(entry, entry).model_dump(mode="json") for entry in proposals]
            db.cycles.update(name, held.index, owner=owner, proposals=stored)
            asked += waiting.values()
    return asked


def _tasks_of(db: Database, factory: TaskFactory, proposal: Proposal) -> Iterator[str]:
    if proposal.label_key is not None:
        yield proposal.label_key
        return
    source = proposal.source_fingerprint
    crystal = None if source is None else db.structures.structure(source)
    for attempt in range(MOST_CELLS):
        yield factory.cell(proposal.formula, crystal, attempt=attempt).id


def _waiting(proposal: Proposal) -> Proposal:
    begun = {} if proposal.structure_fingerprint is not None else {"attempts": 0}
    return proposal.model_copy(update={"state": ProposalState.WAITING, "reason": "", **begun})
