"""Cells of VASP: POSCAR, CONTCAR and XDATCAR."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.io.vasp.inputs import Poscar

from vitrion.ingest.formats.text import read_text
from vitrion_models.errors import InputError

CONFIGURATION = "configuration="
HEADER_LINES = 7  # comment, scale, three vectors, symbols, counts
SELECTIVE = ("S", "s")
AXES = 3


def read_poscar(path: Path) -> list[Structure]:
    """The cell of a POSCAR; VASP 4 files, which name no elements, are refused.

    Raises:
        InputError: no element symbols, or fewer or more positions than the counts promise.
    """
    text = read_text(path)
    lines = text.splitlines()
    if len(lines) < HEADER_LINES + 1:
        raise InputError(f"only {len(lines)} lines: truncated")
    symbols, counts = lines[5].split(), lines[6].split()
    if not symbols or any(symbol.isdigit() for symbol in symbols):
        raise InputError("no element symbols in line 6 (a VASP 4 file): add them")
    if not all(count.isdigit() for count in counts):
        raise InputError("line 7 holds no numbers of atoms")
    _check_count(counts, lines)
    _check_rest(counts, lines)
    structure: Structure = Poscar.from_str(text, read_velocities=False).structure
    return [structure]


def read_xdatcar(path: Path) -> list[Structure]:
    """Every frame of an XDATCAR, at fixed cell or with a header before each frame.

    Raises:
        InputError: no frames, or frames that differ in their atoms (a truncated file does).
    """
    lines = read_text(path).splitlines()
    frames = list(_frames(lines))
    if not frames:
        raise InputError("no frame in it")
    first = frames[0].atomic_numbers
    for index, frame in enumerate(frames[1:], start=2):
        if frame.atomic_numbers != first:
            raise InputError(f"the atoms change: frame 1 has {len(first)}, frame {index} has {len(frame)}")
    return frames


def _frames(lines: list[str]) -> Iterator[Structure]:
    marks = [index for index, line in enumerate(lines) if CONFIGURATION in line]
    if not marks or marks[0] < HEADER_LINES:
        raise InputError("no header before the first frame")
    _check_count(lines[HEADER_LINES - 1].split(), lines)
    lattice, symbols = _header(lines[:HEADER_LINES])
    ends = [*marks[1:], len(lines)]
    for mark, end in zip(marks, ends, strict=True):
        head = lines[mark - HEADER_LINES : mark]
        if mark != marks[0] and _is_header(head):
            lattice, symbols = _header(head)
        rows = [line.split()[:3] for line in lines[mark + 1 : end] if line.strip()]
        repeated = end != len(lines) and _is_header(lines[end - HEADER_LINES : end])
        rows = rows[:-HEADER_LINES] if repeated else rows
        if len(rows) != len(symbols):
            raise InputError(
                f"the atoms change: {len(symbols)} are promised, the frame in line {mark + 1} has {len(rows)}"
            )
        yield Structure(lattice, symbols, np.array(rows, dtype=float))


def _check_count(counts: list[str], lines: list[str]) -> None:
    # Before anything of that size is made: one wrong digit would cost minutes and all memory.
    promised = sum(int(count) for count in counts if count.isdigit())
    if promised > len(lines):
        raise InputError(f"truncated: {promised} atoms are promised in {len(lines)} lines")


def _check_rest(counts: list[str], lines: list[str]) -> None:
    # After the positions comes an empty line, velocities under one or under a word, or nothing.
    selective = lines[HEADER_LINES].strip()[:1] in SELECTIVE
    promised = sum(int(count) for count in counts)
    rest = lines[HEADER_LINES + 1 + selective + promised :]
    if rest and len(words := rest[0].split()) >= AXES and all(_is_number(word) for word in words[:AXES]):
        raise InputError(f"more positions than the {promised} its line 7 promises: one of the two is wrong")


def _is_number(word: str) -> bool:
    try:
        float(word)
    except ValueError:
        return False
    return True


def _is_header(lines: list[str]) -> bool:
    """Whether seven lines end in element symbols and counts, as each frame's header does at changing cell."""
    symbols, counts = lines[5].split(), lines[6].split()
    return bool(symbols) and len(symbols) == len(counts) and all(word.isdigit() for word in counts)


def _header(lines: list[str]) -> tuple[Lattice, list[str]]:
    scale = float(lines[1])
    if not scale > 0:
        raise InputError(f"the lattice is impossible (scale {lines[1].strip()})")
    matrix = scale * np.array([[float(word) for word in line.split()[:3]] for line in lines[2:5]])
    symbols, counts = lines[5].split(), lines[6].split()
    if len(symbols) != len(counts) or not all(word.isdigit() for word in counts):
        raise InputError("its header names no elements and numbers of atoms")
    return Lattice(matrix), [symbol for symbol, count in zip(symbols, counts, strict=True) for _ in range(int(count))]
