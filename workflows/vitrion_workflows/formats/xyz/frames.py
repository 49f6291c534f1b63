"""XYZ files: extended ones with their cell in the comment line, and plain ones with a cell stated by the user."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from ase.io.extxyz import key_val_str_to_dict

from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError, first_line
from vitrion_models.system import PERIODIC, FloatArray, IntArray
from vitrion_workflows.formats.ase.momenta import kinetic_temperature_K, velocities_A_per_ps
from vitrion_workflows.formats.frames import MOST_ATOMS, Frame, FrameFile, FrameOptions, atoms_of, floats
from vitrion_workflows.formats.numbered_lines import NumberedLines

PLAIN_COLUMNS = "species:S:1:pos:R:3"
FIELDS = 3  # name, kind and number of columns of a property
KINDS = frozenset("SRIL")
CELL_LINE = "VEC"  # of some programs, after the atoms
# Keys that state the time of a frame, with their factor to ps; two that are there must agree.
TIME_KEYS = {"time_ps": 1.0, "time_fs": 1e-3}
TIME_TOLERANCE = 1e-3
MASSES = ("masses", "mass")


@dataclass(frozen=True)
class _Columns:
    """Columns of each property: of the first and behind the last one; `count` in all."""

    spans: Mapping[str, tuple[int, int]]
    count: int
    exact: bool  # rows have exactly these columns


def read_frames(path: Path, options: FrameOptions) -> FrameFile:
    """Read every frame; frames may hold different atoms.

    Momenta are in ASE's unit, times in the keys ``time_ps`` and ``time_fs``; columns and keys of unknown unit are left
    out. Frames with ``Lattice`` and without ``pbc`` are periodic, as the format defines.

    Raises:
        InputError: a frame has no cell, the file is truncated, there is text between the frames, or a word is not what
            ``Properties`` announces.
    """
    return FrameFile(frames=_frames(NumberedLines(path), options))


def _frames(lines: NumberedLines, options: FrameOptions) -> Iterator[Frame]:
    index = 0
    while (line := lines.peek()) is not None:
        if not line.strip().lstrip("+-").isdecimal():
            # Blank lines end a file; amid it half of a run would be taken for the whole.
            last = lines.number
            if all(not rest.strip() for rest in lines) and index:
                return
            raise InputError(
                f"cannot be read beyond line {last}: the next line should be the number of atoms of frame {index + 1}"
            )
        index += 1
        yield _frame(lines, index, options)


def _frame(lines: NumberedLines, index: int, options: FrameOptions) -> Frame:
    place, atoms = f"frame {index}", int(next(lines))
    if not 0 <= atoms <= MOST_ATOMS:
        raise InputError(f"{place} announces {atoms} atoms: correct line {lines.number}")
    info = _info(next(lines, ""), place)
    columns = _columns(info, place)
    table = [row.split() for row in islice(lines, atoms)]
    if len(table) < atoms:
        raise InputError(f"truncated: {place} announces {atoms} atoms, which are not there")
    if any(len(row) < columns.count or (columns.exact and len(row) > columns.count) for row in table):
        raise InputError(f"a row of {place} does not have the {columns.count} columns it should have: correct it")
    values = {
        name: [word for row in table for word in row[first:last]] for name, (first, last) in columns.spans.items()
    }
    lattice, pbc = _cell(info, _vectors(lines, place), options, place)
    numbers, masses = _atoms(values, place)
    momenta = _vector(values, "momenta", place)
    return Frame(
        numbers=numbers,
        masses_u=masses,
        coordinates=floats(values["pos"], place=place).reshape(-1, DIMENSIONS),
        lattice_A=lattice,
        pbc=pbc,
        ids=np.array(values["id"]) if "id" in values else None,
        time_ps=time_of(info, place),
        velocities_A_per_ps=velocities_A_per_ps(momenta, numbers, masses),
        temperature_K=kinetic_temperature_K(momenta, numbers, masses),
        potential_energy_eV=_number(info, "energy", place) if "energy" in info else None,
    )


def _info(comment: str, place: str) -> dict[str, Any]:
    if "=" not in comment:
        return {}
    try:
        info: dict[str, Any] = key_val_str_to_dict(comment)
    except (ValueError, IndexError) as error:
        raise InputError(f"the comment line of {place} cannot be read ({first_line(error)}): correct it") from error
    return info


def _columns(info: Mapping[str, Any], place: str) -> _Columns:
    words = str(info.get("Properties", PLAIN_COLUMNS)).split(":")
    spans: dict[str, tuple[int, int]] = {}
    count = 0
    for name, kind, width in zip(words[::FIELDS], words[1::FIELDS], words[2::FIELDS], strict=False):
        if kind not in KINDS or not width.isdecimal():
            raise InputError(f"Properties of {place} has an unknown entry {name}:{kind}:{width}: correct it")
        spans[name] = (count, count + int(width))
        count += int(width)
    if len(words) % FIELDS or not spans.keys() >= {"pos"} or spans["pos"][1] - spans["pos"][0] != DIMENSIONS:
        raise InputError(f"Properties of {place} does not say which three columns are positions (pos:R:3): correct it")
    return _Columns(spans, count, exact="Properties" in info)


def _atoms(values: Mapping[str, list[str]], place: str) -> tuple[IntArray, FloatArray | None]:
    if "Z" in values:
        numbers: IntArray = floats(values["Z"], place=f"column Z of {place}").astype(np.int64)
        masses = None
    elif "species" in values:
        known = {word: atoms_of([word]) for word in dict.fromkeys(values["species"])}
        numbers = np.array([known[word][0][0] for word in values["species"]], dtype=np.int64)
        isotopes = any(own is not None for _, own in known.values())
        masses = atoms_of(values["species"])[1] if isotopes else None
    else:
        raise InputError(f"Properties of {place} names no column of elements (species:S:1): correct it")
    stated = next((values[name] for name in MASSES if name in values), None)
    return numbers, masses if stated is None else floats(stated, place=f"the masses of {place}")


def _vector(values: Mapping[str, list[str]], name: str, place: str) -> FloatArray | None:
    if len(values.get(name, ())) != DIMENSIONS * (len(values["pos"]) // DIMENSIONS) or name not in values:
        return None
    return floats(values[name], place=f"column {name} of {place}").reshape(-1, DIMENSIONS)


def _vectors(lines: NumberedLines, place: str) -> FloatArray | None:
    """Take the lines ``VEC1 x y z`` that some programs write below the atoms, where there are any."""
    rows = []
    while (line := lines.peek()) is not None and line.lstrip().startswith(CELL_LINE):
        rows.append(floats(next(lines).split()[1:], place=f"the cell of {place}"))
    if not rows:
        return None
    if len(rows) != DIMENSIONS or any(len(row) != DIMENSIONS for row in rows):
        raise InputError(f"the cell below {place} should be {CELL_LINE}1 to {CELL_LINE}3, three numbers each")
    return np.array(rows)


def _cell(
    info: Mapping[str, Any], below: FloatArray | None, options: FrameOptions, place: str
) -> tuple[FloatArray, tuple[bool, bool, bool]]:
    own = info["Lattice"].T if "Lattice" in info else below  # the parser has it column by column
    if own is not None and options.lattice_A is not None:
        raise InputError(f"{place} holds its own cell: leave --cell out")
    lattice = options.lattice_A if own is None else np.asarray(own, dtype=np.float64)
    if lattice is None:
        raise InputError(f'{place} has no cell: give Lattice="..." in its comment line, or state --cell')
    flags = np.atleast_1d(info["pbc"]).tolist() if "pbc" in info else list(PERIODIC)
    if len(flags) != DIMENSIONS or not all(isinstance(flag, bool) for flag in flags):
        raise InputError(f'pbc of {place} should be three of T and F, as in pbc="T T T": correct it')
    return lattice, (flags[0], flags[1], flags[2])


def time_of(info: Mapping[str, Any], place: str) -> float | None:
    """Return the time that keys of a frame state, in ps; None where none does.

    Raises:
        InputError: it is not a number, or two keys differ.
    """
    times = {key: _number(info, key, place) * factor for key, factor in TIME_KEYS.items() if key in info}
    if not times:
        return None
    low, high = min(times.values()), max(times.values())
    if high - low > TIME_TOLERANCE * abs(high):
        both = ", ".join(f"{time:g} ps by {key}" for key, time in times.items())
        raise InputError(f"{place} is at {both}: remove the wrong times from the file")
    return next(iter(times.values()))


def _number(info: Mapping[str, Any], key: str, place: str) -> float:
    try:
        return float(info[key])
    except (TypeError, ValueError) as error:
        raise InputError(f"{key} of {place} is not a number: correct it, or leave {key} out") from error
