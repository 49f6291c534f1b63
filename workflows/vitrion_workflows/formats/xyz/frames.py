"""XYZ files: extended ones with their cell in the comment line, and plain ones with a cell stated by the user."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from vitrion_models.bounds import MOST_ATOMS
from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import PERIODIC, FloatArray, IntArray, standard_masses_u
from vitrion_workflows.formats.ase.momenta import TIME_KEYS, kinetic_temperature_K, velocities_A_per_ps
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions, atoms_of, floats, is_digits, whole_number
from vitrion_workflows.formats.numbered_lines import NumberedLines
from vitrion_workflows.formats.xyz.columns import Values, parse_columns
from vitrion_workflows.formats.xyz.comments import Comment, parse_comment, words_of

CELL_LINE = "VEC"  # of some programs, after the atoms
MASSES = ("masses", "mass")
UNKNOWN_UNIT = "Time"
# In the spellings of the extended format (https://github.com/libAtoms/extxyz).
FLAGS = {
    spelling: flag
    for flag in (True, False)
    for spelling in (str(flag)[0], str(flag), str(flag).lower(), str(flag).upper())
}
# CP2K writes velocities and forces in files of the same form.
NOT_POSITIONS = ("-vel-", "-frc-")


@dataclass(frozen=True)
class Dialect:
    """Columns and keys of the extended format whose meaning a program defines.

    Attributes:
        time_keys: keys of a time, with their factor to ps.
        positions: columns of positions in the order of preference, True for continuous ones.
        momenta: momenta in ASE's unit from the columns, the masses (N,) known; None where there are none.
    """

    time_keys: Mapping[str, float]
    positions: Mapping[str, bool]
    momenta: Callable[[Values, FloatArray], FloatArray | None]


ASE = Dialect(time_keys=TIME_KEYS, positions={"pos": False}, momenta=lambda values, _masses: values.vectors("momenta"))


def read_frames(path: Path, options: FrameOptions) -> FrameFile:
    """Read every frame; frames may hold different atoms.

    Momenta are in ASE's unit, times in the keys ``time_ps`` and ``time_fs`` or as CP2K writes them; columns and keys of
    unknown unit are left out. Frames with ``Lattice`` and without ``pbc`` are periodic, as the format defines.

    Raises:
        InputError: a frame has no cell, the file is truncated, there is text between the frames, or a word is not what
            ``Properties`` announces.
    """
    return read_dialect(path, options, ASE)


def read_dialect(path: Path, options: FrameOptions, dialect: Dialect) -> FrameFile:
    """Read every frame, columns and keys as a program defines them."""
    remarks: list[str] = []
    return FrameFile(frames=_frames(path, options, dialect, remarks), remarks=remarks)


def _frames(path: Path, options: FrameOptions, dialect: Dialect, remarks: list[str]) -> Iterator[Frame]:
    lines = NumberedLines(path)
    index = 0
    while (line := lines.peek()) is not None:
        if not is_digits(line.strip().lstrip("+-")):
            # Blank lines end a file; amid it half of a run would be taken for the whole.
            last = lines.number
            if all(not rest.strip() for rest in lines) and index:
                return
            raise InputError(
                f"cannot be read beyond line {last}: the next line should be the number of atoms of frame {index + 1}"
            )
        index += 1
        place = f"frame {index}"
        atoms = whole_number(next(lines), place=f"the number of atoms of {place}", largest=MOST_ATOMS)
        comment = parse_comment(next(lines, ""), time_keys=dialect.time_keys, place=place)
        if index == 1:
            remarks += _remarks(path, comment)
        rows = [row.split() for row in islice(lines, atoms)]
        if len(rows) < atoms:
            raise InputError(f"truncated: {place} announces {atoms} atoms, which are not there")
        values = parse_columns(comment.info, place=place).values(rows, place=place)
        yield _frame(comment, values, _vectors(lines, place), options, dialect)


def _remarks(path: Path, comment: Comment) -> Iterator[str]:
    if comment.program == "CP2K" and any(mark in path.name for mark in NOT_POSITIONS):
        raise InputError("this file holds velocities or forces, not positions: give PROJECT-pos-1.xyz")
    if UNKNOWN_UNIT in comment.info and comment.time_ps is None:
        yield f"{UNKNOWN_UNIT}= is not used, since its unit is unknown; --format gpumd takes it for fs"


def _frame(
    comment: Comment, values: Values, below: FloatArray | None, options: FrameOptions, dialect: Dialect
) -> Frame:
    place = values.place
    name = next((name for name in dialect.positions if name in values), None)
    positions = None if name is None else values.vectors(name)
    if name is None or positions is None:
        raise InputError(f"Properties of {place} does not say which three columns are positions (pos:R:3): correct it")
    lattice, pbc = _cell(comment, below, options, place)
    numbers, masses = _atoms(values, options)
    momenta = dialect.momenta(values, masses if masses is not None else standard_masses_u(numbers))
    return Frame(
        numbers=numbers,
        masses_u=masses,
        coordinates=positions,
        unwrapped=dialect.positions[name],
        lattice_A=lattice,
        pbc=pbc,
        ids=np.array(values.words("id")) if "id" in values else None,
        step=comment.step,
        time_ps=comment.time_ps,
        velocities_A_per_ps=velocities_A_per_ps(momenta, numbers, masses),
        temperature_K=kinetic_temperature_K(momenta, numbers, masses),
        potential_energy_eV=comment.energy_eV,
    )


def _atoms(values: Values, options: FrameOptions) -> tuple[IntArray, FloatArray | None]:
    stored = values.numbers("Z") if "Z" in values else None
    if "species" in values:
        words = [options.types.get(word, word) for word in values.words("species")]
        known = {word: atoms_of([word]) for word in dict.fromkeys(words)}
        numbers: IntArray = np.array([known[word][0][0] for word in words], dtype=np.int64)
        masses = atoms_of(words)[1] if any(own is not None for _, own in known.values()) else None
        if stored is not None and not np.array_equal(numbers, stored):
            raise InputError(f"columns species and Z of {values.place} name different elements: correct one")
    elif stored is not None:
        numbers, masses = np.nan_to_num(stored).astype(np.int64), None
        if not np.array_equal(numbers, stored):
            raise InputError(f"column Z of {values.place} holds numbers that are not whole: correct it")
    else:
        raise InputError(f"Properties of {values.place} names no column of elements (species:S:1): correct it")
    stated = next((name for name in MASSES if name in values), None)
    return numbers, masses if stated is None else values.numbers(stated)


def _vectors(lines: NumberedLines, place: str) -> FloatArray | None:
    """Take the lines ``VEC1 x y z`` that some programs write below the atoms, where there are any."""
    rows = []
    while (line := lines.peek()) is not None and line.lstrip().startswith(CELL_LINE):
        rows.append(floats(next(lines).split()[1:], place=f"the cell of {place}"))
    if not rows:
        return None
    if len(rows) != DIMENSIONS or any(len(row) != DIMENSIONS for row in rows):
        raise InputError(f"the cell below {place} should be {CELL_LINE}1 to {CELL_LINE}3, three numbers each")
    return np.array(rows)


def _cell(
    comment: Comment, below: FloatArray | None, options: FrameOptions, place: str
) -> tuple[FloatArray, tuple[bool, bool, bool]]:
    info = comment.info
    own = _lattice(info["Lattice"], place) if "Lattice" in info else below
    if own is not None and options.cell is not None:
        raise InputError(f"{place} holds its own cell: leave --cell out")
    if own is None and options.cell is None:
        raise InputError(f'{place} has no cell: give Lattice="..." in its comment line, or state --cell')
    lattice = np.asarray(own, dtype=np.float64) if options.cell is None else options.cell.at(comment.step)
    if "pbc" not in info:
        return lattice, PERIODIC
    flags = [FLAGS.get(word) for word in words_of(info["pbc"])]
    if len(flags) != DIMENSIONS or None in flags:
        raise InputError(f'pbc of {place} should be three of T and F, as in pbc="T T T": correct it')
    a, b, c = map(bool, flags)
    return lattice, (a, b, c)


def _lattice(value: str, place: str) -> FloatArray:
    """Return lattice vectors as rows, shape (3, 3), which the format has one after the other."""
    numbers = floats(words_of(value), place=f"Lattice of {place}")
    if len(numbers) != DIMENSIONS**2:
        raise InputError(f"Lattice in the comment line of {place} has {len(numbers)} numbers, not nine: correct it")
    return numbers.reshape(DIMENSIONS, DIMENSIONS)
