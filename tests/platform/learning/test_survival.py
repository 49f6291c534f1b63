"""Kill -9 anywhere and run again: the same labels as an undisturbed campaign, nothing twice, nothing lost."""

import os
import random
import signal
import subprocess
import sys
import time

import pytest
from tiny_campaign import labels_of, write_tiny

import vitrion

KILLS = 20
COMMAND = [sys.executable, "-m", "vitrion", "campaign", "run", "--quiet", "--json"]


def start(folder):
    environment = {**os.environ, "VITRION_HOME": str(folder / "home"), "OMP_NUM_THREADS": "1"}
    environment.pop("VITRION_DATABASE_URI", None)
    return subprocess.Popen(
        [*COMMAND, "campaign.yaml"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process):
    output, errors = process.communicate(timeout=600)
    assert process.returncode == 0, errors
    return output


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    write_tiny(folder / "campaign.yaml")
    begun = time.monotonic()
    finish(start(folder))
    with vitrion.connect(home=folder / "home", readonly=True) as db:
        return labels_of(db), time.monotonic() - begun


@pytest.mark.timeout(1200)
def test_twenty_kills_change_nothing(tmp_path, undisturbed):
    wanted, seconds = undisturbed
    assert len(wanted) >= 6
    write_tiny(tmp_path / "campaign.yaml")
    moments = random.Random(20)
    killed = 0
    while True:
        process = start(tmp_path)
        if killed < KILLS:
            try:
                process.wait(timeout=moments.uniform(0.05, 0.7) * seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.communicate()
                killed += 1
                continue
        finish(process)
        break
    assert killed >= 3, "the campaign ended before it could be killed"
    with vitrion.connect(home=tmp_path / "home", readonly=True) as db:
        assert labels_of(db) == wanted
        outputs = db.collection("outputs").find({"output.@class": "LabelOutcome"})
        keys = [document["metadata"]["vitrion_task"] for document in outputs]
        assert sorted(keys) == sorted(wanted), "a label was computed twice, or one is missing"


def test_ctrl_c_stops_cleanly_and_the_campaign_goes_on(tmp_path, undisturbed):
    wanted, seconds = undisturbed
    write_tiny(tmp_path / "campaign.yaml")
    process = start(tmp_path)
    time.sleep(0.6 * seconds)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 2
    assert "run the same command to go on" in errors
    assert "Traceback" not in errors
    finish(start(tmp_path))
    with vitrion.connect(home=tmp_path / "home", readonly=True) as db:
        assert labels_of(db) == wanted
