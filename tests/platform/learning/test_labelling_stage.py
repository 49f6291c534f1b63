"""The labelling stage against results made by hand: retries, refusals, faults, and what is written when."""

import pytest
from plain_labels import plain_label
from tiny_campaign import TINY

import vitrion
from vitrion.database.records import Arm, Proposal, ProposalState
from vitrion.datasets.quickstart import quickstart_crystals
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.cycle_run import CycleRun
from vitrion.learning.labelling_stage import MAX_CELLS, LabellingStage
from vitrion.learning.lease import Ledger
from vitrion.learning.tasks import TaskFactory, outcome_of
from vitrion.running.display import Display
from vitrion.running.task import TaskKind, TaskResult
from vitrion_workflows.potentials import load
from vitrion_workflows.schemas import (
    CellOutcome,
    GateOutcome,
    LabelState,
    Origin,
    StructureKind,
    fingerprint,
)

CONFIGURATION = CampaignConfiguration.model_validate(TINY)
CRYSTAL = quickstart_crystals(("LiCl",))[0]
CELL = CRYSTAL * (2, 2, 1)


@pytest.fixture
def stage():
    """A labelling stage of two proposals for one composition, and a log of what it wrote."""
    kept, written = [], []

    def keep_result(result, kind, arm):
        kept.append((result.task_id, kind, arm))
        return {} if kind is TaskKind.CELL else {result.task_id: outcome_of(result).state.value}

    structures = {fingerprint(CRYSTAL): CRYSTAL, fingerprint(CELL): CELL}
    proposals = [
        Proposal(formula="LiCl", source_fingerprint=fingerprint(CRYSTAL), temperature_K=kelvin, arm=Arm.INITIAL)
        for kelvin in (1500.0, 2500.0)
    ]
    labelling = LabellingStage(
        proposals=proposals,
        factory=TaskFactory(CONFIGURATION, "lennard-jones", load("lennard-jones").weights_sha256),
        geometry=structures.__getitem__,
        volumes=lambda _fingerprint: None,
        keep_result=keep_result,
        keep_proposals=lambda entries: written.append([entry.state for entry in entries]),
    )
    return labelling, kept, written


def cell_result(task, *, accepted):
    gate = GateOutcome(name="density", passed=accepted, value=1.0)
    outcome = CellOutcome(
        structure=CELL.as_dict(),
        fingerprint=fingerprint(CELL),
        kind=StructureKind.AMORPHOUS,
        origin=Origin.MELT_QUENCH,
        accepted=accepted,
        gates=(gate,),
        formula="LiCl",
        density_g_cm3=2.0,
    )
    return TaskResult(task.id, ({"uuid": "u", "index": 1, "output": outcome.model_dump(mode="json")},))


def label_result(task, kelvin):
    weights = load("lennard-jones").weights_sha256
    outcome = plain_label(fingerprint(CELL), potential="lennard-jones", weights=weights, temperature_K=kelvin)
    return TaskResult(task.id, ({"uuid": "v", "index": 1, "output": outcome.model_dump(mode="json")},)), outcome


def test_one_cell_serves_all_questions_about_its_composition(stage):
    labelling, kept, _ = stage
    tasks = labelling.begin()
    assert [task.kind for task in tasks] == [TaskKind.CELL]
    following = labelling.on_result(cell_result(tasks[0], accepted=True))
    assert [task.kind for task in following] == [TaskKind.LABEL, TaskKind.LABEL]
    assert {proposal.label_key for proposal in labelling.proposals} == {task.id for task in following}
    assert kept == [(tasks[0].id, TaskKind.CELL, Arm.INITIAL)]
    result, outcome = label_result(following[0], 1500.0)
    assert labelling.on_result(result) == []
    assert labelling.proposals[0].state == ProposalState.LABELLED
    assert labelling.proposals[0].label_state == outcome.state.value
    assert labelling.proposals[1].state == ProposalState.WAITING


def test_a_refused_cell_is_tried_again_with_another_seed_and_then_given_up(stage):
    labelling, _, written = stage
    tasks = labelling.begin()
    tried = {tasks[0].id}
    for _ in range(MAX_CELLS - 1):
        tasks = labelling.on_result(cell_result(tasks[0], accepted=False))
        assert len(tasks) == 1
        assert tasks[0].id not in tried
        tried.add(tasks[0].id)
    assert labelling.on_result(cell_result(tasks[0], accepted=False)) == []
    assert all(proposal.state == ProposalState.REFUSED for proposal in labelling.proposals)
    assert all("density" in proposal.reason for proposal in labelling.proposals)
    assert written[-1] == [ProposalState.REFUSED] * 2


def test_a_broken_run_fails_its_own_proposal_only_and_keeps_nothing(stage):
    labelling, kept, _ = stage
    following = labelling.on_result(cell_result(labelling.begin()[0], accepted=True))
    kept.clear()
    labelling.on_result(TaskResult(following[0].id, (), error="DynamicsError: the temperature has risen"))
    assert [proposal.state for proposal in labelling.proposals] == [ProposalState.FAILED, ProposalState.WAITING]
    assert "temperature has risen" in labelling.proposals[0].reason
    assert kept == []


def test_a_label_that_an_older_version_left_fails_its_proposal_so_that_it_can_be_asked_again(stage):
    labelling, kept, _ = stage
    following = labelling.on_result(cell_result(labelling.begin()[0], accepted=True))
    kept.clear()
    result, outcome = label_result(following[0], 1500.0)
    old = outcome.model_copy(update={"gate_version": 0}).model_dump(mode="json")
    labelling.on_result(TaskResult(result.task_id, ({"uuid": "v", "index": 1, "output": old},)))
    assert labelling.proposals[0].state == ProposalState.FAILED
    assert "gate version 0" in labelling.proposals[0].reason
    assert kept == []


def test_a_proposal_has_the_state_of_the_stored_label_not_of_the_job(tmp_path):
    potential = load("lennard-jones")
    factory = TaskFactory(CONFIGURATION, "lennard-jones", potential.weights_sha256)
    with vitrion.connect(home=tmp_path) as db:
        cell = db.structures.add(CELL, kind="amorphous").fingerprint
        proposal = Proposal(
            formula="LiCl",
            source_fingerprint=cell,
            structure_fingerprint=cell,
            temperature_K=1500.0,
            arm=Arm.INITIAL,
        )
        db.cycles.create("tiny", 0, proposals=[proposal])
        db.cycles.acquire_lease("tiny", 0, "me", 300)
        stage = CycleRun(
            db,
            CONFIGURATION,
            plan=None,
            factory=factory,
            ledger=Ledger(db, "tiny", 0, "me", lease_seconds=300),
            display=Display(scratch=tmp_path, quiet=True),
            scratch=tmp_path,
            should_stop=lambda: False,
        )
        labelling = stage.labelling_stage()
        (task,) = labelling.begin()
        made = plain_label(
            cell,
            potential="lennard-jones",
            weights=potential.weights_sha256,
            temperature_K=1500.0,
            protocol=CONFIGURATION.labels.protocol,
            seed=labelling.proposals[0].seed,
        )
        # The label is stored as rejected before the job says that it was accepted.
        assert db.labels.add(made.model_copy(update={"state": LabelState.REJECTED})).key == task.id
        labelling.on_result(TaskResult(task.id, ({"uuid": "v", "index": 1, "output": made.model_dump(mode="json")},)))
        assert db.labels.get(task.id).state == "rejected"
        (entry,) = db.cycles.get("tiny", 0).proposals
        assert (entry.state, entry.label_state) == ("labelled", "rejected")


def test_reference_labels_which_take_longest_are_begun_first(stage):
    labelling, _, _ = stage
    configuration = CampaignConfiguration.model_validate({**TINY, "reference": {"potential": "lennard-jones"}})
    labelling.factory = TaskFactory(configuration, labelling.factory.potential, labelling.factory.weights_sha256)
    again = labelling.proposals[0].model_copy(
        update={"arm": Arm.REFERENCE, "structure_fingerprint": fingerprint(CELL), "temperature_K": 1000.0}
    )
    labelling.proposals.append(again)
    assert [task.kind for task in labelling.begin()] == [TaskKind.REFERENCE, TaskKind.CELL]


def test_a_restart_begins_with_what_is_left(stage):
    labelling, _, _ = stage
    following = labelling.on_result(cell_result(labelling.begin()[0], accepted=True))
    result, _ = label_result(following[0], 1500.0)
    labelling.on_result(result)
    again = LabellingStage(
        proposals=list(labelling.proposals),
        factory=labelling.factory,
        geometry=labelling.geometry,
        volumes=labelling.volumes,
        keep_result=labelling.keep_result,
        keep_proposals=labelling.keep_proposals,
    )
    assert [task.id for task in again.begin()] == [following[1].id]
