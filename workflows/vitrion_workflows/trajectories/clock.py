"""Spacing of frames in time, from the steps and times that a file states."""

from collections.abc import Sequence

import numpy as np

from vitrion_models.errors import InputError
from vitrion_workflows.trajectories.recording import Recording

INTERVAL_TOLERANCE = 1e-3


def check_steps(steps: Sequence[int | None], *, start_again: bool) -> None:
    """Refuse frames that are missing or repeated by the numbers of their steps.

    Args:
        steps: of each frame; frames without are not checked.
        start_again: steps may return to the first, where files were concatenated.

    Raises:
        InputError: steps that are not equally far apart, or that return.
    """
    numbers = np.array([step for step in steps if step is not None])
    if len(numbers) < len(steps) or len(numbers) < 2:  # noqa: PLR2004 - two frames have a spacing
        return
    spacings = np.diff(numbers)
    spacing = next((each for each in spacings.tolist() if each > 0), 1)
    wrong = (spacings != spacing) & ~((spacings <= 0) & start_again)
    if wrong.any():
        index = int(wrong.argmax())
        raise InputError(
            f"steps are not equally far apart ({numbers[index + 1]} follows {numbers[index]}, others are {spacing} "
            "apart): a frame is missing or repeated"
        )


def spacing_of(recording: Recording) -> float | None:
    """Return the interval between frames by their times, in ps; None where a frame has none.

    Raises:
        InputError: times that are not equally far apart.
    """
    times = np.array([time for time in recording.times_ps if time is not None])
    if len(times) < len(recording.times_ps):
        return None
    intervals = np.diff(times)
    interval = float(times[-1] - times[0]) / len(intervals)
    if not (interval > 0 and np.abs(intervals - interval).max() <= INTERVAL_TOLERANCE * interval):
        raise InputError("frames are not equally spaced in time: a frame is missing or repeated")
    return interval
