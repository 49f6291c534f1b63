"""Frames of trajectory files: the form in which every format hands them on, one at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase.data import atomic_masses
from numpy.typing import NDArray

from vitrion_models.bounds import LARGEST_NUMBER, LONGEST_LATTICE_VECTOR_A, LONGEST_NAME
from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import HEAVIEST_ELEMENT, PERIODIC, SMALLEST_VOLUME_A3, FloatArray, IntArray
from vitrion_workflows.formats.species import parse_atom
from vitrion_workflows.schemas.isotopes import NAMED_MASSES_U

FEWEST_FRAMES = 2
AXES = "abc"


@dataclass(frozen=True, eq=False, kw_only=True)
class Frame:
    """One frame of a file.

    Attributes:
        numbers: atomic numbers, shape (N,).
        coordinates: of each atom, shape (N, 3), in Angstrom or, if `scaled`, in units of the lattice vectors.
        lattice_A: lattice vectors as rows, shape (3, 3).
        scaled: the coordinates are fractional.
        unwrapped: the coordinates continue across the faces of the cell.
        pbc: periodicity along each lattice vector.
        ids: names of the atoms, shape (N,), by which they are put in one order; None where rows are in order.
        step: number of the frame or of its integration step; None where not stored, as all below.
        time_ps: time of the frame.
        masses_u: shape (N,); None for standard weights.
        velocities_A_per_ps: shape (N, 3).
        temperature_K: kinetic temperature.
        potential_energy_eV: of all atoms.
        volume_A3: of the cell, where the run was mapped to its mean cell.
    """

    numbers: IntArray
    coordinates: FloatArray
    lattice_A: FloatArray
    scaled: bool = False
    unwrapped: bool = False
    pbc: tuple[bool, bool, bool] = PERIODIC
    ids: NDArray[np.generic] | None = None
    step: int | None = None
    time_ps: float | None = None
    masses_u: FloatArray | None = None
    velocities_A_per_ps: FloatArray | None = None
    temperature_K: float | None = None
    potential_energy_eV: float | None = None
    volume_A3: float | None = None

    @property
    def fractional(self) -> FloatArray:
        """Coordinates in units of the lattice vectors, shape (N, 3)."""
        return self.coordinates if self.scaled else self.coordinates @ np.linalg.inv(self.lattice_A)


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameFile:
    """A file of frames.

    Attributes:
        frames: in order, read while they are taken.
        interval_ps: between frames, where it holds for the whole file; None where unknown or where frames have times.
        thermostat: ``langevin``, ``nose-hoover`` or ``nve``; empty where unknown.
        friction_per_ps: Langevin friction, or 1/tau of the chain; None where unknown.
        set_temperature_K: constant temperature of the thermostat; None where unknown.
        steps_start_again: steps may return to the first, where files were concatenated.
        remarks: sentences on what was left out or assumed; complete once the frames are taken.
    """

    frames: Iterator[Frame]
    interval_ps: float | None = None
    thermostat: str = ""
    friction_per_ps: float | None = None
    set_temperature_K: float | None = None
    steps_start_again: bool = False
    remarks: list[str] = field(default_factory=list)


@dataclass(frozen=True, eq=False, kw_only=True)
class StatedCell:
    """Cell that the user states.

    Attributes:
        lattice_A: lattice vectors as rows, shape (3, 3), of all frames; None where it changes.
        by_step: lattice vectors of each step; empty for a fixed cell.
    """

    lattice_A: FloatArray | None = None
    by_step: Mapping[int, FloatArray] = field(default_factory=dict)

    def at(self, step: int | None) -> FloatArray:
        """Return the lattice vectors at a step as rows, shape (3, 3).

        Raises:
            InputError: the cell changes, and is not stated for this step.
        """
        if self.lattice_A is not None:
            return self.lattice_A
        if step is None or step not in self.by_step:
            raise InputError(f"--cell holds no cell of step {step}: give the .cell file of the same run")
        return self.by_step[step]


@dataclass(frozen=True, eq=False, kw_only=True)
class FrameOptions:
    """Statements of the user on a file that does not hold them itself.

    Attributes:
        types: element of each type of atom, by the word of the type; empty where the file names its elements.
        cell: where the file does not hold it; None where it does.
        topology: file that names the atoms, where the trajectory does not; None where it does.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    cell: StatedCell | None = None
    topology: Path | None = None

    @property
    def stated(self) -> tuple[str, ...]:
        """Names of the options that are stated, as on the command line."""
        return tuple(name for name in ("types", "cell", "topology") if getattr(self, name))


NO_OPTIONS = FrameOptions()


def check_frame(frame: Frame, index: int) -> None:
    """Refuse a frame that is no periodic cell of atoms at finite coordinates.

    Args:
        frame: to check.
        index: number of the frame, from 1 on, for the message.

    Raises:
        InputError: no atoms, numbers that are not finite, no cell, or one that is not periodic in three directions.
    """
    if not len(frame.numbers):
        raise InputError(f"frame {index} has no atoms")
    if frame.numbers.min() < 1 or frame.numbers.max() > HEAVIEST_ELEMENT:
        raise InputError(f"an atom of frame {index} has no known element: name the element of every atom")
    if frame.masses_u is not None:
        check_masses(frame.masses_u, frame.numbers)
    check_numbers(frame.coordinates, place=f"frame {index}")
    if frame.coordinates.shape != (len(frame.numbers), DIMENSIONS):
        raise InputError(f"frame {index} does not hold three coordinates of each atom: write it again")
    if not frame.lattice_A.any():
        raise InputError(f"frame {index} has no cell: store the lattice vectors with the coordinates")
    if open_axes := [axis for axis, periodic in zip(AXES, frame.pbc, strict=True) if not periodic]:
        raise InputError(
            f"frame {index} is not periodic along {', '.join(open_axes)}, so that its volume and the images of its "
            "atoms are undefined: give a cell that is periodic along three vectors"
        )
    check_cell(frame.lattice_A, place=f"frame {index}")


def check_masses(masses_u: FloatArray, numbers: IntArray) -> None:
    """Refuse masses in u, shape (N,), that are not one positive number for each of N atoms.

    Raises:
        InputError: another number of them, or one that is not positive and finite.
    """
    if masses_u.shape != numbers.shape or not (np.isfinite(masses_u) & (masses_u > 0)).all():
        raise InputError("masses are not one positive number for each atom: correct them, or leave them out")


def atoms_of(words: Sequence[str]) -> tuple[IntArray, FloatArray | None]:
    """Return the atomic numbers that words name, shape (len(words),), and their masses in u; None for standard weights.

    Raises:
        InputError: a word names no element or isotope.
    """
    species = [parse_atom(word) for word in words]
    numbers = np.array([each.atomic_number for each in species], dtype=np.int64)
    if not any(each.symbol in NAMED_MASSES_U for each in species):
        return numbers, None
    return numbers, np.array([NAMED_MASSES_U.get(each.symbol, atomic_masses[each.atomic_number]) for each in species])


def parse_number(word: str) -> float:
    """Return a word as a number.

    Raises:
        ValueError: the word is not a number in plain ASCII.
    """
    if not is_plain(word):
        raise ValueError(f"{word[:LONGEST_NAME]!r} is not a number")
    return float(word)


def floats(words: Sequence[str], *, place: str) -> FloatArray:
    """Return words as numbers, shape (len(words),); see `parse_number`.

    Args:
        words: numbers as text.
        place: of the words, for the message.

    Raises:
        InputError: a word is not a number.
    """
    try:
        # All words at once: files have millions.
        parse = float if is_plain("".join(words)) else parse_number
        numbers = np.array([parse(word) for word in words], dtype=np.float64)
    except ValueError as error:
        wrong = next(word for word in words if not _is_number(word))
        raise InputError(f"{place} holds {wrong[:LONGEST_NAME]!r} where a number should be: correct it") from error
    check_numbers(numbers, place=place)
    return numbers


def whole_number(word: str, *, place: str, largest: float = LARGEST_NUMBER) -> int:
    """Return a word as a whole number that is not negative.

    Args:
        word: number as text.
        place: of the word, for the message.
        largest: number allowed.

    Raises:
        InputError: the word is not such a number.
    """
    digits = word.strip()
    if not is_digits(digits) or len(digits) > len(f"{largest:.0f}") or int(digits) > largest:
        raise InputError(f"{place} is {digits[:LONGEST_NAME]!r}, not a whole number up to {largest:g}: correct it")
    return int(digits)


def is_plain(text: str) -> bool:
    """Return True for ASCII without underscores: what Python's conversions take beyond it, no program writes."""
    return text.isascii() and "_" not in text


def is_digits(word: str) -> bool:
    """Return True for a word of the digits 0 to 9."""
    return word.isascii() and word.isdecimal()


def check_numbers(numbers: FloatArray, *, place: str) -> None:
    """Refuse numbers that are not finite or larger than those of any file of atoms.

    Raises:
        InputError: such a number.
    """
    if not (np.abs(numbers) <= LARGEST_NUMBER).all():
        raise InputError(f"numbers of {place} are not finite, or beyond {LARGEST_NUMBER:g}: correct them")


def check_cell(lattice_A: FloatArray, *, place: str) -> None:
    """Refuse lattice vectors as rows, shape (..., 3, 3), that are no cell.

    Raises:
        InputError: numbers that are not finite, vectors that are too long or enclose no volume.
    """
    if lattice_A.shape[-2:] != (DIMENSIONS, DIMENSIONS):
        raise InputError(f"{place} has no cell of three vectors of three numbers: correct it")
    longest_A = float(np.abs(lattice_A).max(initial=0.0))
    if not longest_A <= LONGEST_LATTICE_VECTOR_A:
        raise InputError(
            f"lattice vectors of {place} are not finite, or longer than {LONGEST_LATTICE_VECTOR_A:g} A: correct them"
        )
    if not longest_A:
        raise InputError(f"{place} has no cell: store the lattice vectors with the coordinates")
    if not (np.abs(np.linalg.det(lattice_A)) >= SMALLEST_VOLUME_A3).all():
        raise InputError(f"{place} has no cell: its lattice vectors enclose no volume")


def _is_number(word: str) -> bool:
    try:
        parse_number(word)
    except ValueError:
        return False
    return True
