"""Reading of H5MD files."""

import os
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from ase.data import atomic_numbers

from vitrion_models.errors import InputError
from vitrion_models.system import HEAVIEST_ELEMENT, FloatArray, IntArray
from vitrion_workflows.formats.frames import FEWEST_FRAMES, SMALLEST_VOLUME_A3
from vitrion_workflows.formats.hdf5 import open_hdf5
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.trajectories.assembly import check_volume_fluctuation, frame_interval
from vitrion_workflows.trajectories.h5md.layout import (
    KELVIN,
    LENGTH_UNITS_A,
    TIME_UNITS_PS,
    VELOCITY_UNITS_A_PER_PS,
    decoded,
    set_temperature_K,
    thermostat,
    unit_factor,
    unit_of,
)
from vitrion_workflows.trajectories.trajectory import Trajectory

# A missing frame is off by a whole interval; of times in single precision, late in a run, little may be left.
INTERVAL_TOLERANCE, COARSEST_TIMES = 1e-2, 0.25
ALL_PARTICLES = "all"


def read(path: str | os.PathLike[str], *, frame_interval_ps: float | None = None) -> Trajectory:
    """Read a trajectory, image flags applied where the file has them.

    Args:
        path: of the file.
        frame_interval_ps: of a file that holds no times; it is never assumed.

    Raises:
        InputError: not an H5MD file, several groups of particles of which none is called ``all``, no cell, unknown
            units, or frames that are not equally spaced in time.
    """
    source = Path(path)
    with naming(source):
        try:
            with open_hdf5(source) as file:
                return _trajectory(file, source, frame_interval_ps)
        except InputError:
            raise
        except (OSError, KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
            # Content that is not laid out as the format asks trips h5py in many ways.
            reason = (str(error) or type(error).__name__).splitlines()[0].strip("'\"")
            raise InputError(f"not a complete H5MD trajectory ({reason}): write it again") from error


def has_images(path: str | os.PathLike[str]) -> bool:
    """Return True if the file stores which image of the cell each position lies in, so that paths are continuous."""
    with open_hdf5(Path(path)) as file:
        return "image" in _particles(file)


def _trajectory(file: h5py.File, source: Path, stated_ps: float | None) -> Trajectory:
    group = _particles(file)
    position = group["position"]
    positions = position["value"][:].astype(np.float64) * unit_factor(position["value"], LENGTH_UNITS_A)
    if len(positions) < FEWEST_FRAMES:
        raise InputError(f"a trajectory needs two frames or more, not {len(positions)}")
    cells = _cells(group["box"]["edges"], len(positions))
    if "image" in group:
        positions = positions + _images(group["image"], len(positions)) @ cells
    volumes = _observable(file, "volume", len(positions))
    lattice = cells
    if cells.ndim > 2:  # noqa: PLR2004 - one for each frame
        lattice = cells.mean(axis=0)
        positions = positions @ np.linalg.inv(cells) @ lattice
        volumes = np.abs(np.linalg.det(cells))
    numbers, masses = _atoms(group)
    name, friction = thermostat(file)
    return Trajectory(
        numbers=numbers,
        positions_A=positions,
        lattice_A=lattice,
        frame_interval_ps=_interval(position, len(positions), stated_ps),
        temperatures_K=_observable(file, "temperature", len(positions)),
        potential_energies_eV=_observable(file, "potential_energy", len(positions)),
        masses_u=masses,
        source=str(source),
        velocities_A_per_ps=_velocities(group),
        set_temperature_K=set_temperature_K(file),
        thermostat=name,
        friction_per_ps=friction,
        volumes_A3=volumes,
    )


def _particles(file: h5py.File) -> h5py.Group:
    """Return the group of all atoms: drift and density need all of them."""
    names = list(file["particles"]) if "particles" in file else []
    if not names:
        raise InputError("no /particles in this file: give an H5MD trajectory")
    if len(names) > 1 and ALL_PARTICLES not in names:
        raise InputError(f"several groups of particles ({', '.join(names)}): keep the one that holds all atoms")
    return file["particles"][names[0] if len(names) == 1 else ALL_PARTICLES]


def _images(item: h5py.Dataset | h5py.Group, frames: int) -> FloatArray:
    images: FloatArray = (item if isinstance(item, h5py.Dataset) else item["value"])[:].astype(np.float64)
    if len(images) != frames:
        raise InputError(f"image flags of {len(images)} frames for positions of {frames}: write the file again")
    return images


def _velocities(group: h5py.Group) -> FloatArray | None:
    if "velocity" not in group:
        return None
    stored = group["velocity"]["value"]
    if stored.shape != group["position"]["value"].shape:
        return None  # the format lets velocities be stored less often than positions
    values: FloatArray = stored[:].astype(np.float64) * unit_factor(stored, VELOCITY_UNITS_A_PER_PS)
    return values


def _atoms(group: h5py.Group) -> tuple[IntArray, FloatArray]:
    if "species" not in group:
        raise InputError(f"elements of the atoms are missing: add their atomic numbers as {group.name}/species")
    numbers = _elements(group["species"])
    masses = _fixed(group["mass"]).astype(np.float64) if "mass" in group else np.empty(0)
    if not len(numbers) or numbers.min() < 1 or numbers.max() > HEAVIEST_ELEMENT:
        raise InputError("species are not atomic numbers of known elements: correct them")
    if len(masses) and not (masses.shape == numbers.shape and (masses > 0).all()):
        raise InputError("masses are not one positive number for each atom: correct them, or leave them out")
    return numbers, masses


def _elements(item: h5py.Dataset | h5py.Group) -> IntArray:
    """Return atomic numbers, shape (N,), from numbers, chemical symbols, or an enumeration named by symbols."""
    stored = item if isinstance(item, h5py.Dataset) else item["value"]
    values = _fixed(item)
    names = h5py.check_enum_dtype(stored.dtype)
    if names:
        symbol_of = {value: name for name, value in names.items()}
        values = np.array([symbol_of[value] for value in values.tolist()], dtype=object)
    if values.dtype.kind not in "OS":
        return np.asarray(values, dtype=np.int64)
    symbols = [str(decoded(value)) for value in values]
    if unknown := [symbol for symbol in symbols if not atomic_numbers.get(symbol)]:
        raise InputError(f"species {unknown[0]!r} is not a chemical symbol: give for example Li")
    return np.array([atomic_numbers[symbol] for symbol in symbols], dtype=np.int64)


def _fixed(item: h5py.Dataset | h5py.Group) -> Any:
    # Species and masses may be stored for each frame.
    if isinstance(item, h5py.Dataset):
        return item[:]
    values = item["value"][:]
    if (values != values[:1]).any():
        raise InputError(f"{item.name} changes from frame to frame: give the atoms in one order")
    return values[0]


def _cells(edges: h5py.Dataset | h5py.Group, frames: int) -> FloatArray:
    """Return lattice vectors in Angstrom as rows, shape (3, 3), or (F, 3, 3) for a changing cell."""
    fixed = isinstance(edges, h5py.Dataset)
    stored = edges if fixed else edges["value"]
    values = stored[()].astype(np.float64) * unit_factor(stored, LENGTH_UNITS_A)
    cuboid = values.ndim - (not fixed) == 1
    cells: FloatArray = values[..., None] * np.eye(3) if cuboid else values
    # Negated, so that a determinant that is not finite is refused too.
    if cells.shape[-2:] != (3, 3) or not (np.abs(np.linalg.det(cells)) >= SMALLEST_VOLUME_A3).all():
        raise InputError("no cell: the lattice vectors enclose no volume")
    if fixed or (cells == cells[0]).all():
        return cells if fixed else cells[0]
    if len(cells) != frames:
        raise InputError(f"cells of {len(cells)} frames for positions of {frames}: write the file again")
    check_volume_fluctuation(cells)
    return cells


def _interval(position: h5py.Group, frames: int, stated_ps: float | None) -> float:
    if "time" not in position:
        return frame_interval(held=None, stated=stated_ps)
    times = position["time"]
    to_ps = unit_factor(times, TIME_UNITS_PS)
    if times.shape == ():
        return float(times[()]) * to_ps  # fixed increment, as the format allows
    values = times[:].astype(np.float64)
    if values.shape != (frames,):
        raise InputError(f"{len(values)} times for {frames} frames: write the file again")
    interval, first = float(values[-1] - values[0]) / (frames - 1), float(values[1] - values[0])
    rounding = float(np.finfo(times.dtype).eps * np.abs(values).max()) if times.dtype.kind == "f" else 0.0
    if rounding > COARSEST_TIMES * abs(interval):
        raise InputError("times are too coarse to distinguish the frames: store them in double precision")
    tolerance = INTERVAL_TOLERANCE * interval + rounding
    if not (interval > 0 and np.abs(np.diff(values) - interval).max() <= tolerance):
        raise InputError("frames are not equally spaced in time: a frame is missing or repeated")
    # Of times in double precision the first difference is the number that was written.
    return (first if np.isclose(first, interval, rtol=1e-9, atol=0.0) else interval) * to_ps


def _observable(file: h5py.File, name: str, frames: int) -> FloatArray | None:
    if "observables" not in file or name not in file["observables"]:
        return None
    item = file["observables"][name]
    if isinstance(item, h5py.Dataset) or item["value"].shape != (frames,):
        return None  # one number for all frames, or the format lets it be stored more or less often than positions
    unit = unit_of(item["value"])
    if name == "temperature" and unit is not None and unit not in KELVIN:
        raise InputError(f"temperatures are in {unit!r}: store them in K")
    values: FloatArray = item["value"][:].astype(np.float64)
    return values
