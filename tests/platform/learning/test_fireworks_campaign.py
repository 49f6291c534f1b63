"""The same campaign by two workers of a launchpad, one of them killed, and by the local runner: the same labels."""

import os
import re
import signal
import time

import pymongo
import pytest
from launchpad_workers import environment, workers
from tiny_campaign import finish, labels_of, start_campaign, start_vitrion, write_tiny

import vitrion

pytestmark = pytest.mark.server

SMALL = {"cycles": 1, "compounds": {"names": ["LiCl", "LiF", "Li2O"]}, "initial": 2}


def on_server(folder, uri, *words):
    settings = environment(uri, folder / "scratch")
    chosen = {name: settings[name] for name in ("VITRION_DATABASE_URI", "VITRION_SCRATCH")}
    return start_vitrion(folder, *words, **chosen)


def label_in_hand(database):
    """Process id of a worker that is in the middle of a label, or None."""
    for firework in database.fireworks.find({"state": "RUNNING", "name": "label_cell"}, {"launches": 1}):
        launch = database.launches.find_one({"launch_id": firework["launches"][-1]}) if firework["launches"] else None
        if launch and launch["state"] == "RUNNING":
            return int(launch["fworker"]["name"].rpartition("-")[2])
    return None


@pytest.fixture(scope="module")
def reference(tmp_path_factory):
    """The local runner on the embedded store; begun first, asked for last."""
    folder = tmp_path_factory.mktemp("reference")
    write_tiny(folder / "campaign.yaml", **SMALL)
    process = start_campaign(folder)

    def labels():
        if process.returncode is None:
            finish(process)
        with vitrion.connect(home=folder / "home", readonly=True) as db:
            return labels_of(db)

    yield labels
    if process.returncode is None:
        process.kill()
        process.communicate()


def test_a_cycle_closes_with_the_labels_of_a_local_run_though_a_worker_is_killed(mongo_uri, tmp_path, reference):
    write_tiny(tmp_path / "campaign.yaml", **SMALL, runner={"kind": "fireworks", "lost_after_seconds": 6})
    with workers(mongo_uri, tmp_path / "scratch", count=2) as processes, pymongo.MongoClient(mongo_uri) as client:
        coordinator = on_server(tmp_path, mongo_uri, "campaign", "run", "--quiet", "--json", "campaign.yaml")
        victim = None
        while victim is None and coordinator.poll() is None:
            victim = label_in_hand(client.get_default_database())
            time.sleep(0.02)
        assert victim in {process.pid for process in processes}
        os.kill(victim, signal.SIGKILL)
        finish(coordinator)

    with vitrion.connect(mongo_uri, readonly=True) as db:
        labels = labels_of(db)
        assert labels == reference()
        assert db.cycles.latest("tiny").state == "closed"
        outcomes = db.collection("outputs").find({"output.@class": "LabelOutcome"})
        assert sorted(outcome["metadata"]["vitrion_task"] for outcome in outcomes) == sorted(labels)
        budget = db.cycles.latest("tiny").budget
        assert budget["label"]["tasks"] == len(labels)
        assert budget["label"]["seconds"] > 0
        # Trajectories have moved from the shared scratch folder into the artefact store.
        assert all(db.artefacts.exists(label.trajectory_sha256) for label in db.labels.search(campaign="tiny"))
        assert not list((tmp_path / "scratch").rglob("trajectory.h5md"))
        states = {workflow["state"] for workflow in db.collection("workflows").find({})}
        assert states == {"COMPLETED"}


def test_two_schedules_never_step_twice_at_once_and_end_with_the_campaign(mongo_uri, tmp_path, reference):
    write_tiny(tmp_path / "campaign.yaml", **SMALL, runner={"kind": "local", "workers": 1})
    schedules = [on_server(tmp_path, mongo_uri, "schedule", "--every", "2s", "campaign.yaml") for _ in range(2)]
    outputs = [finish(process) for process in schedules]
    with vitrion.connect(mongo_uri, readonly=True) as db:
        assert labels_of(db) == reference()
        assert db.cycles.latest("tiny").state == "closed"
        assert db.cycles.latest("tiny").lease_owner is None
    # Each step was made by one of the two; the other was told that it is being worked on, or found it done.
    for step in (r"cells and labels", r"retraining both models"):
        assert sum(len(re.findall(step, text)) for text in outputs) == 1
    assert "skipped" in "".join(outputs)
