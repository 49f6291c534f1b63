"""Trajectories of GROMACS (XTC, TRR) and AMBER (NetCDF), whose atoms another file names; read by MDAnalysis."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vitrion_models.constants import DIMENSIONS
from vitrion_models.errors import InputError, MissingDependencyError, first_line
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions, atoms_of
from vitrion_workflows.formats.species import parse_label

LONGEST_SYMBOL = 2
# First bytes of XTC (two versions), TRR and NetCDF (classic, or in HDF5); MDAnalysis is loud about other content.
BEGINNINGS = (b"\x00\x00\x07\xcb", b"\x00\x00\x07\xe7", b"\x00\x00\x07\xc9", b"CDF", b"\x89HDF")


def read_frames(path: Path, options: FrameOptions) -> FrameFile:
    """Read the frames of a trajectory with the elements of a topology (.gro, .tpr, .pdb, .prmtop ...).

    Names of atoms are taken for elements where they can mean only one, or where ``types`` states them.

    Raises:
        MissingDependencyError: MDAnalysis is not installed.
        InputError: no topology, one of other atoms, or a file that cannot be read.
    """
    if options.topology is None:
        raise InputError("this file does not name its atoms: state --topology FILE (.gro, .tpr, .pdb or .prmtop)")
    with path.open("rb") as file:
        if not file.read(max(map(len, BEGINNINGS))).startswith(BEGINNINGS):
            raise InputError("this is no trajectory of GROMACS (XTC, TRR) or AMBER (NetCDF)")
    try:
        from MDAnalysis import Universe  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise MissingDependencyError(
            f"{path} needs MDAnalysis, which is not installed: pip install 'vitrion[md]'"
        ) from error
    return FrameFile(frames=_frames(Universe, path, options, options.topology))


def _frames(universe: Any, path: Path, options: FrameOptions, topology: Path) -> Iterator[Frame]:
    try:
        run = universe(str(topology), str(path), to_guess=())
        numbers, masses = _atoms(run.atoms, options)
        for index, frame in enumerate(run.trajectory, start=1):
            yield _frame(frame, numbers, masses, index)
    except InputError:
        raise
    except Exception as error:  # readers of many formats raise whatever their parsing trips over
        raise InputError(f"cannot be read with {topology} ({first_line(error)})") from error


def _frame(frame: Any, numbers: IntArray, masses: FloatArray | None, index: int) -> Frame:
    if frame.dimensions is None:
        raise InputError(f"frame {index} has no cell: write the box with the coordinates")
    # Units of MDAnalysis are Angstrom and ps; its coordinates are in single precision.
    return Frame(
        numbers=numbers,
        masses_u=masses,
        coordinates=np.asarray(frame.positions, dtype=np.float64),
        lattice_A=np.asarray(frame.triclinic_dimensions, dtype=np.float64).reshape(DIMENSIONS, DIMENSIONS),
        time_ps=float(frame.time),
        velocities_A_per_ps=np.asarray(frame.velocities, dtype=np.float64) if frame.has_velocities else None,
    )


def _atoms(atoms: Any, options: FrameOptions) -> tuple[IntArray, FloatArray | None]:
    words = atoms.elements.tolist() if hasattr(atoms, "elements") else []
    if not words or not all(words):
        names = atoms.names.tolist()
        residues = atoms.resnames.tolist() if hasattr(atoms, "resnames") else [""] * len(names)
        known = {pair: _element(*pair, options) for pair in dict.fromkeys(zip(names, residues, strict=True))}
        words = [known[pair] for pair in zip(names, residues, strict=True)]
    numbers, named_masses = atoms_of(_capitalized(words))
    # A .gro has no masses, a .tpr those of the run.
    return numbers, np.asarray(atoms.masses, dtype=np.float64) if hasattr(atoms, "masses") else named_masses


def _capitalized(words: Sequence[str]) -> list[str]:
    return [word.capitalize() if len(word) <= LONGEST_SYMBOL else word for word in words]


def _element(name: str, residue: str, options: FrameOptions) -> str:
    """Return the element of an atom by its name in its residue.

    Raises:
        InputError: the name can mean two elements: CA is calcium where it is its own residue, and carbon elsewhere.
    """
    if name in options.types:
        return options.types[name]
    letters = name.rstrip("+-0123456789")
    is_ion = residue.rstrip("+-0123456789").upper() == letters.upper()
    is_ambiguous = len(letters) == LONGEST_SYMBOL and letters.isupper() and not is_ion
    try:
        symbol = parse_label(letters.capitalize() if is_ion else letters).symbol
    except InputError:
        symbol = ""
    if is_ambiguous or not symbol:
        raise InputError(f"the element of atoms named {name!r} is unclear: state --types {name}=ELEMENT")
    return symbol
