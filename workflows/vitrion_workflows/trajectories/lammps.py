"""LAMMPS's text dumps: atoms in any order, a box with an origin, coordinates in one of four forms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.trajectories.volume_fluctuation import check_breath

# Unit style, told by `dump_modify units yes`, to Angstrom and ps.
UNITS = {"metal": (1.0, 1.0), "real": (1.0, 1e-3), "nano": (10.0, 1e3), "si": (1e10, 1e12)}
# Columns of a position in the order of preference: scaled with the box or not, and whether paths are whole.
FORMS = {
    ("xu", "yu", "zu"): (False, True),
    ("xsu", "ysu", "zsu"): (True, True),
    ("x", "y", "z"): (False, False),
    ("xs", "ys", "zs"): (True, False),
}
IMAGES = ("ix", "iy", "iz")
VELOCITIES = ("vx", "vy", "vz")
NUMBERS = frozenset(name for names in (*FORMS, IMAGES, VELOCITIES) for name in names)
SHRINK_WRAPPED = frozenset("sm")  # among the boundaries p, f, s and m
DIMENSIONS = 3
TIME_TOLERANCE = 1e-3


@dataclass(frozen=True, eq=False)
class LammpsFrames:
    """Frames of a dump, atoms sorted by their id.

    Attributes:
        numbers: atomic numbers, shape (N,).
        fractional: from the origin of the box, shape (F, N, 3).
        lattices_A: shape (3, 3) for a fixed box, (F, 3, 3) for a changing one.
        whole: whether the dump says where atoms are beyond the box.
        interval_ps: between frames, None where the dump states no times or no units.
        velocities_A_per_ps: shape (F, N, 3), None where it holds none or states no units.
    """

    numbers: IntArray
    fractional: FloatArray
    lattices_A: FloatArray
    whole: bool
    interval_ps: float | None
    velocities_A_per_ps: FloatArray | None


@dataclass(frozen=True, eq=False)
class _Frame:
    """Atoms sorted by their id, and of their words only the numbers that are used: a dump has millions of words."""

    items: Mapping[str, Sequence[str]]  # without the atoms
    columns: tuple[str, ...]
    ids: IntArray
    elements: NDArray[np.str_]
    values: Mapping[str, FloatArray]

    def numbers(self, names: Sequence[str]) -> FloatArray:
        """Columns as numbers, shape (N, len(names))."""
        return np.stack([self.values[name] for name in names], axis=1)


def parse_dump(text: str, *, source: str) -> LammpsFrames:
    """Read a text dump with the columns id, element and positions.

    Lengths of a dump that states no units are Angstrom, as in LAMMPS's styles metal and real; times are used only where
    units are stated.

    Args:
        text: of the file.
        source: its name, for messages.

    Raises:
        InputError: no dump, no column of ids, elements or positions, changing atoms, steps that are not equally far
            apart, an id that occurs twice, a box that is no periodic cell, units that are not read here, or an
            incomplete frame.
    """
    if not text.endswith("\n"):
        # Half of the last number may be a number, too.
        raise InputError(f"{source} ends within a line: cut its last frame off")
    try:
        frames = [_sorted(items, source) for items in _items(text.splitlines(), source)]
        return _joined(frames, source)
    except (ValueError, IndexError, KeyError, OverflowError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source} is no whole LAMMPS dump ({str(error).splitlines()[0]}): write it again") from error


def _items(lines: Sequence[str], source: str) -> Iterator[dict[str, Sequence[str]]]:
    """The ITEMs of each frame, first word to what follows it on the line and below."""
    starts = [number for number, line in enumerate(lines) if line.startswith("ITEM:")]
    if not starts or any(line.strip() for line in lines[: starts[0]]):
        raise InputError(f"{source} is no LAMMPS dump: one begins with ITEM:")
    frame: dict[str, Sequence[str]] = {}
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        name, _, rest = lines[start].removeprefix("ITEM:").strip().partition(" ")
        frame[name] = [rest, *(line for line in lines[start + 1 : end] if line.strip())]
        if name == "ATOMS":
            yield frame
            frame = {}
    if frame:
        raise InputError(f"{source} ends within a frame: cut it off")


def _sorted(items: Mapping[str, Sequence[str]], source: str) -> _Frame:
    columns = tuple(items["ATOMS"][0].split())
    table = [row.split() for row in items["ATOMS"][1:]]
    step = items["TIMESTEP"][1].strip()
    if len(table) != int(items["NUMBER"][1]) or any(len(row) != len(columns) for row in table):
        raise InputError(f"{source}: the frame of step {step} does not hold the atoms it announces: cut it off")
    for needed, why in (
        ("id", "which atom is which"),
        ("element", "which elements its types are (dump_modify element)"),
    ):
        if needed not in columns:
            raise InputError(f"{source} does not say {why}: dump a column {needed!r}, too")
    words = dict(zip(columns, zip(*table, strict=True), strict=True)) if table else dict.fromkeys(columns, ())
    ids = np.array([int(word) for word in words["id"]], dtype=np.int64)
    order = np.argsort(ids, kind="stable")
    return _Frame(
        items={name: lines for name, lines in items.items() if name != "ATOMS"},
        columns=columns,
        ids=ids[order],
        elements=np.array(words["element"], dtype=np.str_)[order],
        values={name: np.array(words[name], dtype=np.float64)[order] for name in NUMBERS if name in words},
    )


def _check_atoms(frames: Sequence[_Frame], source: str) -> None:
    first = frames[0]
    if (twice := first.ids[1:][first.ids[1:] == first.ids[:-1]]).size:
        raise InputError(f"{source}: id {twice[0]} occurs more than once in a frame: number the atoms anew")
    if any(
        one.columns != first.columns
        or not np.array_equal(one.ids, first.ids)
        or not np.array_equal(one.elements, first.elements)
        for one in frames
    ):
        raise InputError(
            f"{source}: atoms or columns change from frame to frame: give a trajectory of one set of atoms"
        )
    if unknown := [symbol for symbol in first.elements.tolist() if not atomic_numbers.get(symbol)]:
        raise InputError(f"{source}: {unknown[0]!r} is no element")


def _joined(frames: Sequence[_Frame], source: str) -> LammpsFrames:
    first = frames[0]
    _check_atoms(frames, source)
    form = next((form for form in FORMS if set(form) <= set(first.columns)), None)
    if form is None:
        raise InputError(f"{source} holds no positions: dump x y z, xu yu zu, xs ys zs or xsu ysu zsu")
    units = first.items["UNITS"][1].strip() if "UNITS" in first.items else None
    if units is not None and units not in UNITS:
        raise InputError(f"{source} is in units {units!r}, which are not read here: choose from {', '.join(UNITS)}")
    length_A, time_ps = UNITS.get(units or "", (1.0, None))
    boxes = [_box(one.items["BOX"], source) for one in frames]
    cells, origins = (np.array(found) for found in zip(*boxes, strict=True))
    scaled, whole = FORMS[form]
    fractional = np.array([one.numbers(form) for one in frames])
    if not scaled:
        fractional = (fractional - origins[:, None]) @ np.linalg.inv(cells)
    if not whole and set(IMAGES) <= set(first.columns):
        fractional, whole = fractional + np.array([one.numbers(IMAGES) for one in frames]), True
    check_breath(cells, source=source)
    velocities = None
    if time_ps is not None and set(VELOCITIES) <= set(first.columns):
        velocities = np.array([one.numbers(VELOCITIES) for one in frames]) * (length_A / time_ps)
    return LammpsFrames(
        numbers=np.array([atomic_numbers[symbol] for symbol in first.elements.tolist()], dtype=np.int64),
        fractional=fractional,
        lattices_A=length_A * (cells[0] if (cells == cells[0]).all() else cells),
        whole=whole,
        interval_ps=_interval(frames, time_ps, source),
        velocities_A_per_ps=velocities,
    )


def _box(item: Sequence[str], source: str) -> tuple[FloatArray, FloatArray]:
    """Lattice vectors as rows and the origin (LAMMPS manual, "Triclinic simulation boxes")."""
    if shrunk := [flag for flag in item[0].split()[-DIMENSIONS:] if SHRINK_WRAPPED & set(flag)]:
        raise InputError(
            f"{source}: its box is drawn around the atoms anew in each frame (boundary {shrunk[0]!r}), which is no "
            "periodic cell: run it with boundaries p"
        )
    rows = np.array([line.split() for line in item[1:]], dtype=np.float64)
    if "abc" in item[0]:
        return rows[:, :DIMENSIONS], rows[:, DIMENSIONS]
    xy, xz, yz = rows[:, 2] if rows.shape[1] > 2 else (0.0, 0.0, 0.0)  # noqa: PLR2004
    # What is dumped is the cuboid around a tilted box.
    low = rows[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = rows[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    cell: FloatArray = np.diag(high - low) + np.array([[0.0, 0, 0], [xy, 0, 0], [xz, yz, 0]])
    return cell, low


def _interval(frames: Sequence[_Frame], time_ps: float | None, source: str) -> float | None:
    steps = np.diff([int(one.items["TIMESTEP"][1]) for one in frames])
    if len(steps) and not (steps[0] > 0 and (steps == steps[0]).all()):
        raise InputError(f"{source}: its steps are not equally far apart: a frame is missing or repeated")
    if time_ps is None or not len(steps) or not all("TIME" in one.items for one in frames):
        return None
    times = np.array([float(one.items["TIME"][1]) for one in frames])
    interval = float(times[-1] - times[0]) / len(steps)
    if not (interval > 0 and np.abs(np.diff(times) - interval).max() <= TIME_TOLERANCE * interval):
        raise InputError(f"{source}: its times are not equally far apart: a frame is missing or repeated")
    return interval * time_ps
