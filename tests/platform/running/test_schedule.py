from contextlib import contextmanager
from types import SimpleNamespace

import pytest

from vitrion.cli.app import run as command
from vitrion.database.errors import DatabaseUnreachableError
from vitrion.running.schedule import every, parse_interval
from vitrion_models.errors import InputError


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("30m", 1800), ("1h", 3600), ("1.5d", 129600)])
def test_intervals(text, seconds):
    assert parse_interval(text) == seconds


@pytest.mark.parametrize("text", ["", "1", "h", "0h", "-1h", "1 hour", "1w", "nan h"])
def test_what_is_no_interval_is_refused(text):
    with pytest.raises(InputError, match="interval"):
        parse_interval(text)


def test_steps_keep_to_the_grid_even_when_one_overruns():
    now = 0.0
    calls = []
    lengths = iter([1.0, 25.0, 1.0, 1.0])

    def step():
        nonlocal now
        calls.append(now)
        now += next(lengths)
        return len(calls) < 4

    def sleep(seconds):
        nonlocal now
        now += seconds

    every(10.0, step, clock=lambda: now, sleep=sleep)
    assert calls == [0.0, 10.0, 40.0, 50.0]


def scheduled(monkeypatch, *answers):
    """`vitrion schedule` on a campaign that answers so; returns exit code and how often it was stepped."""
    left = list(answers)

    @contextmanager
    def opened(_file, **_options):
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        yield SimpleNamespace(step=lambda: answer)

    monkeypatch.setattr("vitrion.cli.campaigns.schedule.opened", opened)
    return command(["schedule", "campaign.yaml", "--every", "0.01s"]), len(answers) - len(left)


def test_a_server_that_is_away_for_a_while_costs_steps_only(monkeypatch, capsys):
    away = DatabaseUnreachableError("mongodb://there does not answer")
    assert scheduled(monkeypatch, True, away, away, True, False) == (0, 5)
    assert capsys.readouterr().err.count("mongodb://there") == 2


def test_a_server_that_was_never_there_ends_the_schedule_at_once(monkeypatch):
    assert scheduled(monkeypatch, DatabaseUnreachableError("mongodb://there does not answer"), True) == (2, 1)
