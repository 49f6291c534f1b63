"""Schedule of a campaign: its step at fixed intervals, never two at once."""

import re
import time
from collections.abc import Callable

from vitrion_models.errors import InputError

UNITS_S = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def parse_interval(text: str) -> float:
    """Return the seconds of an interval such as ``30m``, ``1h`` or ``1.5d``.

    Raises:
        InputError: the text has another form.
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if match is None or float(match[1]) <= 0:
        raise InputError(f"interval `{text}` is not understood: give a number and one of s, m, h, d, for example 1h")
    return float(match[1]) * UNITS_S[match[2]]


def every(
    seconds: float,
    step: Callable[[], bool],
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Call `step` on a fixed grid of times until it returns False.

    A step that outlasts the interval delays the next to the following grid point; missed points are not made up for.

    Args:
        seconds: interval.
        step: returns True while there is more to do.
        clock: returns monotonic seconds.
        sleep: waits for so many seconds.
    """
    begun = clock()
    while step():
        elapsed = clock() - begun
        sleep(seconds - elapsed % seconds)
