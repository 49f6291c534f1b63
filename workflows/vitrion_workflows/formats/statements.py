"""Statements of the user on files that do not hold their elements or their cell."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import FrameOptions, StatedCell, check_cell, floats, whole_number
from vitrion_workflows.formats.lammps.types import hint_of_data_file
from vitrion_workflows.formats.opening import lines, naming, require_file
from vitrion_workflows.formats.species import parse_atom

PARAMETERS = 6
# Columns of CP2K's `PROJECT-1.cell`: step, time in fs, nine components of the vectors in Angstrom, volume.
CELL_FILE_COLUMNS = 12
RIGHT_DEG, STRAIGHT_DEG = 90.0, 180.0


def parse_options(types: str | None, cell: str | None, topology: Path | None = None) -> FrameOptions:
    """Return the options of reading frames.

    Args:
        types: ``1=Li,2=Cl``; a LAMMPS data file is answered by the statement that its masses suggest.
        cell: lengths in Angstrom (and angles in degrees), nine components of the vectors, or CP2K's .cell file.
        topology: file that names the atoms.

    Raises:
        InputError: neither of these.
    """
    if topology is not None:
        require_file(topology)
    return FrameOptions(
        types={} if types is None else parse_types(types),
        cell=None if cell is None else parse_cell(cell),
        topology=topology,
    )


def parse_types(text: str) -> dict[str, str]:
    """Return the element of each type from ``1=Li,2=Cl``.

    Raises:
        InputError: another form, or a type given twice.
    """
    if "=" not in text and Path(text).is_file():
        raise InputError(f"--types {text}: {hint_of_data_file(Path(text))}")
    types: dict[str, str] = {}
    for part in text.split(","):
        name, equals, element = (word.strip() for word in part.partition("="))
        if not (name and equals and element) or name in types:
            raise InputError(f"--types {text!r} names no elements: give each type once, such as 1=Li,2=Cl")
        with naming(f"--types {part.strip()}"):
            parse_atom(element)
        types[name] = element
    return types


def parse_cell(text: str) -> StatedCell:
    """Return the cell from ``a b c``, ``a b c alpha beta gamma``, nine components, or the name of a CP2K .cell file.

    Raises:
        InputError: another form, or no cell.
    """
    words = text.replace(",", " ").split()
    if len(words) == 1 and Path(text).is_file():
        with naming(text):
            return StatedCell(by_step=_cells_of_cp2k(Path(text)))
    numbers = floats(words, place=f"--cell {text!r}")
    if len(numbers) == DIMENSIONS**2:
        lattice = numbers.reshape(DIMENSIONS, DIMENSIONS)
    elif len(numbers) in {DIMENSIONS, PARAMETERS}:
        lattice = _of_parameters(numbers, text)
    else:
        raise InputError(
            f"--cell {text!r} has {len(numbers)} numbers: give three lengths in Angstrom, with three angles in degrees "
            "if they are not right, or nine components of the vectors"
        )
    check_cell(lattice, place=f"--cell {text!r}")
    return StatedCell(lattice_A=lattice)


def _of_parameters(numbers: FloatArray, text: str) -> FloatArray:
    lengths, angles = (
        numbers[:DIMENSIONS],
        numbers[DIMENSIONS:] if len(numbers) == PARAMETERS else np.full(3, RIGHT_DEG),
    )
    cosines = np.where(angles == RIGHT_DEG, 0.0, np.cos(np.radians(angles)))
    alpha, beta, gamma = cosines.tolist()
    sine = np.sqrt(1 - gamma**2)
    c_y = (alpha - beta * gamma) / sine if sine > 0 else np.inf
    height = 1 - beta**2 - c_y**2
    if not ((lengths > 0).all() and (angles > 0).all() and (angles < STRAIGHT_DEG).all() and height > 0):
        raise InputError(
            f"--cell {text!r} is impossible: lengths are positive, and no angle reaches 180 degrees or the sum of the "
            "other two"
        )
    directions = np.array([[1.0, 0.0, 0.0], [gamma, sine, 0.0], [beta, c_y, np.sqrt(height)]])
    lattice: FloatArray = lengths[:, None] * directions
    return lattice


def _cells_of_cp2k(path: Path) -> Mapping[int, FloatArray]:
    cells: dict[int, FloatArray] = {}
    for number, line in enumerate(lines(path), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) != CELL_FILE_COLUMNS or not words[0].isdecimal():
            raise InputError(f"line {number} is not a row of CP2K's .cell file: step, time, nine components, volume")
        components = floats(words[2 : 2 + DIMENSIONS**2], place=f"line {number}")
        cells[whole_number(words[0], place=f"the step of line {number}")] = components.reshape(DIMENSIONS, DIMENSIONS)
    if not cells:
        raise InputError("no cell in it")
    return cells
