"""Progress for people: the time left is that of the stage, at the pace of the stage."""

import pytest

from vitrion.running.display import Display


@pytest.fixture
def display(tmp_path, monkeypatch):
    now = [0.0]
    monkeypatch.setattr("vitrion.running.display.time.monotonic", lambda: now[0])
    shown = Display(scratch=tmp_path, quiet=True)
    return shown, shown.tally, now


def test_the_time_left_counts_from_the_beginning_of_its_stage(display):
    shown, tally, now = display
    now[0] = 2400.0  # what came before is over
    tally.stage, tally.tasks_total, tally.tasks_done = "cycle 2/2, drawn cells", 5, 1
    assert "left" not in shown._summary()  # that one was done by an earlier process
    now[0], tally.tasks_done = 2430.0, 3
    assert "3/5 done" in shown._summary()
    assert "about 0:30 left in this stage" in shown._summary()
    tally.tasks_done = 5
    assert "left" not in shown._summary()
