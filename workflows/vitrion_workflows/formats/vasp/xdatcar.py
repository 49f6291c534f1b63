"""VASP's XDATCAR: wrapped fractional coordinates, no time."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from vitrion_models.bounds import MOST_ATOMS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions, atoms_of, floats, whole_number
from vitrion_workflows.formats.numbered_lines import NumberedLines
from vitrion_workflows.formats.vasp.cell import DIMENSIONS, scale_factors, split_glued

HEADER_LINES = 7
# The title of a run may begin with the word, too.
FRAME = re.compile(r"\s*direct\s*(configuration\s*=.*)?$", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class _Cell:
    """Header of a frame: atomic numbers, shape (N,), and lattice vectors in Angstrom as rows, shape (3, 3)."""

    numbers: IntArray
    masses_u: FloatArray | None
    lattice_A: FloatArray


def read_frames(path: Path, _options: FrameOptions) -> FrameFile:
    """Read an XDATCAR with its header once or, at constant pressure, before every frame.

    The step of a frame is the number of its configuration, which some programs leave out. The beginning of a header
    at the end of the file, from a run that was killed, is left out with a remark: no coordinates are lost with it.

    Raises:
        InputError: not an XDATCAR, an unknown element, atoms that change, or an incomplete last frame.
    """
    remarks: list[str] = []
    return FrameFile(frames=_frames(NumberedLines(path), remarks), steps_start_again=True, remarks=remarks)


def _frames(lines: NumberedLines, remarks: list[str]) -> Iterator[Frame]:
    cell: _Cell | None = None
    frames = 0
    title = lines.peek()
    while (line := lines.peek()) is not None:
        if FRAME.match(line):
            if cell is None:
                raise InputError("no header before the first frame of this XDATCAR: write it again")
            yield _frame(lines, cell)
            frames += 1
        elif cell is not None and not line.strip() and title and title.strip():
            next(lines)  # no header, whose title is not blank in this file
        else:
            if cell is not None and line != title and _is_row(line):
                raise InputError(f"atoms change: line {lines.number + 1} adds one to {len(cell.numbers)}: remove it")
            first, rows = lines.number + 1, list(islice(lines, HEADER_LINES))
            if frames and len(rows) < HEADER_LINES and rows[0] == title:
                remarks.append(f"the file ends within the header at line {first}, which is left out")
                return
            following = _header(rows, first)
            if cell is not None and not np.array_equal(cell.numbers, following.numbers):
                raise InputError(f"atoms change at line {lines.number}: give a trajectory of one set of atoms")
            cell = following
    if not frames:
        raise InputError("no frame in this XDATCAR: each one begins with 'Direct configuration='")


def _frame(lines: NumberedLines, cell: _Cell) -> Frame:
    number = next(lines).partition("=")[2].strip()
    place, atoms = f"the frame at line {lines.number}", len(cell.numbers)
    rows = list(islice(lines, atoms))
    words = [] if any(map(FRAME.match, rows)) else _words(rows)
    if len(rows) < atoms or len(words) != DIMENSIONS * atoms:
        raise InputError(f"{place} does not hold {atoms} atoms: remove it")
    return Frame(
        numbers=cell.numbers,
        masses_u=cell.masses_u,
        coordinates=floats(words, place=place).reshape(-1, DIMENSIONS),
        scaled=True,
        lattice_A=cell.lattice_A,
        # Stars stand for a number that fills its column.
        step=whole_number(number, place=f"the configuration of {place}") if number.strip("*") else None,
    )


def _words(rows: Sequence[str]) -> list[str]:
    """Return the numbers of a frame, without the element symbols that pymatgen writes behind each row."""
    words = "".join(rows).split()
    if len(words) == DIMENSIONS * len(rows):
        return words
    split = [split_glued(row).split() for row in rows]
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


def _header(rows: Sequence[str], first: int) -> _Cell:
    place = f"the header at line {first}"
    if len(rows) < HEADER_LINES:
        raise InputError(f"{place} of the XDATCAR is incomplete: remove it")
    symbols, counts = rows[5].split(), rows[6].split()
    if len(symbols) != len(counts):
        raise InputError(f"{len(symbols)} elements but {len(counts)} counts: name the elements in line 6 of the header")
    numbers, masses = atoms_of(symbols)
    vectors = floats("".join(rows[2:5]).split(), place=place)
    if len(vectors) != DIMENSIONS**2:
        raise InputError(f"{place} does not hold three lattice vectors of three numbers: correct it")
    lattice = vectors.reshape(DIMENSIONS, DIMENSIONS)
    atoms = [
        whole_number(count, place=f"a number of atoms in line {first + 6}", largest=MOST_ATOMS) for count in counts
    ]
    if sum(atoms) > MOST_ATOMS:
        raise InputError(f"{place} announces {sum(atoms)} atoms, more than {MOST_ATOMS}: correct the counts")
    return _Cell(
        np.repeat(numbers, atoms),
        None if masses is None else np.repeat(masses, atoms),
        lattice * scale_factors(rows[1], lattice),
    )
