"""What broke is asked again, in closed cycles too; what the gates decided, and what was finished, stays as it is."""

import json
from dataclasses import replace

import pytest
from stored_records import close_cycle
from tiny_campaign import TINY, labels_of, write_tiny

import vitrion
from vitrion.answers.campaign_status import campaign_status
from vitrion.cli.app import run as command
from vitrion.learning.campaign import Campaign
from vitrion.learning.configuration import CampaignConfiguration
from vitrion.learning.lease import BusyError
from vitrion.running import local_worker
from vitrion.running.display import Display
from vitrion.running.task import TaskResult
from vitrion_workflows.labelling.task import OUTCOME_FILE
from vitrion_workflows.schemas.label import GATE_VERSION

SHORT = {**TINY, "cycles": 1, "compounds": {"names": ["LiCl", "LiF"]}, "initial": 2}


class InProcess:
    """Runs tasks one after another in this process, but for those it breaks: one label, and the cells of a formula."""

    def __init__(self, breaks=None):
        self.breaks = breaks
        self.broken = []
        self.asked_again = []
        self.asked_anew = []

    def run(self, tasks, *, on_result, callbacks):
        queue = list(tasks)
        while queue:
            task = queue.pop(0)
            queue += on_result(self.result(task))
        return not callbacks.should_stop()

    def result(self, task):
        first_label = "label" in task.title and not any("label" in title for title in self.broken)
        if self.breaks and (first_label or task.title.startswith(f"{self.breaks} melt")):
            self.broken.append(task.title)
            return TaskResult(task.id, (), error="ValueError: unlucky")
        return local_worker._execute({"id": task.id, "flow": task.flow.as_dict()}, "here")

    def retry(self, task_ids, *, rerun_finished=False):
        (self.asked_anew if rerun_finished else self.asked_again).extend(task_ids)

    def close(self):
        """Nothing is held."""


def campaign(db, scratch, **options):
    display = Display(scratch=scratch, quiet=True)
    configuration = CampaignConfiguration.model_validate(SHORT)
    return Campaign(db, configuration, InProcess(**options), display, scratch, lambda: False)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("VITRION_HOME", str(tmp_path))
    monkeypatch.setenv("VITRION_SCRATCH", str(tmp_path / "scratch"))
    monkeypatch.delenv("VITRION_DATABASE_URI", raising=False)
    return tmp_path


@pytest.mark.filterwarnings("ignore::FutureWarning:jobflow")
def test_what_failed_is_asked_again_in_a_closed_cycle(home):
    path = write_tiny(home / "campaign.yaml", **SHORT)
    with vitrion.connect() as db:
        begun = campaign(db, home / "scratch").plan
        formula = next(iter(begun.proposable))
        going = campaign(db, home / "scratch", breaks=formula)
        while (cycle := db.cycles.latest("tiny")) is None or cycle.state != "learning":
            going.step()
        assert len(going.runner.broken) == 4  # three cells of one composition, one label of the other
        close_cycle(db, "tiny", 0, since="learning")
        before, labels = campaign_status(db, going.configuration), labels_of(db)
        assert before.state == "finished"
        assert len(before.failed) == len(cycle.proposals) - len(labels)
        assert all("unlucky" in line for line in before.failed)
        budget = db.cycles.get("tiny", 0).budget

    assert command(["campaign", "retry", str(path), "--json"]) == 0
    with vitrion.connect() as db:
        waiting = campaign_status(db, going.configuration)
        assert waiting.state == "active"
        assert len(waiting.waiting) == len(before.failed)
        assert waiting.failed == ()
        going = campaign(db, home / "scratch")
        assert going.step()
        assert not going.step()
        assert campaign_status(db, going.configuration).state == "finished"
        after = labels_of(db)
        assert labels.items() < after.items()  # the broken label of the other composition at the least
        proposals = db.cycles.get("tiny", 0).proposals
        assert {entry.state for entry in proposals} <= {"labelled", "refused"}
        assert {entry.label_key for entry in proposals if entry.state == "labelled"} == set(after)
        again = db.cycles.get("tiny", 0).budget
        assert again["label"]["tasks"] == len(after)
        assert again["cell"]["tasks"] > budget["cell"]["tasks"]
        assert going.retry() == []


@pytest.mark.filterwarnings("ignore::FutureWarning:jobflow")
def test_other_gate_versions_are_made_again_where_that_is_asked_for(home, capsys):
    path = write_tiny(home / "campaign.yaml", **SHORT)
    with vitrion.connect() as db:
        going = campaign(db, home / "scratch")
        while (cycle := db.cycles.latest("tiny")) is None or cycle.state != "learning":
            going.step()
        close_cycle(db, "tiny", 0, since="learning")
        made = labels_of(db)
        old = sorted(made)[:2]
        for key in old:
            # What the earlier version had left behind: its document, and its outcome in the scratch folder.
            change = {"$set": {"gate_version": GATE_VERSION - 1, "value": 1.0, "log10_value": 0.0}}
            assert db.collection("labels").update_one({"key": key}, change)
            left = home / "scratch" / key / OUTCOME_FILE
            left.write_text(json.dumps(json.loads(left.read_text()) | {"gate_version": GATE_VERSION - 1}))

    assert command(["campaign", "retry", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["retried"] == []
    assert command(["campaign", "retry", str(path), "--outdated", "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out)["retried"]) == 2
    with vitrion.connect() as db:
        waiting = campaign_status(db, going.configuration)
        assert (waiting.state, len(waiting.waiting)) == ("active", 2)
        # A label that is to be made again counts as none, whatever becomes of it.
        states = {entry.label_key: entry.label_state for entry in db.cycles.get("tiny", 0).proposals}
        assert {key for key, state in states.items() if state is None} >= set(old)
        going = campaign(db, home / "scratch")
        assert going.step()
        assert not going.step()
        assert campaign_status(db, going.configuration).other_gate_versions == {}
        assert labels_of(db) == made  # the same questions, seeds and gates: the same numbers
        # A label of a newer gate version is not replaced.
        assert db.collection("labels").update_one({"key": old[0]}, {"$set": {"gate_version": GATE_VERSION + 1}})
        assert going.retry(outdated=True) == []
        # A label is finished: only a runner that forgets that runs it once more.
        assert db.collection("labels").update_one({"key": old[1]}, {"$set": {"gate_version": GATE_VERSION - 1}})
        assert [entry.label_key for entry in going.retry(outdated=True)] == [old[1]]
        assert (going.runner.asked_anew, going.runner.asked_again) == ([old[1]], [])


def test_a_cycle_in_other_hands_is_left_alone(home, monkeypatch):
    with vitrion.connect() as db:
        going = campaign(db, home / "scratch")
        going.step()
        proposals = [dict(entry) for entry in db.cycles.get("tiny", 0).proposals]
        going.db.cycles.acquire_lease("tiny", 0, going.owner, 300)
        proposals[0]["state"] = "failed"
        db.cycles.update("tiny", 0, owner=going.owner, proposals=proposals)
        monkeypatch.setattr("vitrion.learning.lease._has_ended", lambda _owner: False)
        monkeypatch.setattr(db, "embedded", False)
        other = replace(going)
        other.owner = "elsewhere:1:x"
        with pytest.raises(BusyError):
            other.retry()
        assert db.cycles.get("tiny", 0).proposals[0].state == "failed"
        assert other.runner.asked_again == other.runner.asked_anew == []


def test_a_campaign_that_was_never_begun_is_not_begun_by_asking_again(home, capsys):
    assert command(["campaign", "retry", str(write_tiny(home / "campaign.yaml"))]) == 2
    assert "no campaign 'tiny'" in capsys.readouterr().err
    with vitrion.connect(readonly=True) as db:
        assert len(db.campaigns.list()) == 0
