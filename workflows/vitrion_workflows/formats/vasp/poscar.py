"""VASP's POSCAR and CONTCAR (https://www.vasp.at/wiki/index.php/POSCAR)."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pymatgen.core.lattice import Lattice
from pymatgen.core.periodic_table import Element
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.frames import is_digits, whole_number
from vitrion_workflows.formats.opening import read_text
from vitrion_workflows.formats.species import parse_atom, parse_label
from vitrion_workflows.formats.vasp.cell import DIMENSIONS, numbers_of, scale_factors, split_glued

HEADER_LINES = 7  # comment, scale, three vectors, symbols, counts
COMMENTS = "!#"
SELECTIVE = "s"
CARTESIAN = ("c", "k")
DIRECT = "d"
LATTICE_VELOCITIES = "l"


@dataclass(frozen=True, eq=False)
class _Header:
    """Cell and atoms of a POSCAR.

    Attributes:
        lattice_A: lattice vectors as rows, scaled, shape (3, 3).
        factors: of Cartesian components, shape (3,).
        symbols: of each atom.
    """

    lattice_A: FloatArray
    factors: FloatArray
    symbols: list[str]


def read(path: Path) -> list[StructureEntry]:
    """Return the cell of a POSCAR; files of VASP 4, which have no element symbols, are refused.

    Raises:
        InputError: no element symbols, an impossible cell, coordinates that are neither direct nor Cartesian, fewer or
            more positions than the counts promise, or symbols behind the positions that contradict line 6.
    """
    lines = [line.rstrip() for line in read_text(path).splitlines()]
    header = _header(lines)
    is_selective = lines[HEADER_LINES].lstrip()[:1].lower() == SELECTIVE
    mode = HEADER_LINES + is_selective
    rows = lines[mode + 1 : mode + 1 + len(header.symbols)]
    if len(rows) < len(header.symbols):
        raise InputError(f"truncated: {len(header.symbols)} atoms are promised, {len(rows)} lines of positions follow")
    remarks = _remarks(lines, mode + 1 + len(rows), len(rows))
    is_cartesian = _is_cartesian(lines[mode], mode + 1)
    flags = DIMENSIONS if is_selective else 0
    numbered = enumerate(zip(rows, header.symbols, strict=True), start=mode + 2)
    positions = np.array([_position(row, symbol, number, flags) for number, (row, symbol) in numbered])
    structure = Structure(
        Lattice(header.lattice_A),
        [Element(symbol) for symbol in header.symbols],
        positions * header.factors if is_cartesian else positions,
        coords_are_cartesian=is_cartesian,
    )
    return [StructureEntry(structure=structure, remarks=remarks)]


def _header(lines: Sequence[str]) -> _Header:
    if len(lines) <= HEADER_LINES:
        raise InputError(f"only {len(lines)} lines: truncated")
    vectors = [numbers_of(line)[:DIMENSIONS] for line in lines[2:5]]
    if any(len(vector) < DIMENSIONS for vector in vectors) or not np.isfinite(vectors).all():
        raise InputError("lines 3 to 5 do not hold three lattice vectors of three numbers: correct them")
    words, counts = _words(lines[5]), _words(lines[6])
    if not words or any(map(is_digits, words)):
        raise InputError("no element symbols in line 6 (a VASP 4 file): add them")
    if not all(map(is_digits, counts)) or len(counts) != len(words):
        raise InputError("line 7 does not hold the number of atoms of each element of line 6: correct it")
    numbers = [whole_number(count, place="a number of atoms in line 7") for count in counts]
    total = sum(numbers)
    if total > len(lines):  # before a list of that size is made: one wrong digit would cost minutes and all memory
        raise InputError(f"truncated: {total} atoms are promised in {len(lines)} lines")
    species = [parse_atom(word) for word in words]
    symbols = [each.symbol for each, number in zip(species, numbers, strict=True) for _ in range(number)]
    factors = scale_factors(lines[1], np.array(vectors))
    return _Header(np.array(vectors) * factors, factors, symbols)


def _words(line: str) -> list[str]:
    for mark in COMMENTS:
        line = line.partition(mark)[0]
    return line.split()


def _is_cartesian(line: str, number: int) -> bool:
    letter = line.strip()[:1].lower()
    if letter not in {*CARTESIAN, DIRECT}:
        raise InputError(f"line {number} is {line.strip()[:20]!r}: write Direct or Cartesian before the positions")
    return letter in CARTESIAN


def _position(row: str, symbol: str, number: int, flags: int) -> list[float]:
    """Return the coordinates of a row.

    Args:
        row: with coordinates, flags of selective dynamics, and the symbol that pymatgen and VESTA write.
        symbol: by lines 6 and 7.
        number: of the line.
        flags: number of flags.

    Raises:
        InputError: no three finite numbers, or a symbol that contradicts line 6.
    """
    coordinates = numbers_of(row)[:DIMENSIONS]
    if len(coordinates) < DIMENSIONS:
        raise InputError(f"damaged or truncated: line {number} does not hold three coordinates: {row.strip()[:40]!r}")
    if not np.isfinite(coordinates).all():
        raise InputError(f"coordinates of line {number} are not finite numbers")
    behind = split_glued(" ".join(_words(row))).split()[DIMENSIONS + flags :]
    stated = _label_symbol(behind[-1]) if behind else None
    if stated not in {None, symbol}:
        raise InputError(f"line {number} names {stated} where lines 6 and 7 promise {symbol}: one of them is wrong")
    return coordinates


def _label_symbol(word: str) -> str | None:
    try:
        return parse_label(word).symbol
    except InputError:
        return None  # a comment


def _remarks(lines: Sequence[str], start: int, n_atoms: int) -> tuple[str, ...]:
    """Return a remark on velocities, after an empty line or a word; anything else behind the positions is refused."""
    rest = lines[start:]
    if not any(rest):
        return ()
    if len(numbers_of(rest[0])) >= DIMENSIONS:
        raise InputError(f"more positions than the {n_atoms} its line 7 promises: one of the two is wrong")
    first = next(line for line in rest if line).strip()
    if numbers_of(first) or first[:1].lower() in {*CARTESIAN, DIRECT, LATTICE_VELOCITIES}:
        return ("velocities are not read",)
    raise InputError(f"{first[:20]!r} behind the positions is not a block of velocities: remove it")
