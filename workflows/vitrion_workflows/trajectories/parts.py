"""Parts of one run, written to several files, joined into one sequence of frames."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import Frame, FrameFile, check_frame
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.trajectories.recording import are_same_positions, in_order

LARGEST_CELL_CHANGE = 0.05  # between two frames, as a share of the longest vector; at constant pressure a per cent
LARGEST_STEP_RATIO = 3.0  # of root-mean-square displacements between two parts and inside of them


@dataclass(frozen=True, eq=False)
class _End:
    """End of the run so far: its first, last and next to last frame, and the name of its last part."""

    part: str
    first: Frame
    last: Frame
    before: Frame


@dataclass(frozen=True, eq=False)
class _Shift:
    """Shift of a part to the run before it: steps, times and images of the cell, shape (N, 3)."""

    steps: int = 0
    times_ps: float = 0.0
    images: FloatArray | None = None

    def of(self, frame: Frame) -> Frame:
        """Return a frame, shifted."""
        return replace(
            frame,
            coordinates=frame.fractional if self.images is None else frame.fractional + self.images,
            scaled=True,
            step=None if frame.step is None else frame.step + self.steps,
            time_ps=None if frame.time_ps is None else frame.time_ps + self.times_ps,
        )


def join_parts(files: Mapping[str, FrameFile]) -> FrameFile:
    """Return the frames of the parts of one run in order.

    A part may begin with the last frame of the one before it, which is left out; its steps and times may go on or
    start again. Its coordinates continue in the images of the cell in which the part before it ended.

    Args:
        files: parts by the name of their file, in order.

    Raises:
        InputError: parts with another thermostat or temperature, other atoms or another cell, or parts between which
            frames are missing or which overlap.
    """
    first = next(iter(files.values()))
    settings = (first.thermostat, first.friction_per_ps, first.set_temperature_K)
    for name, part in files.items():
        if (part.thermostat, part.friction_per_ps, part.set_temperature_K) != settings:
            raise InputError(f"{name}: thermostat or temperature differ from those of the first part: analyse it alone")
    remarks: list[str] = []
    return replace(first, frames=_joined(files, remarks), interval_ps=None, steps_start_again=False, remarks=remarks)


def _joined(files: Mapping[str, FrameFile], remarks: list[str]) -> Iterator[Frame]:
    end: _End | None = None
    shift = _Shift()
    for name, part in files.items():
        with naming(name):
            for index, read in enumerate(part.frames, start=1):
                check_frame(read, index)
                frame = _timed(read if end is None else in_order(read, end.first), part, index)
                if index == 1 and end is not None:
                    # As long as nothing else is known, a part goes on with the steps of the one before it.
                    first = shift.of(frame)
                    is_repeated = _continues(first, frame.step, end)
                    shift, starts_again = _added(shift, first, end, is_repeated=is_repeated)
                    if is_repeated:
                        remarks.append(f"{name}: its first frame is the last one of {end.part} and is left out")
                        continue
                    if starts_again:
                        remarks.append(f"{name}: steps or times start again, and are taken to continue {end.part}")
                shifted = shift.of(frame)
                yield shifted
                end = _End(name, end.first if end else shifted, shifted, end.last if end else shifted)
            remarks += [f"{name}: {remark}" for remark in part.remarks]


def _timed(frame: Frame, part: FrameFile, index: int) -> Frame:
    """Return a frame with its time, where only the interval of the file is known."""
    if frame.time_ps is not None or part.interval_ps is None:
        return frame
    return replace(frame, time_ps=(index - 1) * part.interval_ps)


def _continues(first: Frame, own_step: int | None, end: _End) -> bool:
    """Return True where the first frame of a part repeats the last one of the run; refuse what does not continue it.

    Args:
        first: the frame, its step as if steps went on.
        own_step: its step as the file has it.
        end: of the run so far.

    Raises:
        InputError: another cell, or missing or overlapping frames.
    """
    change = np.abs(first.lattice_A - end.last.lattice_A).max() / np.abs(end.last.lattice_A).max()
    if change > LARGEST_CELL_CHANGE:
        raise InputError(f"its cell differs from that of {end.part} by {100 * change:.0f} %: it is another run")
    if are_same_positions(first, end.last):
        return True
    if first.step is not None and end.last.step is not None and first.step <= end.last.step:
        if first.step == end.last.step:
            raise InputError(f"step {own_step} is in {end.part}, too, with other positions: it is another run")
        if own_step is not None and end.first.step is not None and own_step > end.first.step:
            raise InputError(
                f"its first step {own_step} lies before the last step of {end.part}: give the files in the order of "
                "the run, and remove the frames that are in both"
            )
    usual_A, moved_A = _displacement_A(end.last, end.before), _displacement_A(first, end.last)
    if moved_A > LARGEST_STEP_RATIO * usual_A > 0:
        raise InputError(
            f"its atoms are {moved_A:.2g} A from where {end.part} ends, where they move {usual_A:.2g} A between "
            "frames: frames are missing between these files"
        )
    return False


def _displacement_A(frame: Frame, other: Frame) -> float:
    """Return the root-mean-square displacement of the atoms between two frames, by minimum images."""
    moved = frame.fractional - other.fractional
    return float(np.sqrt((((moved - np.round(moved)) @ frame.lattice_A) ** 2).sum(axis=1).mean()))


def _added(shift: _Shift, first: Frame, end: _End, *, is_repeated: bool) -> tuple[_Shift, bool]:
    """Return the shift of a part, and True where its steps or times start again."""
    steps = _offset(first.step, end.last.step, end.before.step, is_repeated=is_repeated)
    times = _offset(first.time_ps, end.last.time_ps, end.before.time_ps, is_repeated=is_repeated)
    images: FloatArray = np.round(end.last.fractional - first.fractional)
    return (
        _Shift(
            steps=shift.steps + int(steps),
            times_ps=shift.times_ps + times,
            images=images if shift.images is None else shift.images + images,
        ),
        bool(steps or times),
    )


def _offset(first: float | None, last: float | None, before: float | None, *, is_repeated: bool) -> float:
    """Return the shift of steps or times that start again; 0 where they go on."""
    if first is None or last is None or before is None or (first > last and not is_repeated):
        return 0
    return last - first if is_repeated else last + (last - before) - first
