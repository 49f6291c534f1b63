"""Scale and numbers of VASP's files of positions, POSCAR and XDATCAR (https://www.vasp.at/wiki/index.php/POSCAR)."""

import re

import numpy as np

from vitrion_models.bounds import LONGEST_NAME
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import check_numbers, parse_number

DIMENSIONS = 3
# Fortran leaves no blank before a minus sign where the number fills its column.
GLUED = re.compile(r"(?<=[\d.])-(?=[\d.])")
# Digits of any script and underscores, as Python takes them; a symbol or label begins with a letter.
NEARLY = re.compile(r"[-+.]*_*\d[\w.+-]*")
FORTRAN_EXPONENT = re.compile(r"(?<=[\d.])[dD](?=[+-]?\d)")


def split_glued(line: str) -> str:
    """Return a line with a blank before each minus sign between two numbers."""
    return GLUED.sub(" -", line)


def numbers_of(line: str) -> list[float]:
    """Return the leading numbers of a line, glued ones apart; empty where it begins with none.

    Raises:
        InputError: a word that is nearly a number (`parse_number`) follows them.
    """
    numbers = []
    for word in FORTRAN_EXPONENT.sub("e", split_glued(line)).split():
        try:
            numbers.append(parse_number(word))
        except ValueError as error:
            if NEARLY.fullmatch(word):
                raise InputError(f"{word[:LONGEST_NAME]!r} is not a number: correct it") from error
            break
    return numbers


def scale_factors(line: str, vectors_A: FloatArray) -> FloatArray:
    """Return the factors of the x, y and z components of lattice vectors and Cartesian positions, shape (3,).

    One factor counts for all three, and a negative one is the volume of the cell with a minus sign.

    Args:
        line: with the scale.
        vectors_A: lattice vectors as rows before they are scaled, shape (3, 3).

    Raises:
        InputError: not one or three numbers, or a scale that leaves no cell.
    """
    factors = np.array(numbers_of(line))
    if len(factors) not in {1, DIMENSIONS}:
        raise InputError(f"the scale {line.strip()!r} is not one number or three: correct line 2")
    check_numbers(vectors_A, place="the lattice")
    check_numbers(factors, place="the scale")
    volume_A3 = abs(float(np.linalg.det(vectors_A)))
    if len(factors) == 1 and factors[0] < 0 and volume_A3 > 0:
        factors = np.cbrt(-factors / volume_A3)
    if not (np.isfinite(factors) & (factors > 0)).all():
        raise InputError(f"the lattice is impossible (scale {line.strip()})")
    return factors if len(factors) == DIMENSIONS else np.repeat(factors, DIMENSIONS)
