"""Structure files of every known format, read into pymatgen structures and checked, or refused in one line."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.checks import check_structure
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.frames import NO_OPTIONS, Frame, FrameOptions, check_frame
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.formats.registry import FileFormat, format_of
from vitrion_workflows.schemas.geometry import with_masses

LONGEST_REASON = 120  # characters of another program's message


def read_structures(
    path: Path, *, file_format: str | None = None, options: FrameOptions = NO_OPTIONS
) -> list[Structure]:
    """Return every structure of a file, without the remarks on it; see `read_entries`."""
    return [entry.structure for entry in read_entries(path, file_format=file_format, options=options)]


def read_entries(
    path: Path, *, file_format: str | None = None, options: FrameOptions = NO_OPTIONS
) -> Iterator[StructureEntry]:
    """Read every structure of a file, checked, one at a time; nothing in it is ever unpickled.

    Args:
        path: its format follows from its name; ``.gz``, ``.bz2`` and ``.xz`` are unpacked.
        file_format: name of the format, where the file name does not tell it.
        options: elements of types and the cell, where the file does not hold them.

    Raises:
        InputError: no such file, an unknown format, an empty or unreadable file, an unknown element, coordinates
            that are not finite, no cell or one without volume, or a trajectory whose atoms change.
    """
    chosen = format_of(path, file_format)
    count = 0
    with _translated_errors(path, chosen.title):
        entries = iter(chosen.read_structures(path) if chosen.structures else _entries(chosen, path, options))
        while (entry := _next_entry(entries)) is not None:
            count += 1
            check_structure(entry.structure, place=f"structure {count}")
            yield entry
        if not count:
            raise InputError("no structure in it")


def _entries(chosen: FileFormat, path: Path, options: FrameOptions) -> Iterator[StructureEntry]:
    """Yield the frames of a file as structures; what is remarked on the file is remarked on its last one."""
    file = chosen.read_frames(path, options)
    last: Structure | None = None
    for index, frame in enumerate(file.frames, start=1):
        if last is not None:
            yield StructureEntry(structure=last)
        last = structure_of_frame(frame, index)
    if last is not None:
        yield StructureEntry(structure=last, remarks=tuple(file.remarks))


def structure_of_frame(frame: Frame, index: int) -> Structure:
    """Return a frame as a structure with its isotopes.

    Args:
        frame: of any file.
        index: its number, from 1 on, for messages.

    Raises:
        InputError: see `check_frame`.
    """
    check_frame(frame, index)
    structure = Structure(Lattice(frame.lattice_A), frame.numbers.tolist(), frame.fractional)
    return structure if frame.masses_u is None else with_masses(structure, frame.masses_u)


def _next_entry(entries: Iterator[StructureEntry]) -> StructureEntry | None:
    """Return the next entry, the warnings of its parser among its remarks; None after the last."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        # pymatgen sorts by electronegativity, which noble gases have not.
        warnings.filterwarnings("ignore", message=".*electronegativity")
        entry = next(entries, None)
    messages = dict.fromkeys(" ".join(str(warning.message).split())[:LONGEST_REASON] for warning in caught)
    return replace(entry, remarks=(*entry.remarks, *messages)) if entry and messages else entry


@contextmanager
def _translated_errors(path: Path, name: str) -> Iterator[None]:
    """Put the file before the message of an `InputError`, and translate whatever else a parser raises into one."""
    try:
        with naming(path):
            yield
    except InputError:
        raise
    except Exception as fault:
        # Parsers raise nearly anything on a damaged file.
        detail = " ".join(str(fault).split())[:LONGEST_REASON] or type(fault).__name__
        raise InputError(f"{path}: cannot be read as {name}, damaged or truncated? ({detail})") from fault
