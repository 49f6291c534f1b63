"""LAMMPS's text dumps: atoms in any order, a box with an origin, coordinates in one of four forms."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import numpy as np

from vitrion_models.bounds import MOST_ATOMS
from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions, check_cell, floats, whole_number
from vitrion_workflows.formats.lammps.types import elements_of_atoms
from vitrion_workflows.formats.numbered_lines import NumberedLines

ITEM = "ITEM:"
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
CUBOID_COLUMNS, TRICLINIC_COLUMNS, GENERAL_COLUMNS = 2, 3, 4
PERIODIC = "p"  # among the boundaries p, f, s and m


@dataclass(frozen=True, eq=False)
class _Dump:
    """One frame as the dump has it: the lines below each ITEM, and the words of its atoms by column."""

    items: Mapping[str, Sequence[str]]  # the rest of the line of an ITEM, then the lines below it
    columns: Mapping[str, Sequence[str]]
    place: str

    def numbers(self, names: Sequence[str]) -> FloatArray:
        """Return columns as numbers, shape (N, len(names))."""
        return np.stack([floats(self.columns[name], place=f"column {name} of {self.place}") for name in names], axis=1)


def read_frames(path: Path, options: FrameOptions) -> FrameFile:
    """Read a text dump with a column of ids, one of positions, and elements in a column or stated for each type.

    Lengths of a dump that states no units are Angstrom, as in LAMMPS's styles metal and real; times and velocities are
    used only where units are stated.

    Raises:
        InputError: not a dump, no column of ids, elements or positions, an id that occurs twice, unknown units, or an
            incomplete frame.
    """
    return FrameFile(frames=_frames(NumberedLines(path), options))


def _frames(lines: NumberedLines, options: FrameOptions) -> Iterator[Frame]:
    units: str | None = None
    for dump in _dumps(lines):
        if "UNITS" in dump.items:  # stated once, before the first frame
            units = dump.items["UNITS"][1].strip()
            if units not in UNITS:
                raise InputError(f"the dump is in unknown units {units!r}: choose from {', '.join(UNITS)}")
        yield _frame(dump, units, options)


def _dumps(lines: NumberedLines) -> Iterator[_Dump]:
    items: dict[str, Sequence[str]] = {}
    for line in lines:
        if not line.startswith(ITEM):
            if line.strip():
                raise InputError(f"not a LAMMPS dump: line {lines.number} should begin with {ITEM}")
            continue
        name, _, rest = line.removeprefix(ITEM).strip().partition(" ")
        if name == "ATOMS":
            step = " ".join(items["TIMESTEP"][1:]) if "TIMESTEP" in items else "unknown"
            place = f"the frame of step {step}"
            yield _Dump(items, _columns(lines, rest.split(), _count(items, place), place), place)
            items = {}
        elif name in items:
            raise InputError(f"ITEM: {name} stands twice in the frame above line {lines.number}: write it again")
        else:
            items[name] = [rest, *_below(lines)]
    if items:
        raise InputError("the dump ends within a frame: remove it")


def _below(lines: NumberedLines) -> Iterator[str]:
    while (line := lines.peek()) is not None and not line.startswith(ITEM):
        if next(lines).strip():
            yield line.strip()


def _count(items: Mapping[str, Sequence[str]], place: str) -> int:
    words = " ".join(items.get("NUMBER", ())[1:]).split()
    if len(words) != 1:
        raise InputError(f"{place} does not say how many atoms it holds: remove it")
    return whole_number(words[0], place=f"the number of atoms of {place}", largest=MOST_ATOMS)


def _columns(lines: NumberedLines, names: Sequence[str], atoms: int, place: str) -> dict[str, Sequence[str]]:
    if repeated := [name for index, name in enumerate(names) if name in names[:index]]:
        raise InputError(f"column {repeated[0]!r} stands twice in {place}: remove one")
    rows = list(islice(lines, atoms))
    table = [row.split() for row in rows]
    following = lines.peek()
    if (
        len(table) != atoms
        or any(len(row) != len(names) for row in table)
        or not (following is None or following.startswith(ITEM) or not following.strip())
    ):
        raise InputError(f"{place} does not hold the atoms it announces: remove it")
    if rows and not rows[-1].endswith("\n"):
        # Half of the last number may be a number, too.
        raise InputError("the dump ends within a line: remove its last frame")
    return dict(zip(names, zip(*table, strict=True), strict=True)) if table else dict.fromkeys(names, ())


def _frame(dump: _Dump, units: str | None, options: FrameOptions) -> Frame:
    if "id" not in dump.columns:
        raise InputError("the dump does not say which atom is which: dump a column 'id', too")
    axes = next((axes for axes in FORMS if dump.columns.keys() >= set(axes)), None)
    if axes is None:
        raise InputError("the dump holds no positions: dump x y z, xu yu zu, xs ys zs or xsu ysu zsu")
    ids = _ids(dump)
    order = np.argsort(ids, kind="stable")
    length_A, time_ps = UNITS.get(units or "", (1.0, None))
    cell, origin, pbc = _box(dump)
    check_cell(length_A * cell, place=dump.place)
    form = FORMS[axes]
    fractional, unwrapped = dump.numbers(axes), form.unwrapped
    if not form.scaled:
        fractional = (fractional - origin) @ np.linalg.inv(cell)
    if not unwrapped and dump.columns.keys() >= set(IMAGES):
        fractional, unwrapped = fractional + dump.numbers(IMAGES), True
    velocities = None
    if time_ps is not None and dump.columns.keys() >= set(VELOCITIES):
        velocities = (dump.numbers(VELOCITIES) * (length_A / time_ps))[order]
    numbers, masses = elements_of_atoms(dump.columns, options.types, units=units)
    return Frame(
        numbers=numbers[order],
        masses_u=None if masses is None else masses[order],
        coordinates=fractional[order],
        scaled=True,
        unwrapped=unwrapped,
        lattice_A=length_A * cell,
        pbc=pbc,
        ids=ids[order],
        step=_step(dump),
        time_ps=None if time_ps is None or "TIME" not in dump.items else _number(dump, "TIME") * time_ps,
        velocities_A_per_ps=velocities,
    )


def _ids(dump: _Dump) -> IntArray:
    ids = np.array([whole_number(word, place=f"an id of {dump.place}") for word in dump.columns["id"]], dtype=np.int64)
    ordered = np.sort(ids)
    if (repeated := ordered[1:][ordered[1:] == ordered[:-1]]).size:
        raise InputError(f"id {repeated[0]} occurs more than once in {dump.place}: number the atoms anew")
    return ids


def _step(dump: _Dump) -> int:
    words = " ".join(dump.items.get("TIMESTEP", ())[1:]).split()
    if len(words) != 1:
        raise InputError(f"LAMMPS dump damaged: {dump.place} has no number of its step: write it again")
    return whole_number(words[0], place="the step of a frame")


def _number(dump: _Dump, item: str) -> float:
    words = " ".join(dump.items[item][1:]).split()
    values = floats(words, place=f"ITEM: {item} of {dump.place}")
    if len(values) != 1:
        raise InputError(f"ITEM: {item} of {dump.place} should be one number: write it again")
    return float(values[0])


def _box(dump: _Dump) -> tuple[FloatArray, FloatArray, tuple[bool, bool, bool]]:
    """Return lattice vectors as rows, the origin and periodicity (LAMMPS manual, "Triclinic simulation boxes")."""
    header, *lines = dump.items.get("BOX", ("",))
    rows = floats(" ".join(lines).split(), place=f"the box of {dump.place}")
    columns = {GENERAL_COLUMNS} if "abc" in header else {CUBOID_COLUMNS, TRICLINIC_COLUMNS}
    if len(lines) != DIMENSIONS or len(rows) not in {DIMENSIONS * count for count in columns}:
        raise InputError(f"LAMMPS dump damaged: the box of {dump.place} is incomplete: write it again")
    rows = rows.reshape(DIMENSIONS, -1)
    # Dumps of very old versions state no boundaries; three words are p, f, s or m of both faces.
    flags = [word for word in header.split() if set(word) <= set("pfsm")][-DIMENSIONS:]
    x, y, z = (set(flag) == {PERIODIC} for flag in flags) if len(flags) == DIMENSIONS else (True, True, True)
    if "abc" in header:
        return rows[:, :DIMENSIONS], rows[:, DIMENSIONS], (x, y, z)
    xy, xz, yz = rows[:, 2] if rows.shape[1] == TRICLINIC_COLUMNS else (0.0, 0.0, 0.0)
    # What is dumped is the cuboid around a tilted box.
    low = rows[:, 0] - [min(0.0, xy, xz, xy + xz), min(0.0, yz), 0.0]
    high = rows[:, 1] - [max(0.0, xy, xz, xy + xz), max(0.0, yz), 0.0]
    cell: FloatArray = np.diag(high - low) + np.array([[0.0, 0, 0], [xy, 0, 0], [xz, yz, 0]])
    return cell, low, (x, y, z)
