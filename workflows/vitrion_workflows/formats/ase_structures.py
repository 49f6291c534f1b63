"""Formats that ASE reads: extended XYZ and its own trajectories."""

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from ase import Atoms
from ase.io.extxyz import read_extxyz as parse_extxyz
from ase.io.trajectory import TrajectoryReader
from pymatgen.core.lattice import Lattice
from pymatgen.core.structure import Structure

from vitrion_models.errors import InputError
from vitrion_workflows.formats.entry import StructureEntry
from vitrion_workflows.formats.opening import read_text

HEADER_LINES = 2  # number of atoms, comment


def read_extxyz(path: Path) -> list[StructureEntry]:
    """Return every frame of an extended XYZ file; frames may hold different atoms.

    Raises:
        InputError: a frame has no cell (plain XYZ), or the file is truncated.
    """
    text = read_text(path)
    _check_counts(text.split("\n"))
    return _entries(parse_extxyz(io.StringIO(text), index=slice(None)))


def read_traj(path: Path) -> list[StructureEntry]:
    """Return every frame of an ASE trajectory. Trajectories older than ASE 3.9, which were pickles, are refused unread.

    Raises:
        InputError: a frame has no cell, or the atoms change from frame to frame.
    """
    with TrajectoryReader(path) as reader:
        entries = _entries(reader)
    structures = [entry.structure for entry in entries]
    first = structures[0].atomic_numbers if structures else ()
    for index, structure in enumerate(structures[1:], start=2):
        if structure.atomic_numbers != first:
            raise InputError(f"the atoms change: frame 1 has {len(first)}, frame {index} has {len(structure)}")
    return entries


def _check_counts(lines: Sequence[str]) -> None:
    # ASE counts up to whatever number of atoms a frame announces before it looks whether they are there.
    start, frame = 0, 1
    while start < len(lines) and lines[start].strip().lstrip("+-").isdecimal():
        atoms = int(lines[start])
        if not 0 <= atoms <= len(lines) - start - HEADER_LINES:
            raise InputError(f"truncated: frame {frame} announces {atoms} atoms, which are not there")
        start, frame = start + atoms + HEADER_LINES, frame + 1


def _entries(frames: Iterable[Atoms]) -> list[StructureEntry]:
    return [StructureEntry(structure=_structure(atoms, index)) for index, atoms in enumerate(frames, start=1)]


def _structure(atoms: Atoms, index: int) -> Structure:
    if atoms.cell.rank == 0:
        raise InputError(f'frame {index} has no cell: give Lattice="..." in its comment line')
    if atoms.cell.rank != len(atoms.cell) or not atoms.pbc.all():
        raise InputError(f"frame {index} is not periodic along three vectors")
    if not atoms.numbers.all():
        raise InputError(f"frame {index} contains an unknown element")
    return Structure(
        Lattice(atoms.cell.array), atoms.get_chemical_symbols(), atoms.positions, coords_are_cartesian=True
    )
