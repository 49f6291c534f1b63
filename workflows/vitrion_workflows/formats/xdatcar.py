"""VASP's XDATCAR: wrapped fractional coordinates, no time."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ase.data import atomic_numbers

from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import FractionalFrames

HEADER_LINES = 7
# The title of a run may begin with the word, too.
FRAME = re.compile(r"\s*direct\s*(configuration\s*=.*)?$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class _Cell:
    """Header of a frame: atomic numbers, shape (N,), and lattice vectors in Angstrom as rows, shape (3, 3)."""

    numbers: IntArray
    lattice_A: FloatArray


def parse_xdatcar(text: str) -> FractionalFrames:
    """Parse an XDATCAR with its header once or, at constant pressure, before every frame.

    Raises:
        InputError: not an XDATCAR, an unknown element, atoms that change, or an incomplete last frame.
    """
    try:
        frames = list(_frames(text.rstrip().splitlines()))
    except (ValueError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"XDATCAR damaged ({str(error).splitlines()[0]}): write it again") from error
    if not frames:
        raise InputError("no frame in this XDATCAR: each one begins with 'Direct configuration='")
    numbers = frames[0][0].numbers
    if any(not np.array_equal(cell.numbers, numbers) for cell, _ in frames):
        raise InputError("atoms change between frames: give a trajectory of one set of atoms")
    return FractionalFrames(
        numbers=numbers,
        fractional=np.array([coordinates for _, coordinates in frames]),
        lattices_A=np.array([cell.lattice_A for cell, _ in frames]),
    )


def check_numbering(text: str) -> None:
    """Refuse an XDATCAR whose configuration numbers, where it has them, show that frames are missing.

    Raises:
        InputError: configurations unequally far apart.
    """
    numbers = [line.partition("=")[2].strip() for line in text.splitlines() if FRAME.match(line)]
    if not all(number.isdecimal() for number in numbers):
        return  # other programs leave the numbers out
    # Where files were concatenated the numbers start again.
    steps = [(first, second) for first, second in pairwise(map(int, numbers)) if second > first]
    for first, second in steps:
        spacing = steps[0][1] - steps[0][0]
        if second - first != spacing:
            raise InputError(f"configuration {second} follows {first}, others are {spacing} apart: frames are missing")


def _frames(lines: Sequence[str]) -> Iterator[tuple[_Cell, FloatArray]]:
    position = 0
    cell: _Cell | None = None
    while position < len(lines):
        if not FRAME.match(lines[position]):
            if cell is not None and lines[position] != lines[0] and _is_row(lines[position]):
                raise InputError(f"atoms change: line {position + 1} adds one to {len(cell.numbers)}: remove it")
            cell = _header(lines[position : position + HEADER_LINES], most_atoms=len(lines))
            position += HEADER_LINES
            continue
        if cell is None:
            raise InputError("no header before the first frame of this XDATCAR: write it again")
        atoms = len(cell.numbers)
        rows = lines[position + 1 : position + 1 + atoms]
        words = [] if any(map(FRAME.match, rows)) else _coordinates(rows)
        if len(words) != DIMENSIONS * atoms:
            raise InputError(f"the frame at line {position + 1} does not hold {atoms} atoms: remove it")
        yield cell, np.array(words, dtype=np.float64).reshape(-1, DIMENSIONS)
        position += 1 + atoms


def _coordinates(rows: Sequence[str]) -> list[str]:
    """Return the words of a frame without the element symbols that pymatgen writes behind each row."""
    words = " ".join(rows).split()
    if len(words) == DIMENSIONS * len(rows):
        return words
    split = [row.split() for row in rows]
    if any(len(row) < DIMENSIONS or not all(map(str.isalpha, row[DIMENSIONS:])) for row in split):
        return []
    return [word for row in split for word in row[:DIMENSIONS]]


def _is_row(line: str) -> bool:
    # Three numbers where a header (its first line is free text, its second one number) or a frame should begin.
    words = line.split()
    try:
        return len([float(word) for word in words]) == DIMENSIONS
    except ValueError:
        return False


def _header(lines: Sequence[str], *, most_atoms: int) -> _Cell:
    if len(lines) < HEADER_LINES:
        raise InputError("the XDATCAR ends within a header: remove the incomplete frame")
    # VASP may write the name of the pseudopotential, Li_sv, and its hash after a slash.
    symbols = [word.partition("/")[0].partition("_")[0] for word in lines[5].split()]
    counts = [int(word) for word in lines[6].split()]
    if len(symbols) != len(counts):
        raise InputError(f"{len(symbols)} elements but {len(counts)} counts: name the elements in line 6 of the header")
    unknown = [symbol for symbol in symbols if not atomic_numbers.get(symbol)]
    if unknown:
        raise InputError(f"unknown element {unknown[0]!r}")
    if min(counts) < 0 or sum(counts) > most_atoms:
        # Before arrays of that size are allocated: one wrong digit would cost minutes and all memory.
        raise InputError(f"{sum(counts)} atoms announced in a file of {most_atoms} lines: correct line 7 of the header")
    vectors = np.array([line.split() for line in lines[2:5]], dtype=np.float64)
    return _Cell(np.repeat([atomic_numbers[symbol] for symbol in symbols], counts), _scaled(vectors, lines[1]))


def _scaled(lattice: FloatArray, line: str) -> FloatArray:
    """Scale lattice vectors by one factor, three Cartesian factors, or to a volume (negative), as in a POSCAR."""
    scales = np.array(line.split(), dtype=np.float64)
    volume = abs(float(np.linalg.det(lattice)))
    if len(scales) == 1 and scales[0] < 0 and volume > 0:
        scales = np.cbrt(-scales / volume)
    if len(scales) not in {1, DIMENSIONS} or not (scales > 0).all():
        raise InputError(f"the lattice is impossible (scale {line.strip()})")
    scaled: FloatArray = lattice * scales
    return scaled
