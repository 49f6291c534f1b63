"""LAMMPS's text dumps: atoms in any order, a box with an origin, coordinates in one of four forms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import FractionalFrames

# Factors from a unit style (`dump_modify units yes`) to Angstrom and ps.
UNITS = {"metal": (1.0, 1.0), "real": (1.0, 1e-3), "nano": (10.0, 1e3), "si": (1e10, 1e12)}


@dataclass(frozen=True)
class _Form:
    """Form of positions: scaled with the box or not, continuing beyond it or not."""

    scaled: bool
    unwrapped: bool


# Columns of a position -> their form, in the order of preference.
FORMS = {
    ("xu", "yu", "zu"): _Form(scaled=False, unwrapped=True),
    ("xsu", "ysu", "zsu"): _Form(scaled=True, unwrapped=True),
    ("x", "y", "z"): _Form(scaled=False, unwrapped=False),
    ("xs", "ys", "zs"): _Form(scaled=True, unwrapped=False),
}
IMAGES = ("ix", "iy", "iz")
VELOCITIES = ("vx", "vy", "vz")
NUMERIC_COLUMNS = frozenset(chain(IMAGES, VELOCITIES, *FORMS))
NEEDED_COLUMNS = {
    "id": "which atom is which",
    "element": "which elements its types are (dump_modify element)",
}
SHRINK_WRAPPED = frozenset("sm")  # among the boundaries p, f, s and m
TRICLINIC_COLUMNS = 3
TIME_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class _Frame:
    """Atoms sorted by their id, with only the numbers that are used: a dump has millions of words."""

    items: Mapping[str, Sequence[str]]  # without the atoms
    columns: tuple[str, ...]
    ids: IntArray
    elements: NDArray[np.str_]
    values: Mapping[str, FloatArray]

    def numbers(self, names: Sequence[str]) -> FloatArray:
        """Return columns as numbers, shape (N, len(names))."""
        return np.stack([self.values[name] for name in names], axis=1)


def parse_dump(text: str) -> FractionalFrames:
    """Parse a text dump with the columns id, element and positions.

    Lengths of a dump that states no units are Angstrom, as in LAMMPS's styles metal and real; times and velocities are
    used only where units are stated.

    Raises:
        InputError: not a dump, no column of ids, elements or positions, changing atoms, steps unequally far apart, an
            id that occurs twice, a box that is not periodic, unknown units, or an incomplete frame.
    """
    if not text.endswith("\n"):
        # Half of the last number may be a number, too.
        raise InputError("the dump ends within a line: remove its last frame")
    try:
        return _joined([_sorted(items) for items in _items(text.splitlines())])
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"LAMMPS dump damaged ({str(error).splitlines()[0]}): write it again") from error


def _items(lines: Sequence[str]) -> Iterator[dict[str, Sequence[str]]]:
    """Yield the ITEMs of each frame: the first word to the rest of its line and the lines below."""
    starts = [number for number, line in enumerate(lines) if line.startswith("ITEM:")]
    if not starts or any(line.strip() for line in lines[: starts[0]]):
        raise InputError("not a LAMMPS dump: one begins with ITEM:")
    frame: dict[str, Sequence[str]] = {}
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        name, _, rest = lines[start].removeprefix("ITEM:").strip().partition(" ")
        frame[name] = [rest, *(line for line in lines[start + 1 : end] if line.strip())]
        if name == "ATOMS":
            yield frame
            frame = {}
    if frame:
        raise InputError("the dump ends within a frame: remove it")


def _sorted(items: Mapping[str, Sequence[str]]) -> _Frame:
    columns = tuple(items["ATOMS"][0].split())
    table = [row.split() for row in items["ATOMS"][1:]]
    step = items["TIMESTEP"][1].strip()
    if len(table) != int(items["NUMBER"][1]) or any(len(row) != len(columns) for row in table):
        raise InputError(f"the frame of step {step} does not hold the atoms it announces: remove it")
    for name, meaning in NEEDED_COLUMNS.items():
        if name not in columns:
            raise InputError(f"the dump does not say {meaning}: dump a column {name!r}, too")
    words = dict(zip(columns, zip(*table, strict=True), strict=True)) if table else dict.fromkeys(columns, ())
    ids = np.array([int(word) for word in words["id"]], dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    return _Frame(
        items={name: lines for name, lines in items.items() if name != "ATOMS"},
        columns=columns,
        ids=ids[order],
        elements=np.array(words["element"], dtype=np.str_)[order],
        values={name: np.array(words[name], dtype=np.float64)[order] for name in NUMERIC_COLUMNS if name in words},
    )


def _check_atoms(frames: Sequence[_Frame]) -> None:
    first = frames[0]
    if (repeated := first.ids[1:][first.ids[1:] == first.ids[:-1]]).size:
        raise InputError(f"id {repeated[0]} occurs more than once in a frame: number the atoms anew")
    if any(
        frame.columns != first.columns
        or not np.array_equal(frame.ids, first.ids)
        or not np.array_equal(frame.elements, first.elements)
        for frame in frames
    ):
        raise InputError("atoms or columns change from frame to frame: give a trajectory of one set of atoms")
    if unknown := [symbol for symbol in first.elements.tolist() if not atomic_numbers.get(symbol)]:
        raise InputError(f"unknown element {unknown[0]!r}")


def _joined(frames: Sequence[_Frame]) -> FractionalFrames:
    first = frames[0]
    _check_atoms(frames)
    columns = set(first.columns)
    axes = next((axes for axes in FORMS if columns.issuperset(axes)), None)
    if axes is None:
        raise InputError("the dump holds no positions: dump x y z, xu yu zu, xs ys zs or xsu ysu zsu")
    units = first.items["UNITS"][1].strip() if "UNITS" in first.items else None
    if units is not None and units not in UNITS:
        raise InputError(f"the dump is in unknown units {units!r}: choose from {', '.join(UNITS)}")
    length_A, time_ps = UNITS.get(units or "", (1.0, None))
    boxes = [_box(frame.items["BOX"]) for frame in frames]
    cells, origins = (np.array(values) for values in zip(*boxes, strict=True))
    form = FORMS[axes]
    fractional, unwrapped = np.array([frame.numbers(axes) for frame in frames]), form.unwrapped
    if not form.scaled:
        fractional = (fractional - origins[:, None]) @ np.linalg.inv(cells)
    if not unwrapped and columns.issuperset(IMAGES):
        fractional, unwrapped = fractional + np.array([frame.numbers(IMAGES) for frame in frames]), True
    velocities = None
    if time_ps is not None and columns.issuperset(VELOCITIES):
        velocities = np.array([frame.numbers(VELOCITIES) for frame in frames]) * (length_A / time_ps)
    return FractionalFrames(
        numbers=np.array([atomic_numbers[symbol] for symbol in first.elements.tolist()], dtype=np.int64),
        fractional=fractional,
        lattices_A=length_A * cells,
        unwrapped=unwrapped,
        interval_ps=_interval(frames, time_ps),
        velocities_A_per_ps=velocities,
    )


def _box(item: Sequence[str]) -> tuple[FloatArray, FloatArray]:
    """Return lattice vectors as rows and the origin (LAMMPS manual, "Triclinic simulation boxes")."""
    if shrunk := [flag for flag in item[0].split()[-DIMENSIONS:] if SHRINK_WRAPPED & set(flag)]:
        raise InputError(
            f"the box is shrink-wrapped around the atoms (boundary {shrunk[0]!r}), not a periodic cell: "
            "run with boundaries p"
        )
    rows = np.array([line.split() for line in item[1:]], dtype=np.float64)
    if "abc" in item[0]:
        return rows[:, :DIMENSIONS], rows[:, DIMENSIONS]
    xy, xz, yz = rows[:, 2] if rows.shape[1] == TRICLINIC_COLUMNS else (0.0, 0.0, 0.0)
    # What is dumped is the cuboid around a tilted box.
    low = rows[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = rows[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    cell: FloatArray = np.diag(high - low) + np.array([[0.0, 0, 0], [xy, 0, 0], [xz, yz, 0]])
    return cell, low


def _interval(frames: Sequence[_Frame], time_ps: float | None) -> float | None:
    steps = np.diff([int(frame.items["TIMESTEP"][1]) for frame in frames])
    if len(steps) and not (steps[0] > 0 and (steps == steps[0]).all()):
        raise InputError("steps are not equally far apart: a frame is missing or repeated")
    if time_ps is None or not len(steps) or not all("TIME" in frame.items for frame in frames):
        return None
    times = np.array([float(frame.items["TIME"][1]) for frame in frames])
    interval = float(times[-1] - times[0]) / len(steps)
    if not (interval > 0 and np.abs(np.diff(times) - interval).max() <= TIME_TOLERANCE * interval):
        raise InputError("times are not equally far apart: a frame is missing or repeated")
    return interval * time_ps
