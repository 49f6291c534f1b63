"""Trajectories that someone already has: XDATCAR, LAMMPS, extended XYZ, ASE, H5MD, pymatgen's DiffusionAnalyzer."""

import bz2
import gzip
import json
import lzma
import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import units
from ase.data import atomic_numbers

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.displacements import mean_cell, unwrap
from vitrion_workflows.trajectories.frames import WRAPPED_STEP, largest_fractional_step
from vitrion_workflows.trajectories.lammps import parse_dump
from vitrion_workflows.trajectories.trajectory import FEWEST_FRAMES, Trajectory
from vitrion_workflows.trajectories.xdatcar import parse_xdatcar

OPENERS: dict[str, Callable[..., Any]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
# Keys of extended XYZ or ASE info that state the time of a frame, with their factor to ps.
TIME_KEYS = {"time_ps": 1.0, "time_fs": 1e-3}
INTERVAL_TOLERANCE = 1e-3
SHORTEST_INTERVAL_PS, LONGEST_INTERVAL_PS = 1e-6, 1e6
SMALLEST_VOLUME_A3 = 1e-3
ROUNDING = 1e-3  # of coordinates in a file, as a share of the cell
XYZ_HEADER_LINES = 2  # number of atoms, comment
ATOM_NAMES = "id"  # column by which LAMMPS and OVITO say which atom is which
XYZ_CELL_LINE = "VEC"  # of some programs, after the atoms

Reader = Callable[[Path, float | None], Trajectory]


def read_trajectory(path: str | os.PathLike[str], *, frame_interval_ps: float | None = None) -> Trajectory:
    """Read and unwrap a trajectory.

    Wrapped and unwrapped coordinates are both taken; a changing cell is mapped to its mean (`unwrap`).

    Args:
        path: XDATCAR (also .gz, .bz2, .xz), LAMMPS's text dump, extended XYZ, ASE .traj, H5MD, DiffusionAnalyzer JSON.
        frame_interval_ps: time between frames, where the file does not hold it. It is never assumed.

    Returns:
        The trajectory with its frame interval.

    Raises:
        InputError: no such file, unknown format, no or two different frame intervals, one frame, changing atom
            counts, unknown element, numbers that are not finite, no cell, or steps of half a cell.
    """
    source = Path(path)
    if frame_interval_ps is not None and not SHORTEST_INTERVAL_PS <= frame_interval_ps <= LONGEST_INTERVAL_PS:
        raise InputError(
            f"{source}: a frame interval of {frame_interval_ps:g} ps is impossible: "
            f"give one from {SHORTEST_INTERVAL_PS:g} to {LONGEST_INTERVAL_PS:g}",
        )
    if not source.is_file():
        raise InputError(f"{source} is no file: give the path of a trajectory")
    if not source.stat().st_size:
        raise InputError(f"{source} is empty")
    return _reader(source)(source, frame_interval_ps)


def with_thermostat(trajectory: Trajectory, *, thermostat: str, friction_per_ps: float | None) -> Trajectory:
    """A trajectory with the thermostat of its run, where its file does not hold it.

    Args:
        trajectory: as read.
        thermostat: ``langevin``, ``nose-hoover`` or ``nve``.
        friction_per_ps: Langevin friction, or 1/tau of the chain.

    Raises:
        InputError: no such thermostat, its friction is missing or impossible, or the file holds another.
    """
    stated = replace(trajectory, thermostat=thermostat, friction_per_ps=friction_per_ps)
    held = (trajectory.thermostat, trajectory.friction_per_ps)
    if trajectory.thermostat and held != (thermostat, friction_per_ps):
        told, said = (
            name if rate is None else f"{name} at {rate:g} / ps" for name, rate in (held, (thermostat, friction_per_ps))
        )
        raise InputError(f"{trajectory.source} was run with {told}, not {said} as stated: leave it out")
    return stated


def _reader(source: Path) -> Reader:
    name = source.name.lower()
    for suffix in OPENERS:
        name = name.removesuffix(suffix)
    for mark, reader in READERS.items():
        if name.endswith(mark) or (mark == "xdatcar" and mark in name):
            return reader
    known = ", ".join(READERS)
    raise InputError(f"{source}: format unknown; the name must end in one of {known} (XDATCAR may stand anywhere)")


def _text(source: Path) -> str:
    opener = OPENERS.get(source.suffix.lower(), open)
    try:
        with opener(source, "rt", encoding="utf-8") as file:
            content: str = file.read()
    except (OSError, EOFError, zlib.error, lzma.LZMAError, UnicodeDecodeError) as error:
        raise InputError(f"{source} cannot be read ({str(error).splitlines()[0]})") from error
    return content


def _interval(source: Path, *, held: float | None, stated: float | None) -> float:
    if held is None and stated is None:
        raise InputError(f"{source} does not say how far its frames are apart: state the frame interval in ps")
    if held is not None and stated is not None and abs(held - stated) > INTERVAL_TOLERANCE * held:
        raise InputError(f"{source} has frames {held:g} ps apart, not {stated:g} ps as stated: leave one of them out")
    return float(held if held is not None else stated)  # type: ignore[arg-type]


def _read_xdatcar(source: Path, stated: float | None) -> Trajectory:
    frames = parse_xdatcar(_text(source), source=str(source))
    _check(source, frames.fractional, frames.lattices_A)
    return Trajectory(
        numbers=frames.numbers,
        positions_A=_paths(frames.fractional, frames.lattices_A, source),
        lattice_A=mean_cell(frames.lattices_A),
        volumes_A3=_volumes(frames.lattices_A),
        frame_interval_ps=_interval(source, held=None, stated=stated),
        source=str(source),
    )


def _read_lammps(source: Path, stated: float | None) -> Trajectory:
    frames = parse_dump(_text(source), source=str(source))
    _check(source, frames.fractional, frames.lattices_A)
    cell = mean_cell(frames.lattices_A)
    return Trajectory(
        numbers=frames.numbers,
        positions_A=frames.fractional @ cell if frames.whole else _paths(frames.fractional, frames.lattices_A, source),
        lattice_A=cell,
        volumes_A3=_volumes(frames.lattices_A),
        frame_interval_ps=_interval(source, held=frames.interval_ps, stated=stated),
        source=str(source),
        velocities_A_per_ps=frames.velocities_A_per_ps,
    )


def _read_ase(source: Path, stated: float | None) -> Trajectory:
    from ase.io import iread  # noqa: PLC0415 - only where ASE reads

    if ".xyz" in source.name.lower() or ".extxyz" in source.name.lower():
        _check_announced(source)
    try:
        images = list(iread(source, index=":"))
    except Exception as error:  # ASE's readers raise whatever their parsing trips over
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise InputError(f"{source} cannot be read as a trajectory ({reason})") from error
    if not images:
        raise InputError(f"{source} holds no frame")
    energies = _energies(images)
    images = _in_order(source, images)
    numbers = images[0].numbers
    if any(not np.array_equal(image.numbers, numbers) for image in images):
        raise InputError(f"{source}: the atoms change from frame to frame: give a trajectory of one set of atoms")
    if not numbers.all():
        raise InputError(f"{source}: holds an atom of no known element")
    lattices = np.array([image.cell.array for image in images])
    positions = np.array([image.positions for image in images])
    _check(source, positions, lattices)
    fixed = bool((lattices == lattices[0]).all())
    cells = lattices[0] if fixed else lattices
    fractional = positions @ np.linalg.inv(cells)
    return Trajectory(
        numbers=numbers.astype(np.int64),
        positions_A=_paths(fractional, cells, source),
        lattice_A=mean_cell(cells),
        volumes_A3=_volumes(cells),
        frame_interval_ps=_interval(source, held=_held_interval(source, images), stated=stated),
        temperatures_K=_temperatures(images),
        potential_energies_eV=energies,
        masses_u=images[0].get_masses(),
        source=str(source),
        velocities_A_per_ps=_velocities(images),
    )


def _in_order(source: Path, images: list[Any]) -> list[Any]:
    """Images with their atoms in the order of the first, where the file says which is which."""
    if not all(ATOM_NAMES in image.arrays for image in images):
        return images
    names = [image.arrays[ATOM_NAMES] for image in images]
    if all(np.array_equal(found, names[0]) for found in names):
        return images
    first = np.sort(names[0], kind="stable")
    if any(not np.array_equal(np.sort(found), first) for found in names) or (first[1:] == first[:-1]).any():
        raise InputError(f"{source}: its column {ATOM_NAMES!r} does not name the same atoms in each frame: mend it")
    into_first = np.argsort(np.argsort(names[0]))
    return [image[np.argsort(found)[into_first]] for image, found in zip(images, names, strict=True)]


def _volumes(lattices_A: FloatArray) -> FloatArray | None:
    """Of each frame, shape (F,), where the cell changes."""
    return None if lattices_A.ndim == 2 else np.abs(np.linalg.det(lattices_A))  # noqa: PLR2004


def _check_announced(source: Path) -> None:
    # ASE counts up to whatever number of atoms a frame announces before it looks whether they are there.
    lines = _text(source).split("\n")
    start, frame = 0, 1
    while start < len(lines) and lines[start].strip().lstrip("+-").isdecimal():
        atoms = int(lines[start])
        if not 0 <= atoms <= len(lines) - start - XYZ_HEADER_LINES:
            raise InputError(f"{source} is truncated: frame {frame} announces {atoms} atoms, which are not there")
        start, frame = start + atoms + XYZ_HEADER_LINES, frame + 1
        while start < len(lines) and lines[start].lstrip().startswith(XYZ_CELL_LINE):
            start += 1
    # And it stops at the first blank line, whatever follows.
    if any(line.strip() for line in lines[start:]):
        raise InputError(
            f"{source} cannot be read beyond line {start}: the next should say how many atoms frame {frame} has"
        )


def _held_interval(source: Path, images: list[Any]) -> float | None:
    held: dict[str, float] = {}
    for key, factor in TIME_KEYS.items():
        if len(images) > 1 and all(key in image.info for image in images):
            gaps = np.diff(_times(source, images, key=key)) * factor
            if not (gaps[0] > 0 and np.abs(gaps - gaps[0]).max() <= INTERVAL_TOLERANCE * gaps[0]):
                raise InputError(f"{source}: frames are not equally spaced in {key}: a frame is missing or repeated")
            held[key] = float(gaps.mean())
    if held and max(held.values()) > min(held.values()) * (1 + INTERVAL_TOLERANCE):
        told = ", ".join(f"{gap:g} ps by {key}" for key, gap in held.items())
        raise InputError(f"{source} contradicts itself, frames are {told} apart: leave the wrong one out of the file")
    return next(iter(held.values()), None)


def _times(source: Path, images: list[Any], *, key: str) -> FloatArray:
    try:
        return np.array([float(image.info[key]) for image in images])
    except (TypeError, ValueError) as error:
        raise InputError(f"{source}: {key} of a frame is no number ({error}): mend it, or leave {key} out") from error


def _temperatures(images: list[Any]) -> FloatArray | None:
    if not all(image.has("momenta") and image.get_momenta().any() for image in images):
        return None
    # About the centre of mass: ASE counts its motion, too, which most engines leave out.
    masses = images[0].get_masses()
    momenta = np.array([image.get_momenta() for image in images])
    momenta -= masses[:, None] / masses.sum() * momenta.sum(axis=1, keepdims=True)
    kinetic: FloatArray = np.einsum("fni,fni,n->f", momenta, momenta, 0.5 / masses)
    return kinetic / (0.5 * units.kB * max(3 * len(masses) - 3, 1))


def _velocities(images: list[Any]) -> FloatArray | None:
    if not all(image.has("momenta") and image.get_momenta().any() for image in images):
        return None
    velocities: FloatArray = np.array([image.get_velocities() for image in images]) * units.fs * 1e3
    return velocities


def _energies(images: list[Any]) -> FloatArray | None:
    found = [image.calc.results.get("energy") if image.calc else None for image in images]
    return None if any(energy is None for energy in found) else np.array(found, dtype=np.float64)


def _read_h5md(source: Path, stated: float | None) -> Trajectory:
    trajectory = h5md.read(source, frame_interval_ps=stated)
    _interval(source, held=trajectory.frame_interval_ps, stated=stated)
    if h5md.has_images(source):
        return trajectory
    fractional = trajectory.positions_A @ np.linalg.inv(trajectory.lattice_A)
    return replace(trajectory, positions_A=_paths(fractional, trajectory.lattice_A, source))


def _paths(fractional: FloatArray, cells_A: FloatArray, source: Path) -> FloatArray:
    """Continuous positions, shape (F, N, 3): what left the cell and never jumps is unwrapped already."""
    cell = mean_cell(cells_A)
    positions: FloatArray = fractional @ cell
    inside = np.ptp(fractional, axis=(0, 1)).max() <= 1 + ROUNDING
    if inside or largest_fractional_step(positions, cell) > WRAPPED_STEP:
        return unwrap(fractional, cells_A, source=str(source))
    return positions


def _read_diffusion_analyzer(source: Path, stated: float | None) -> Trajectory:
    try:
        content = json.loads(_text(source))
        sites = content["structure"]["sites"]
        lattice = np.array(content["structure"]["lattice"]["matrix"], dtype=np.float64)
        displacements = np.array(content["displacements"], dtype=np.float64).transpose(1, 0, 2)
        start = np.array([site["abc"] for site in sites], dtype=np.float64) @ lattice
        held = content["time_step"] * content["step_skip"] / 1000.0
        numbers = np.array([_atomic_number(source, site) for site in sites])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{source} is no DiffusionAnalyzer of pymatgen ({str(error).splitlines()[0]})") from error
    if displacements.shape[1:] != start.shape:
        raise InputError(f"{source} holds displacements of {displacements.shape[1]} atoms for {len(start)} sites")
    _check(source, displacements, lattice)
    return Trajectory(
        numbers=numbers,
        positions_A=start + displacements,
        lattice_A=lattice,
        frame_interval_ps=_interval(source, held=held, stated=stated),
        source=str(source),
        set_temperature_K=_stated_temperature(content.get("temperature")),
    )


def _stated_temperature(entry: Any) -> float | None:
    known = isinstance(entry, int | float) and not isinstance(entry, bool) and 0 < entry < np.inf
    return float(entry) if known else None


def _atomic_number(source: Path, site: dict[str, Any]) -> int:
    species = site["species"]
    symbol = "".join(filter(str.isalpha, species[0]["element"]))
    if len(species) != 1 or not atomic_numbers.get(symbol):
        raise InputError(f"{source}: a site holds {symbol!r}, not one known element")
    return int(atomic_numbers[symbol])


def _check(source: Path, coordinates: FloatArray, lattices: FloatArray) -> None:
    if len(coordinates) < FEWEST_FRAMES:
        raise InputError(f"{source} holds one frame: one frame is no trajectory")
    if not (np.isfinite(coordinates).all() and np.isfinite(lattices).all()):
        raise InputError(f"{source} holds coordinates that are not finite numbers")
    if np.abs(np.linalg.det(lattices)).min() < SMALLEST_VOLUME_A3:
        raise InputError(f"{source} has no cell: a periodic cell is needed to unwrap and to judge")


READERS: dict[str, Reader] = {
    "xdatcar": _read_xdatcar,
    ".lammpstrj": _read_lammps,
    ".dump": _read_lammps,
    ".extxyz": _read_ase,
    ".xyz": _read_ase,
    ".traj": _read_ase,
    ".h5": _read_h5md,
    ".h5md": _read_h5md,
    ".hdf5": _read_h5md,
    ".json": _read_diffusion_analyzer,
}
