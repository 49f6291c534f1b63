import pytest

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
