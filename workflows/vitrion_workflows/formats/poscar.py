"""Cells of VASP: POSCAR, CONTCAR and XDATCAR."""

from pathlib import Path

from ase.data import chemical_symbols
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure
from pymatgen.io.vasp.inputs import Poscar

from vitrion_models.errors import InputError
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.opening import read_text
from vitrion_workflows.formats.xdatcar import parse_xdatcar

HEADER_LINES = 7  # comment, scale, three vectors, symbols, counts
SELECTIVE = ("S", "s")
AXES = 3


def read_poscar(path: Path) -> list[StructureEntry]:
    """Return the cell of a POSCAR; VASP 4 files, which have no element symbols, are refused.

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
        raise InputError("line 7 does not hold the number of atoms of each element: correct it")
    _check_count(counts, lines)
    _check_rest(counts, lines)
    structure: Structure = Poscar.from_str(text, read_velocities=False).structure
    return [StructureEntry(structure=structure)]


def read_xdatcar(path: Path) -> list[StructureEntry]:
    """Read every frame of an XDATCAR, at fixed cell or with a header before each frame.

    Raises:
        InputError: no frame, atoms that change, an unknown element, or an incomplete last frame.
    """
    frames = parse_xdatcar(read_text(path))
    symbols = [chemical_symbols[number] for number in frames.numbers]
    cells = zip(frames.lattices_A, frames.fractional, strict=True)
    return [StructureEntry(structure=Structure(Lattice(lattice), symbols, fractional)) for lattice, fractional in cells]


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
