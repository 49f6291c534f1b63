"""Kill -9 anywhere and run again: the same labels as an undisturbed campaign, nothing twice, nothing lost."""

import contextlib
import random
import signal
import subprocess
import time

import psutil
import pytest
from tiny_campaign import finish, labels_of, start_campaign, write_tiny

import vitrion

KILLS = 20


def wait_for_workers(process):
    """Until the campaign has worker processes, or is over."""
    while process.poll() is None:
        with contextlib.suppress(psutil.NoSuchProcess):
            if len(psutil.Process(process.pid).children()) > 1:
                return
        time.sleep(0.02)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    write_tiny(folder / "campaign.yaml")
    finish(start_campaign(folder))
    with vitrion.connect(home=folder / "home", readonly=True) as db:
        labels = labels_of(db)
    assert len(labels) >= 6
    return labels


def kill_again_and_again(folder, moments, kills):
    """Run a campaign to its end, killing it at random moments up to so many times; returns how often it was."""
    write_tiny(folder / "campaign.yaml")
    for killed in range(kills):
        process = start_campaign(folder)
        wait_for_workers(process)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=moments.uniform(0.0, 8.0))
            finish(process)
            return killed
        process.send_signal(signal.SIGKILL)
        process.communicate()
    finish(start_campaign(folder))
    return kills


@pytest.mark.timeout(1800)
def test_twenty_kills_change_nothing(tmp_path, undisturbed):
    moments = random.Random(20)
    left = KILLS
    campaigns = 0
    while left > 0:
        folder = tmp_path / f"campaign-{campaigns}"
        folder.mkdir()
        killed = kill_again_and_again(folder, moments, left)
        assert killed > 0, "a campaign ended before it could be killed once"
        left -= killed
        campaigns += 1
        with vitrion.connect(home=folder / "home", readonly=True) as db:
            assert labels_of(db) == undisturbed
            outputs = db.collection("outputs").find({"output.@class": "LabelOutcome"})
            keys = [document["metadata"]["vitrion_task"] for document in outputs]
            assert sorted(keys) == sorted(undisturbed), "a label was computed twice, or one is missing"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_cleanly_and_the_campaign_goes_on(tmp_path, undisturbed, number, code):
    write_tiny(tmp_path / "campaign.yaml")
    process = start_campaign(tmp_path)
    wait_for_workers(process)
    process.send_signal(number)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == code
    assert "campaign tiny was stopped" in errors
    assert "Traceback" not in errors
    finish(start_campaign(tmp_path))
    with vitrion.connect(home=tmp_path / "home", readonly=True) as db:
        assert labels_of(db) == undisturbed
