"""Recording of frames: the arrays of a run, filled frame by frame."""

from collections import defaultdict
from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import Frame, FrameFile, check_frame

GROWTH = 1.125  # of an array that is full; a larger factor saves no time and costs memory
FIRST_FRAMES = 64
SERIES = ("temperature_K", "potential_energy_eV", "volume_A3")
# Two frames nearer than this are one: in a time step some atom moves further.
DOUBLED_A = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class Recording:
    """Frames of one set of atoms.

    Attributes:
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,); None for standard weights.
        coordinates: shape (F, N, 3), in Angstrom or, if `scaled`, in units of each frame's lattice vectors.
        lattices_A: lattice vectors as rows, shape (F, 3, 3).
        scaled: as of `Frame`.
        unwrapped: as of `Frame`, in every frame.
        velocities_A_per_ps: shape (F, N, 3); None where not stored in every frame.
        series: one number for each frame, shape (F,), by attribute of `Frame`; None where not stored in every frame.
        steps: step of each frame; None where it has none.
        times_ps: time of each frame; None where it has none.
    """

    numbers: IntArray
    masses_u: FloatArray | None
    coordinates: FloatArray
    lattices_A: FloatArray
    scaled: bool
    unwrapped: bool
    velocities_A_per_ps: FloatArray | None
    series: dict[str, FloatArray | None]
    steps: list[int | None]
    times_ps: list[float | None]


class _Rows:
    """Arrays of one shape, joined in memory that is lengthened in place: no second copy of them exists."""

    def __init__(self) -> None:
        self._count = 0
        self._rows: FloatArray = np.empty(0)

    def append(self, row: FloatArray) -> None:
        if not self._count:
            self._rows = np.empty((FIRST_FRAMES, *row.shape))
        elif self._count == len(self._rows):
            self._resize(int(GROWTH * self._count) + 1)
        self._rows[self._count] = row
        self._count += 1

    def joined(self) -> FloatArray:
        """Return the rows; nothing may be appended afterwards."""
        self._resize(self._count)
        return self._rows

    def __len__(self) -> int:
        return self._count

    def _resize(self, length: int) -> None:
        self._rows.resize((length, *self._rows.shape[1:]), refcheck=False)


def record(file: FrameFile) -> Recording:
    """Record the frames of a file. A frame that repeats the one before it, step and atoms, is left out with a remark.

    Raises:
        InputError: no frame, atoms that change, or a frame that `check_frame` refuses.
    """
    coordinates, velocities = _Rows(), _Rows()
    lattices: list[FloatArray] = []
    steps: list[int | None] = []
    times: list[float | None] = []
    series: defaultdict[str, list[float]] = defaultdict(list)
    first: Frame | None = None
    previous: Frame | None = None
    unwrapped = True
    for index, read in enumerate(file.frames, start=1):
        check_frame(read, index)
        frame = read if first is None else in_order(read, first)
        first = first or frame
        if previous is not None and _repeats(frame, previous):
            file.remarks.append(f"frame {index} repeats the one before it and is left out")
            continue
        previous = frame
        unwrapped &= frame.unwrapped
        coordinates.append(frame.coordinates)
        lattices.append(frame.lattice_A)
        steps.append(frame.step)
        times.append(frame.time_ps)
        if frame.velocities_A_per_ps is not None:
            velocities.append(frame.velocities_A_per_ps)
        for name in SERIES:
            if (value := getattr(frame, name)) is not None:
                series[name].append(value)
    if first is None:
        raise InputError("no frame in this file")
    frames = len(coordinates)
    return Recording(
        numbers=first.numbers,
        masses_u=first.masses_u,
        coordinates=coordinates.joined(),
        lattices_A=np.array(lattices),
        scaled=first.scaled,
        unwrapped=unwrapped,
        velocities_A_per_ps=velocities.joined() if len(velocities) == frames else None,
        series={name: np.array(series[name]) if len(series[name]) == frames else None for name in SERIES},
        steps=steps,
        times_ps=times,
    )


def in_order(frame: Frame, first: Frame) -> Frame:
    """Return a frame with its atoms in the order of the first, where the file names the atoms.

    Raises:
        InputError: other atoms, or ids that do not name the same ones.
    """
    ids, wanted = frame.ids, first.ids
    if ids is not None and wanted is not None and not np.array_equal(ids, wanted):
        frame = _permuted(frame, _permutation(ids, wanted))
    if not np.array_equal(frame.numbers, first.numbers) or not _same_masses(frame, first):
        raise InputError("atoms change between frames: give a trajectory of one set of atoms")
    return frame


def _permutation(ids: np.ndarray, wanted: np.ndarray) -> IntArray:
    ordered = np.sort(wanted, kind="stable")
    if not np.array_equal(np.sort(ids), ordered) or (ordered[1:] == ordered[:-1]).any():
        raise InputError("column 'id' does not name the same atoms in each frame: correct it")
    return np.asarray(np.argsort(ids)[np.argsort(np.argsort(wanted))], dtype=np.int64)


def _permuted(frame: Frame, order: IntArray) -> Frame:
    masses, velocities = frame.masses_u, frame.velocities_A_per_ps
    return replace(
        frame,
        numbers=frame.numbers[order],
        coordinates=frame.coordinates[order],
        masses_u=None if masses is None else masses[order],
        velocities_A_per_ps=None if velocities is None else velocities[order],
    )


def _same_masses(frame: Frame, first: Frame) -> bool:
    if frame.masses_u is None or first.masses_u is None:
        return frame.masses_u is first.masses_u
    return np.array_equal(frame.masses_u, first.masses_u)


def _repeats(frame: Frame, previous: Frame) -> bool:
    same_step = frame.step is not None and frame.step == previous.step
    return same_step and are_same_positions(frame, previous)


def are_same_positions(frame: Frame, other: Frame) -> bool:
    """Return True where all atoms of two frames are at the same place, in whichever image of the cell."""
    moved = frame.fractional - other.fractional
    moved -= np.round(moved)
    return bool(np.abs(moved @ frame.lattice_A).max() < DOUBLED_A)
