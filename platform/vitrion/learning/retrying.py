"""Asking again: proposals whose runs broke, or whose labels are of other rules, go back to those that wait."""

from collections.abc import Iterator, Sequence

from vitrion.database import Database
from vitrion.database.queries import gate_versions as rules
from vitrion.learning.labelling import MOST_CELLS
from vitrion.learning.lease import holding
from vitrion.learning.proposal import Proposal, ProposalState, plain_proposals
from vitrion.learning.tasks import TaskFactory
from vitrion.running.task import Runner


def ask_again(
    db: Database, factory: TaskFactory, runner: Runner, *, owner: str, other_rules: bool = False
) -> list[Proposal]:
    """Have every failed proposal of a campaign wait again, whatever state its cycle is in.

    A cell or label that the gates refused is an answer and stays. The runner forgets the failures first: killed in
    between, the same call finds the proposals as they were still.

    Args:
        db: where the campaign is.
        factory: makes its tasks.
        runner: where they run.
        owner: see `vitrion.learning.lease.own_name`.
        other_rules: also those whose labels older rules than those of here judged (`queries.gate_versions`); each
            stays in the database until the one that is made again takes its place.

    Returns:
        The proposals as they are now.

    Raises:
        BusyError: another process works on a cycle with such a proposal.
    """
    name = factory.configuration.name
    asked: list[Proposal] = []
    for cycle in db.cycles.list(name):
        if not _chosen(db, plain_proposals(cycle.proposals), other_rules=other_rules):
            continue
        with holding(db, name, cycle.index, owner=owner) as held:
            proposals = plain_proposals(held.proposals)
            chosen = _chosen(db, proposals, other_rules=other_rules)
            runner.ask_again([task for entry in chosen for task in _cell_tasks(db, factory, entry)])
            # A label may be finished and yet no answer: its run was judged by other rules.
            runner.ask_again([entry.label_key for entry in chosen if entry.label_key is not None], anew=True)
            waiting = {entry: _waiting(entry) for entry in chosen}
            stored = [waiting.get(entry, entry).model_dump(mode="json") for entry in proposals]
            db.cycles.update(name, held.index, owner=owner, proposals=stored)
            asked += waiting.values()
    return asked


def _chosen(db: Database, proposals: Sequence[Proposal], *, other_rules: bool) -> list[Proposal]:
    failed = [entry for entry in proposals if entry.state is ProposalState.FAILED]
    if not other_rules:
        return failed
    keys = {entry.label_key for entry in proposals if entry.state is ProposalState.LABELLED and entry.label_key}
    older = {key for key, label in db.labels.find(sorted(keys)).items() if rules.gives_way(label)}
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
