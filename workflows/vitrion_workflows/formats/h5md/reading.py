"""Reading of H5MD files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from ase.data import atomic_numbers

from vitrion_models.errors import InputError, first_line
from vitrion_models.system import HEAVIEST_ELEMENT, PERIODIC, FloatArray, IntArray
from vitrion_workflows.formats.frames import FEWEST_FRAMES, Frame, FrameFile, FrameOptions, check_cell, check_masses
from vitrion_workflows.formats.h5md.layout import (
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
from vitrion_workflows.formats.hdf5 import open_hdf5

# A missing frame is off by a whole interval; of times in single precision, late in a run, little may be left.
INTERVAL_TOLERANCE, COARSEST_TIMES = 1e-2, 0.25
ALL_PARTICLES = "all"
BLOCK_BYTES = 1 << 20
MATRIX = 2  # dimensions of one cell, where there is not one for each frame
BOUNDARIES = {"periodic": True, "none": False, "nonperiodic": False}
SERIES = ("temperature", "potential_energy", "volume")


def read_frames(path: Path, _options: FrameOptions) -> FrameFile:
    """Read a file, image flags applied where it has them.

    Raises:
        InputError: not an H5MD file, several groups of particles of which none is called ``all``, no cell, unknown
            units, or frames that are not equally spaced in time.
    """
    with _errors_in_one_line(), open_hdf5(path) as file:
        group = _particles(file)
        frames = group["position"]["value"].shape[0]
        name, friction = thermostat(file)
        return FrameFile(
            frames=_frames(path),
            interval_ps=_interval(group["position"], frames) if frames >= FEWEST_FRAMES else None,
            thermostat=name,
            friction_per_ps=friction,
            set_temperature_K=set_temperature_K(file),
        )


@contextmanager
def _errors_in_one_line() -> Iterator[None]:
    try:
        yield
    except InputError:
        raise
    except (OSError, KeyError, TypeError, ValueError, IndexError, AttributeError, RuntimeError) as error:
        # Content that is not laid out as the format asks trips h5py in many ways.
        reason = first_line(error).strip("'\"")
        raise InputError(f"not a complete H5MD trajectory ({reason}): write it again") from error


def _frames(path: Path) -> Iterator[Frame]:
    with _errors_in_one_line(), open_hdf5(path) as file:
        group = _particles(file)
        position = group["position"]["value"]
        frames = position.shape[0]
        length_A = unit_factor(position, LENGTH_UNITS_A)
        cells = _cells(group["box"]["edges"], frames)
        numbers, masses = _atoms(group)
        images, velocities = _images(group, frames), _velocities(group)
        velocity_unit = 1.0 if velocities is None else unit_factor(velocities, VELOCITY_UNITS_A_PER_PS)
        steps = _steps(group["position"], frames)
        temperatures, energies, volumes = (_observable(file, name, frames) for name in SERIES)
        for index, stored, image, velocity in _blocks(position, images, velocities):
            lattice = cells if cells.ndim == MATRIX else cells[index]
            coordinates = stored * length_A
            yield Frame(
                numbers=numbers,
                masses_u=masses,
                coordinates=coordinates if image is None else coordinates + image @ lattice,
                lattice_A=lattice,
                pbc=_periodicity(group["box"]),
                unwrapped=image is not None,
                step=None if steps is None else int(steps[index]),
                velocities_A_per_ps=None if velocity is None else velocity * velocity_unit,
                temperature_K=_value(temperatures, index),
                potential_energy_eV=_value(energies, index),
                volume_A3=_value(volumes, index),
            )


def _blocks(
    position: h5py.Dataset, *others: h5py.Dataset | None
) -> Iterator[tuple[int, FloatArray, FloatArray | None, FloatArray | None]]:
    """Yield the number of each frame and its rows of the datasets in double precision; some are read at a time."""
    at_once = max(1, BLOCK_BYTES // max(1, 8 * int(np.prod(position.shape[1:]))))
    for start in range(0, len(position), at_once):
        block = slice(start, start + at_once)
        rows = position[block].astype(np.float64)
        images, velocities = (None if other is None else other[block].astype(np.float64) for other in others)
        for index, row in enumerate(rows):
            yield (
                start + index,
                row,
                None if images is None else images[index],
                None if velocities is None else velocities[index],
            )


def _value(series: FloatArray | None, index: int) -> float | None:
    return None if series is None else float(series[index])


def _steps(position: h5py.Group, frames: int) -> IntArray | None:
    """Return the number of the integration step of each frame, shape (F,); None where the file has none."""
    stored = position.get("step")
    if not isinstance(stored, h5py.Dataset) or stored.shape != (frames,) or stored.dtype.kind not in "iu":
        return None  # one number, the increment, as the format allows
    return np.asarray(stored[:], dtype=np.int64)


def _periodicity(box: h5py.Group) -> tuple[bool, bool, bool]:
    stated = box.attrs.get("boundary")
    if stated is None:
        return PERIODIC  # edges without the attribute that the format asks for
    words = [str(decoded(word)) for word in np.atleast_1d(stated)]
    if unknown := [word for word in words if word not in BOUNDARIES]:
        raise InputError(f"boundary {unknown[0]!r} of {box.name} is unknown: use one of {', '.join(BOUNDARIES)}")
    x, y, z = (BOUNDARIES[word] for word in (words * 3 if len(words) == 1 else words))
    return x, y, z


def _particles(file: h5py.File) -> h5py.Group:
    """Return the group of all atoms: drift and density need all of them."""
    names = list(file["particles"]) if "particles" in file else []
    if not names:
        raise InputError("no /particles in this file: give an H5MD trajectory")
    if len(names) > 1 and ALL_PARTICLES not in names:
        raise InputError(f"several groups of particles ({', '.join(names)}): keep the one that holds all atoms")
    return file["particles"][names[0] if len(names) == 1 else ALL_PARTICLES]


def _images(group: h5py.Group, frames: int) -> h5py.Dataset | None:
    if "image" not in group:
        return None
    item = group["image"]
    images = item if isinstance(item, h5py.Dataset) else item["value"]
    if len(images) != frames:
        raise InputError(f"image flags of {len(images)} frames for positions of {frames}: write the file again")
    return images


def _velocities(group: h5py.Group) -> h5py.Dataset | None:
    # The format lets velocities be stored less often than positions.
    stored = group["velocity"]["value"] if "velocity" in group else None
    return stored if stored is not None and stored.shape == group["position"]["value"].shape else None


def _atoms(group: h5py.Group) -> tuple[IntArray, FloatArray | None]:
    if "species" not in group:
        raise InputError(f"elements of the atoms are missing: add their atomic numbers as {group.name}/species")
    numbers = _elements(group["species"])
    masses = _fixed(group["mass"]).astype(np.float64) if "mass" in group else None
    if not len(numbers) or numbers.min() < 1 or numbers.max() > HEAVIEST_ELEMENT:
        raise InputError("species are not atomic numbers of known elements: correct them")
    if masses is not None:
        check_masses(masses, numbers)
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
    if cells.shape[-2:] != (3, 3):
        raise InputError("no cell: edges are not three lattice vectors")
    check_cell(cells, place="the file")
    if fixed or (cells == cells[0]).all():
        return cells if fixed else cells[0]
    if len(cells) != frames:
        raise InputError(f"cells of {len(cells)} frames for positions of {frames}: write the file again")
    return cells


def _interval(position: h5py.Group, frames: int) -> float | None:
    if "time" not in position:
        return None
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
