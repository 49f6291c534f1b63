"""VASP's XDATCAR: wrapped fractional coordinates, no time."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from ase.data import atomic_numbers

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.trajectories.volume_fluctuation import check_breath

HEADER_LINES = 7
DIMENSIONS = 3
# The title of a run may begin with the word, too.
FRAME = re.compile(r"\s*direct\s*(configuration\s*=.*)?$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class FractionalFrames:
    """Frames as a file holds them.

    Attributes:
        numbers: atomic numbers, shape (N,).
        fractional: shape (F, N, 3).
        lattices_A: shape (3, 3) for a fixed cell, (F, 3, 3) for a changing one.
    """

    numbers: IntArray
    fractional: FloatArray
    lattices_A: FloatArray


def parse_xdatcar(text: str, *, source: str) -> FractionalFrames:
    """Read an XDATCAR, the header once or before every frame (constant pressure).

    Args:
        text: of the file.
        source: its name, for messages.

    Raises:
        InputError: no XDATCAR, unknown element, changing atom counts, an incomplete last frame, a configuration left
            out by its number, or a cell unlike the others.
    """
    lines = text.splitlines()
    try:
        frames = list(_frames(lines, source))
    except (ValueError, IndexError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source} is no whole XDATCAR ({str(error).splitlines()[0]}): write it again") from error
    if not frames:
        raise InputError(f"{source} holds no frame: an XDATCAR has 'Direct configuration=' before each")
    numbers = frames[0][0]
    if any(not np.array_equal(found, numbers) for found, _, _ in frames):
        raise InputError(f"{source}: the atoms change from frame to frame: give a trajectory of one set of atoms")
    lattices = np.array([lattice for _, lattice, _ in frames])
    _check_numbering(lines, source)
    check_breath(lattices, source=source)
    fixed = bool((lattices == lattices[0]).all())
    return FractionalFrames(
        numbers=numbers,
        fractional=np.array([coordinates for _, _, coordinates in frames]),
        lattices_A=lattices[0] if fixed else lattices,
    )


def _frames(lines: list[str], source: str) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    position = 0
    numbers, lattice = None, None
    while position < len(lines):
        if not lines[position].strip() and not any(line.strip() for line in lines[position:]):
            return
        if not _begins_frame(lines[position]):
            if numbers is not None and lines[position] != lines[0] and _is_row(lines[position]):
                raise InputError(
                    f"{source}: the atoms change: line {position + 1} is one more than {len(numbers)}: cut it off",
                )
            numbers, lattice = _header(lines[position : position + HEADER_LINES], source, most=len(lines))
            position += HEADER_LINES
            continue
        if numbers is None or lattice is None:
            raise InputError(f"{source} starts without the header of an XDATCAR")
        rows = lines[position + 1 : position + 1 + len(numbers)]
        words = [] if any(map(_begins_frame, rows)) else _coordinates(rows)
        if len(words) != DIMENSIONS * len(numbers):
            raise InputError(
                f"{source}: the frame at line {position + 1} does not hold {len(numbers)} atoms: cut it off",
            )
        yield numbers, lattice, np.array(words, dtype=np.float64).reshape(-1, DIMENSIONS)
        position += 1 + len(numbers)


def _coordinates(rows: list[str]) -> list[str]:
    """The words of a frame, less the symbol of the element that pymatgen writes behind each row."""
    words = " ".join(rows).split()
    if len(words) == DIMENSIONS * len(rows):
        return words
    split = [row.split() for row in rows]
    if any(len(row) < DIMENSIONS or not all(map(str.isalpha, row[DIMENSIONS:])) for row in split):
        return []
    return [word for row in split for word in row[:DIMENSIONS]]


def _check_numbering(lines: list[str], source: str) -> None:
    numbers = [line.partition("=")[2].strip() for line in lines if _begins_frame(line)]
    if not all(number.isdecimal() for number in numbers):
        return  # other programs number nothing
    pairs = [(int(first), int(second)) for first, second in pairwise(numbers)]
    # Files put one after the other begin anew.
    forward = [pair for pair in pairs if pair[1] > pair[0]]
    for first, second in forward:
        if second - first != forward[0][1] - forward[0][0]:
            raise InputError(
                f"{source}: configuration {second} follows {first}, others are {forward[0][1] - forward[0][0]} apart: "
                "frames are missing"
            )


def _begins_frame(line: str) -> bool:
    return bool(FRAME.match(line))


def _is_row(line: str) -> bool:
    # Three numbers where a header (its first line is free text, its second one number) or a frame should begin.
    words = line.split()
    try:
        return len([float(word) for word in words]) == DIMENSIONS
    except ValueError:
        return False


def _header(lines: list[str], source: str, *, most: int) -> tuple[IntArray, FloatArray]:
    if len(lines) < HEADER_LINES:
        raise InputError(f"{source} ends within a header: cut the incomplete frame off")
    # VASP may write the name of the pseudopotential, Li_sv, and its hash after a slash.
    symbols = [word.partition("/")[0].partition("_")[0] for word in lines[5].split()]
    counts = [int(word) for word in lines[6].split()]
    if len(symbols) != len(counts):
        raise InputError(f"{source} names {len(symbols)} elements and {len(counts)} counts: line 6 must name elements")
    unknown = [symbol for symbol in symbols if not atomic_numbers.get(symbol)]
    if unknown:
        raise InputError(f"{source}: {unknown[0]!r} is no element")
    if min(counts) < 0 or sum(counts) > most:
        # Before anything of that size is made: one wrong digit would cost minutes and all memory.
        raise InputError(f"{source} promises {sum(counts)} atoms in a file of {most} lines: its line 7 is wrong")
    lattice = _scaled(np.array([line.split() for line in lines[2:5]], dtype=np.float64), lines[1], source)
    return np.repeat([atomic_numbers[symbol] for symbol in symbols], counts), lattice


def _scaled(lattice: FloatArray, line: str, source: str) -> FloatArray:
    """A factor, three factors of the Cartesian axes, or the volume with a minus sign, as in a POSCAR."""
    scales = np.array(line.split(), dtype=np.float64)
    volume = abs(float(np.linalg.det(lattice)))
    if len(scales) == 1 and scales[0] < 0 and volume > 0:
        scales = np.cbrt(-scales / volume)
    if len(scales) not in {1, DIMENSIONS} or not (scales > 0).all():
        raise InputError(f"{source}: the lattice is impossible (scale {line.strip()})")
    scaled: FloatArray = lattice * scales
    return scaled
