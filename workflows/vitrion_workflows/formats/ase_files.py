"""Trajectories that ASE reads: extended XYZ and .traj."""

from pathlib import Path
from typing import Any

import numpy as np
from ase import units

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import INTERVAL_TOLERANCE, FractionalFrames, check_coordinates

# Keys of extended XYZ or ASE info that state the time of a frame, with their factor to ps.
TIME_KEYS = {"time_ps": 1.0, "time_fs": 1e-3}
ATOM_NAMES = "id"  # column by which LAMMPS and OVITO name the atoms
XYZ_HEADER_LINES = 2  # number of atoms, comment
XYZ_CELL_LINE = "VEC"  # of some programs, after the atoms


def read_ase(path: Path) -> FractionalFrames:
    """Read frames with ASE.

    Raises:
        InputError: unreadable, no frame, changing or unknown atoms, no cell, or frames unequally spaced in time.
    """
    from ase.io import iread  # noqa: PLC0415 - only where ASE reads

    try:
        images = list(iread(path, index=":"))
    except Exception as error:  # ASE's readers raise whatever their parsing trips over
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"cannot be read as a trajectory ({reason})") from error
    if not images:
        raise InputError("no frame in this file")
    energies = _energies(images)  # reordering the atoms drops the calculators
    images = _in_order(images)
    numbers = images[0].numbers
    if any(not np.array_equal(image.numbers, numbers) for image in images):
        raise InputError("atoms change between frames: give a trajectory of one set of atoms")
    if not numbers.all():
        raise InputError("an atom has no known element: name the element of every atom")
    lattices = np.array([image.cell.array for image in images])
    positions = np.array([image.positions for image in images])
    check_coordinates(positions, lattices)
    moving = all(image.has("momenta") and image.get_momenta().any() for image in images)
    return FractionalFrames(
        numbers=numbers.astype(np.int64),
        fractional=positions @ np.linalg.inv(lattices),
        lattices_A=lattices,
        interval_ps=_interval(images),
        temperatures_K=_temperatures(images) if moving else None,
        potential_energies_eV=energies,
        masses_u=images[0].get_masses(),
        velocities_A_per_ps=_velocities(images) if moving else None,
    )


def check_announced_atoms(text: str) -> None:
    """Refuse an XYZ file whose frames announce more atoms than it holds, or that ASE would read only in part.

    Raises:
        InputError: truncated, or text between the frames.
    """
    # ASE counts up to the announced number of atoms before it looks whether they are there.
    lines = text.split("\n")
    start, frame = 0, 1
    while start < len(lines) and lines[start].strip().lstrip("+-").isdecimal():
        atoms = int(lines[start])
        if not 0 <= atoms <= len(lines) - start - XYZ_HEADER_LINES:
            raise InputError(f"truncated: frame {frame} announces {atoms} atoms, which are not there")
        start, frame = start + atoms + XYZ_HEADER_LINES, frame + 1
        while start < len(lines) and lines[start].lstrip().startswith(XYZ_CELL_LINE):
            start += 1
    # And it stops at the first blank line, whatever follows.
    if any(line.strip() for line in lines[start:]):
        raise InputError(
            f"cannot be read beyond line {start}: the next line should be the number of atoms of frame {frame}"
        )


def _in_order(images: list[Any]) -> list[Any]:
    """Return images with their atoms in the order of the first, where the file names the atoms."""
    if not all(ATOM_NAMES in image.arrays for image in images):
        return images
    names = [image.arrays[ATOM_NAMES] for image in images]
    if all(np.array_equal(own, names[0]) for own in names):
        return images
    first = np.sort(names[0], kind="stable")
    if any(not np.array_equal(np.sort(own), first) for own in names) or (first[1:] == first[:-1]).any():
        raise InputError(f"column {ATOM_NAMES!r} does not name the same atoms in each frame: correct it")
    into_first = np.argsort(np.argsort(names[0]))
    return [image[np.argsort(own)[into_first]] for image, own in zip(images, names, strict=True)]


def _interval(images: list[Any]) -> float | None:
    intervals_ps: dict[str, float] = {}
    for key, factor in TIME_KEYS.items():
        if len(images) > 1 and all(key in image.info for image in images):
            gaps = np.diff(_times(images, key=key)) * factor
            if not (gaps[0] > 0 and np.abs(gaps - gaps[0]).max() <= INTERVAL_TOLERANCE * gaps[0]):
                raise InputError(f"frames are not equally spaced in {key}: a frame is missing or repeated")
            intervals_ps[key] = float(gaps.mean())
    if intervals_ps and max(intervals_ps.values()) > min(intervals_ps.values()) * (1 + INTERVAL_TOLERANCE):
        both = ", ".join(f"{interval:g} ps by {key}" for key, interval in intervals_ps.items())
        raise InputError(f"frames are {both} apart: remove the wrong times from the file")
    return next(iter(intervals_ps.values()), None)


def _times(images: list[Any], *, key: str) -> FloatArray:
    try:
        return np.array([float(image.info[key]) for image in images])
    except (TypeError, ValueError) as error:
        raise InputError(f"{key} of a frame is not a number ({error}): correct it, or leave {key} out") from error


def _temperatures(images: list[Any]) -> FloatArray:
    # About the centre of mass: ASE counts its motion, too, which most engines leave out.
    masses = images[0].get_masses()
    momenta = np.array([image.get_momenta() for image in images])
    momenta -= masses[:, None] / masses.sum() * momenta.sum(axis=1, keepdims=True)
    kinetic: FloatArray = np.einsum("fni,fni,n->f", momenta, momenta, 0.5 / masses)
    return kinetic / (0.5 * units.kB * max(3 * len(masses) - 3, 1))


def _velocities(images: list[Any]) -> FloatArray:
    velocities: FloatArray = np.array([image.get_velocities() for image in images]) * units.fs * 1e3
    return velocities


def _energies(images: list[Any]) -> FloatArray | None:
    energies = [image.calc.results.get("energy") if image.calc else None for image in images]
    return None if None in energies else np.array(energies, dtype=np.float64)
