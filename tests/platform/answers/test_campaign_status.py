"""Status of a campaign, as printed and as JSON."""

import json
import re
from types import SimpleNamespace

import pytest
from plain_labels import plain_label
from stored_records import random_cell
from tiny_campaign import TINY, write_tiny

import vitrion
from vitrion.answers.campaign_status import campaign_status
from vitrion.cli.app import run
from vitrion.database.records import Arm, Proposal, ProposalState
from vitrion.learning.best_label import best_so_far
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.cycle_run import CycleRun
from vitrion.running.display import Display
from vitrion_workflows.schemas.label import GATE_VERSION

OLDER = GATE_VERSION - 1
CONFIGURATION = CampaignConfiguration.model_validate(TINY)
TARGET_K = CONFIGURATION.labels.target_temperature_K


@pytest.fixture
def keys(home):  # noqa: ARG001 - where the database is
    """A campaign of three labels of two compositions, the fastest one first."""
    found = []
    with vitrion.connect() as db:
        db.campaigns.create_or_get("tiny", TINY, "c" * 64)
        for seed, (anion, value, state) in enumerate(
            ((16, 9e-4, "accepted"), (17, 2e-5, "accepted"), (17, 1e-6, "censored"))
        ):
            cell = db.structures.add(random_cell(anion=anion, seed=seed), kind="amorphous")
            made = plain_label(cell.fingerprint, value=value, state=state, temperature_K=TARGET_K)
            found.append(db.labels.add(made, campaign="tiny", arm="initial").key)
        # A reference label is of another potential, however high.
        second = plain_label(cell.fingerprint, potential="chgnet", value=5e-3, temperature_K=TARGET_K)
        db.labels.add(second, campaign="tiny", arm="reference")
    return found


def judge(key, change):
    with vitrion.connect() as db:
        assert db.collection("labels").update_one({"key": key}, change)


def status_and_best():
    with vitrion.connect(readonly=True) as db:
        return campaign_status(db, CONFIGURATION), best_so_far(db, CONFIGURATION)


@pytest.mark.usefixtures("keys")
def test_nothing_is_said_of_gate_versions_where_all_labels_are_current(home, capsys):
    status, best = status_and_best()
    assert status.labels == {"accepted": 3, "censored": 1}
    assert status.other_gate_versions == {}
    assert best == status.best
    assert re.fullmatch(r"LiS [\d.e-]+ cm2/s at 1500 K, corrected for the error of nep89, which gives 0.0009", best)
    assert run(["campaign", "status", str(write_tiny(home.parent / "tiny.yaml"))]) == 0
    shown = capsys.readouterr()
    assert "gate_version" not in shown.out + shown.err


def test_the_best_is_of_labels_of_the_current_gate_version(home, keys, capsys):
    judge(keys[0], {"$set": {"gate_version": OLDER}})
    status, best = status_and_best()
    assert best == status.best
    assert best.startswith("LiCl")
    assert best.endswith("which gives 2e-05")
    assert (status.labels, status.compositions_labelled) == ({"accepted": 2, "censored": 1}, 1)
    assert status.other_gate_versions == {OLDER: 1}
    path = str(write_tiny(home.parent / "tiny.yaml"))
    for words in ([], ["--json"]):
        assert run(["campaign", "status", path, *words]) == 0
        shown = capsys.readouterr()
        assert "other_gate_versions" in shown.out
        (line,) = shown.err.splitlines()
        assert f"1 label was produced with gate version {OLDER} (current: {GATE_VERSION})" in line
    assert json.loads(shown.out)["other_gate_versions"] == {str(OLDER): 1}


def test_a_label_that_no_arm_asked_for_may_be_the_best_and_a_reference_label_is_not_counted(keys, tmp_path):
    with vitrion.connect() as db:
        cell = db.labels.get(keys[0]).structure_fingerprint
        db.labels.add(plain_label(cell, value=1e-3, temperature_K=TARGET_K, seed=77), campaign="tiny")
        display = Display(scratch=tmp_path, quiet=True)
        stage = SimpleNamespace(
            db=db, configuration=CONFIGURATION, display=display, begin_display=lambda *_, **__: None
        )
        CycleRun._tally(stage, [])
    assert status_and_best()[1].endswith("which gives 0.001")
    assert (display.tally.labels, display.tally.best) == (4, status_and_best()[1])


def test_nothing_is_best_where_all_labels_are_outdated(keys):
    for key in keys:
        judge(key, {"$set": {"gate_version": OLDER}})
    status, best = status_and_best()
    assert (best, status.labels, status.other_gate_versions) == ("none yet", {"accepted": 1}, {OLDER: 3})


def test_cells_that_failed_their_gates_are_counted_by_reason(db):
    db.campaigns.create_or_get("tiny", TINY, "c" * 64)
    reasons = ("the cell failed hidden_symmetry", "the cell failed hidden_symmetry", "the cell failed coordination")
    refused = [
        Proposal(formula="Li2S", temperature_K=TARGET_K, arm=Arm.INITIAL, state=ProposalState.REFUSED, reason=reason)
        for reason in reasons
    ]
    db.cycles.create("tiny", 0, proposals=refused)
    status = campaign_status(db, CONFIGURATION)
    assert status.refused == {"the cell failed hidden_symmetry": 2, "the cell failed coordination": 1}
    assert status.failed == ()
