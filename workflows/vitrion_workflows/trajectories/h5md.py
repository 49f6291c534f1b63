"""Trajectories in H5MD 1.1 (de Buyl, Colberg and Höfling, Comput. Phys. Commun. 185, 1546, 2014).

Layout: ``/particles/all/position/{step, time, value}``, ``/particles/all/velocity`` where kept,
``/particles/all/box/edges`` (with the same steps, as MDAnalysis wants it), ``/particles/all/{species, mass}`` (fixed),
``/observables/{temperature, potential_energy, volume}``; attributes of ``/parameters``: set_temperature_K, thermostat
and friction_per_ps where known.
Units are attributes: Angstrom, ps, eV, K, u. The frame interval is the difference of times: inside, never beside.

Of other programs' files a changing cell is mapped to its mean, species may be atomic numbers, chemical symbols or an
enumeration of these, and a file without times has to be given its interval.
"""

import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from ase.data import atomic_numbers

from vitrion_models.errors import InputError
from vitrion_models.system import HEAVIEST_ELEMENT, FloatArray, IntArray
from vitrion_workflows.trajectories.thermostat import thermostat_fault
from vitrion_workflows.trajectories.trajectory import FEWEST_FRAMES, Trajectory
from vitrion_workflows.trajectories.volume_fluctuation import check_breath

H5MD_VERSION = (1, 1)
PARTICLES = "particles/all"
TIME_UNITS_PS = {"ps": 1.0, "fs": 1e-3, "ns": 1e3}
LENGTH_UNITS_A = {"Angstrom": 1.0, "angstrom": 1.0, "A": 1.0, "Å": 1.0, "nm": 10.0}
VELOCITY_UNITS_A_PER_PS = {
    **dict.fromkeys(("Angstrom ps-1", "Angstrom/ps"), 1.0),
    **dict.fromkeys(("Angstrom fs-1", "Angstrom/fs"), 1e3),
    **dict.fromkeys(("nm ps-1", "nm/ps"), 10.0),
    **dict.fromkeys(("m s-1", "m/s"), 1e-2),
}
STORAGE = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
CHUNK_BYTES = 1 << 20
# A missing frame is off by a whole interval; of times in single precision, late in a run, little may be left.
INTERVAL_TOLERANCE, COARSEST_TIMES = 1e-2, 0.25
SMALLEST_VOLUME_A3 = 1e-3
WHOLE = "all"
KELVIN = frozenset({"K", "kelvin", "Kelvin"})


def write(
    path: str | os.PathLike[str],
    trajectory: Trajectory,
    *,
    steps_per_frame: int = 1,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Write a trajectory; the file appears whole or not at all.

    Args:
        path: of the file, usually ending in ``.h5``.
        trajectory: what to write.
        steps_per_frame: integration steps between frames, for the ``step`` entries.
        provenance: JSON-able record of how it was made, kept in ``/parameters/vitrion``.

    Raises:
        InputError: the file cannot be written.
    """
    target = Path(path)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_name(f".{target.name}.partial")
        try:
            with h5py.File(partial, "w") as file:
                _write_metadata(file, provenance or {}, trajectory)
                _write_particles(file, trajectory, steps_per_frame)
            with partial.open("rb") as written:
                os.fsync(written.fileno())
            partial.replace(target)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from error
    return target


def read(path: str | os.PathLike[str], *, frame_interval_ps: float | None = None) -> Trajectory:
    """Read a trajectory, image flags applied where the file has them.

    Args:
        path: of the file.
        frame_interval_ps: of a file that holds no times; it is never assumed.

    Raises:
        InputError: no H5MD file, several groups of particles of which none is called ``all``, no cell, units unknown,
            or frames that are not equally spaced in time.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source} is no file: give the path of an H5MD trajectory")
    try:
        with h5py.File(source, "r") as file:
            return _read_particles(file, source, frame_interval_ps)
    except InputError:
        raise
    except (OSError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        # What is not laid out as the format asks trips h5py in many ways.
        reason = (str(error) or type(error).__name__).splitlines()[0].strip("'\"")
        raise InputError(f"{source} is no whole H5MD trajectory ({reason}): write it again") from error


def has_images(path: str | os.PathLike[str]) -> bool:
    """Whether the file says which image of the cell each position lies in, so that its paths are known whole."""
    with h5py.File(path, "r") as file:
        return "image" in _particles(file, Path(path))


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Record of how a trajectory was made; empty where the file holds none.

    Raises:
        InputError: the file is no HDF5 file.
    """
    try:
        with h5py.File(path, "r") as file:
            return _record(file)
    except OSError as error:
        raise InputError(f"{path} is no HDF5 file: write it again") from error


def _write_metadata(file: h5py.File, provenance: Mapping[str, Any], trajectory: Trajectory) -> None:
    root = file.create_group("h5md")
    root.attrs["version"] = np.array(H5MD_VERSION, dtype=np.int32)
    root.create_group("author").attrs["name"] = "Vitrion"
    creator = root.create_group("creator")
    creator.attrs["name"] = "vitrion"
    creator.attrs["version"] = version("vitrion")
    parameters = file.create_group("parameters")
    parameters.attrs["vitrion"] = json.dumps(provenance, sort_keys=True)
    if trajectory.set_temperature_K is not None:
        parameters.attrs["set_temperature_K"] = trajectory.set_temperature_K
    if trajectory.thermostat:
        parameters.attrs["thermostat"] = trajectory.thermostat
    if trajectory.friction_per_ps is not None:
        parameters.attrs["friction_per_ps"] = trajectory.friction_per_ps


def _write_particles(file: h5py.File, trajectory: Trajectory, steps_per_frame: int) -> None:
    frames = len(trajectory)
    group = file.create_group(PARTICLES)
    group.create_dataset("species", data=trajectory.numbers.astype(np.int32))
    group.create_dataset("mass", data=trajectory.masses_u).attrs["unit"] = "u"

    position = group.create_group("position")
    position.create_dataset("step", data=np.arange(frames, dtype=np.int64) * steps_per_frame)
    position.create_dataset("time", data=np.arange(frames) * trajectory.frame_interval_ps).attrs["unit"] = "ps"
    _series(position, trajectory.positions_A, "Angstrom")
    if trajectory.velocities_A_per_ps is not None:
        _element(group, "velocity", trajectory.velocities_A_per_ps, "Angstrom ps-1", position)

    box = group.create_group("box")
    box.attrs["dimension"] = 3
    box.attrs["boundary"] = np.array(["periodic"] * 3, dtype=h5py.string_dtype())
    _element(box, "edges", np.broadcast_to(trajectory.lattice_A, (frames, 3, 3)), "Angstrom", position)
    observables = file.create_group("observables")
    if trajectory.temperatures_K is not None:
        _element(observables, "temperature", trajectory.temperatures_K, "K", position)
    if trajectory.volumes_A3 is not None:
        _element(observables, "volume", trajectory.volumes_A3, "Angstrom3", position)
    if trajectory.potential_energies_eV is not None:
        _element(observables, "potential_energy", trajectory.potential_energies_eV, "eV", position)


def _element(parent: h5py.Group, name: str, values: FloatArray, unit: str, clock: h5py.Group) -> None:
    # Steps and times are hard links to those of the positions: stored once.
    element = parent.create_group(name)
    element["step"] = clock["step"]
    element["time"] = clock["time"]
    _series(element, values, unit)


def _series(element: h5py.Group, values: FloatArray, unit: str) -> None:
    frame_bytes = max(values[0].nbytes, 1)
    chunk = (max(1, min(len(values), CHUNK_BYTES // frame_bytes)), *values.shape[1:])
    element.create_dataset("value", data=values, chunks=chunk, **STORAGE).attrs["unit"] = unit


def _read_particles(file: h5py.File, source: Path, stated_ps: float | None) -> Trajectory:
    group = _particles(file, source)
    position = group["position"]
    positions = position["value"][:].astype(np.float64) * _factor(position["value"], LENGTH_UNITS_A, source)
    if len(positions) < FEWEST_FRAMES:
        raise InputError(f"{source} holds {len(positions)} frame: one frame is no trajectory")
    cells = _cells(group["box"]["edges"], len(positions), source)
    if "image" in group:
        positions = positions + _images(group["image"], len(positions), source) @ cells
    volumes = _observable(file, "volume", len(positions), source)
    lattice = cells
    if cells.ndim > 2:  # noqa: PLR2004 - one for each frame
        lattice = cells.mean(axis=0)
        positions = positions @ np.linalg.inv(cells) @ lattice
        volumes = np.abs(np.linalg.det(cells))
    numbers, masses = _atoms(group, source)
    thermostat, friction = _thermostat(file)
    return Trajectory(
        numbers=numbers,
        positions_A=positions,
        lattice_A=lattice,
        frame_interval_ps=_interval(position, len(positions), source, stated_ps),
        temperatures_K=_observable(file, "temperature", len(positions), source),
        potential_energies_eV=_observable(file, "potential_energy", len(positions), source),
        masses_u=masses,
        source=str(source),
        velocities_A_per_ps=_velocities(group, source),
        set_temperature_K=_set_temperature(file),
        thermostat=thermostat,
        friction_per_ps=friction,
        volumes_A3=volumes,
    )


def _particles(file: h5py.File, source: Path) -> h5py.Group:
    """The group of all atoms: of a part of them neither drift nor density could be told."""
    names = list(file["particles"]) if "particles" in file else []
    if not names:
        raise InputError(f"{source} holds no /particles: give an H5MD trajectory")
    if len(names) > 1 and WHOLE not in names:
        raise InputError(
            f"{source} holds several groups of particles ({', '.join(names)}): keep the one that holds all atoms"
        )
    return file["particles"][names[0] if len(names) == 1 else WHOLE]


def _images(item: h5py.Dataset | h5py.Group, frames: int, source: Path) -> FloatArray:
    images: FloatArray = (item if isinstance(item, h5py.Dataset) else item["value"])[:].astype(np.float64)
    if len(images) != frames:
        raise InputError(f"{source} has image flags of {len(images)} frames for positions of {frames}: write it again")
    return images


def _set_temperature(file: h5py.File) -> float | None:
    return _number(file["parameters"].attrs.get("set_temperature_K")) if "parameters" in file else None


def _thermostat(file: h5py.File) -> tuple[str, float | None]:
    """Name and rate; older files have them in the plan of their run only.

    The format leaves these attributes to the program that writes: what is no thermostat of ours is not stated.
    """
    plan = _record(file).get("plan")
    for stated in (file["parameters"].attrs if "parameters" in file else {}, plan if isinstance(plan, dict) else {}):
        name, rate = str(_decoded(stated.get("thermostat", ""))), stated.get("friction_per_ps")
        friction = _number(rate)
        if (rate is None) == (friction is None) and not thermostat_fault(name, friction):
            return name, friction
    return "", None


def _record(file: h5py.File) -> dict[str, Any]:
    text = file["parameters"].attrs.get("vitrion") if "parameters" in file else None
    try:
        stored = json.loads(_decoded(text))
    except (TypeError, ValueError):
        return {}  # none there, or another program's
    return stored if isinstance(stored, dict) else {}


def _number(attribute: Any) -> float | None:
    try:
        number = float(np.asarray(attribute, dtype=np.float64).item())
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None


def _decoded(attribute: Any) -> Any:
    # Strings of fixed length come as bytes.
    return attribute.decode(errors="replace") if isinstance(attribute, bytes) else attribute


def _velocities(group: h5py.Group, source: Path) -> FloatArray | None:
    if "velocity" not in group:
        return None
    stored = group["velocity"]["value"]
    if stored.shape != group["position"]["value"].shape:
        return None  # the format lets velocities be stored less often than positions
    values: FloatArray = stored[:].astype(np.float64) * _factor(stored, VELOCITY_UNITS_A_PER_PS, source)
    return values


def _atoms(group: h5py.Group, source: Path) -> tuple[IntArray, FloatArray]:
    if "species" not in group:
        raise InputError(
            f"{source} does not say which elements its atoms are: add their atomic numbers as {group.name}/species"
        )
    numbers = _elements(group["species"], source)
    masses = _fixed(group["mass"], source).astype(np.float64) if "mass" in group else np.empty(0)
    if not len(numbers) or numbers.min() < 1 or numbers.max() > HEAVIEST_ELEMENT:
        raise InputError(f"{source}: its species are no atomic numbers of known elements")
    if len(masses) and not (masses.shape == numbers.shape and (masses > 0).all()):
        raise InputError(f"{source}: its masses are not one positive number for each atom")
    return numbers, masses


def _elements(item: h5py.Dataset | h5py.Group, source: Path) -> IntArray:
    """Atomic numbers, from such, from chemical symbols, or from an enumeration whose names are symbols."""
    stored = item if isinstance(item, h5py.Dataset) else item["value"]
    values = _fixed(item, source)
    names = h5py.check_enum_dtype(stored.dtype)
    if names:
        called = {value: name for name, value in names.items()}
        values = np.array([called[value] for value in values.tolist()], dtype=object)
    if values.dtype.kind not in "OS":
        return np.asarray(values, dtype=np.int64)
    symbols = [str(_decoded(value)) for value in values]
    if unknown := [symbol for symbol in symbols if not atomic_numbers.get(symbol)]:
        raise InputError(f"{source}: its species {unknown[0]!r} is no chemical symbol")
    return np.array([atomic_numbers[symbol] for symbol in symbols], dtype=np.int64)


def _fixed(item: h5py.Dataset | h5py.Group, source: Path) -> Any:
    # Species and masses may be stored for each frame.
    if isinstance(item, h5py.Dataset):
        return item[:]
    values = item["value"][:]
    if (values != values[:1]).any():
        raise InputError(f"{source}: {item.name} changes from frame to frame: give the atoms in one order")
    return values[0]


def _cells(edges: h5py.Dataset | h5py.Group, frames: int, source: Path) -> FloatArray:
    """Lattice vectors as rows, shape (3, 3), or (F, 3, 3) of a cell that changes."""
    fixed = isinstance(edges, h5py.Dataset)
    stored = edges if fixed else edges["value"]
    values = stored[()].astype(np.float64) * _factor(stored, LENGTH_UNITS_A, source)
    cuboid = values.ndim - (not fixed) == 1
    cells: FloatArray = values[..., None] * np.eye(3) if cuboid else values
    # Negated, so that a determinant that is not finite is refused too.
    if cells.shape[-2:] != (3, 3) or not (np.abs(np.linalg.det(cells)) >= SMALLEST_VOLUME_A3).all():
        raise InputError(f"{source} has no cell: its lattice vectors enclose no volume")
    if fixed or (cells == cells[0]).all():
        return cells if fixed else cells[0]
    if len(cells) != frames:
        raise InputError(f"{source} holds cells of {len(cells)} frames for positions of {frames}: write it again")
    check_breath(cells, source=str(source))
    return cells


def _interval(position: h5py.Group, frames: int, source: Path, stated_ps: float | None) -> float:
    if "time" not in position:
        if stated_ps is None:
            raise InputError(f"{source} does not say how far its frames are apart: state the frame interval in ps")
        return stated_ps
    times = position["time"]
    to_ps = _factor(times, TIME_UNITS_PS, source)
    if times.shape == ():
        return float(times[()]) * to_ps  # fixed increment, as the format allows
    values = times[:].astype(np.float64)
    if values.shape != (frames,):
        raise InputError(f"{source} has {len(values)} times for {frames} frames: write it again")
    interval, first = float(values[-1] - values[0]) / (frames - 1), float(values[1] - values[0])
    rounding = float(np.finfo(times.dtype).eps * np.abs(values).max()) if times.dtype.kind == "f" else 0.0
    if rounding > COARSEST_TIMES * abs(interval):
        raise InputError(f"{source} has times too coarse to tell its frames apart: store them in double precision")
    tolerance = INTERVAL_TOLERANCE * interval + rounding
    if not (interval > 0 and np.abs(np.diff(values) - interval).max() <= tolerance):
        raise InputError(f"{source} has frames that are not equally spaced in time: a frame is missing or repeated")
    # Of times in double precision the first difference is the number that was written.
    return (first if np.isclose(first, interval, rtol=1e-9, atol=0.0) else interval) * to_ps


def _observable(file: h5py.File, name: str, frames: int, source: Path) -> FloatArray | None:
    if "observables" not in file or name not in file["observables"]:
        return None
    item = file["observables"][name]
    if isinstance(item, h5py.Dataset) or item["value"].shape != (frames,):
        return None  # one number for all frames, or the format lets it be stored more or less often than positions
    unit = _decoded(item["value"].attrs.get("unit"))
    if name == "temperature" and unit is not None and unit not in KELVIN:
        raise InputError(f"{source}: its temperatures are in {unit!r}: K is needed")
    values: FloatArray = item["value"][:].astype(np.float64)
    return values


def _factor(dataset: h5py.Dataset, units: Mapping[str, float], source: Path) -> float:
    unit = _decoded(dataset.attrs.get("unit"))
    if unit not in units:
        raise InputError(f"{source}: unit {unit!r} of {dataset.name} is not one of {', '.join(units)}")
    return units[unit]
