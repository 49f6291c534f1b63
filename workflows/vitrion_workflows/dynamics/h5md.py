"""Trajectories in H5MD 1.1 (de Buyl, Colberg and Höfling, Comput. Phys. Commun. 185, 1546, 2014).

Layout: ``/particles/all/position/{step, time, value}``, ``/particles/all/velocity`` where kept,
``/particles/all/box/edges`` (with the same steps, as MDAnalysis wants it), ``/particles/all/{species, mass}`` (fixed),
``/observables/{temperature, potential_energy, volume}``; attributes of ``/parameters``: set_temperature_K, thermostat
and friction_per_ps where known.
Units are attributes: Angstrom, ps, eV, K, u. The frame interval is the difference of times: inside, never beside.
"""

import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import HEAVIEST_ELEMENT, FloatArray, IntArray
from vitrion_workflows.dynamics.thermostats import thermostat_fault
from vitrion_workflows.dynamics.trajectory import FEWEST_FRAMES, Trajectory

H5MD_VERSION = (1, 1)
PARTICLES = "particles/all"
TIME_UNITS_PS = {"ps": 1.0, "fs": 1e-3, "ns": 1e3}
LENGTH_UNITS_A = {"Angstrom": 1.0, "angstrom": 1.0, "A": 1.0, "Å": 1.0, "nm": 10.0}
VELOCITY_UNITS_A_PER_PS = {"Angstrom ps-1": 1.0, "Angstrom fs-1": 1e3, "nm ps-1": 10.0}
STORAGE = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
CHUNK_BYTES = 1 << 20
# Times may be stored in single precision; a missing frame is off by a whole interval.
INTERVAL_TOLERANCE = 1e-2
SMALLEST_VOLUME_A3 = 1e-3


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


def read(path: str | os.PathLike[str]) -> Trajectory:
    """Read a trajectory, image flags applied where the file has them.

    Raises:
        InputError: no H5MD file, no fixed cell, units unknown, or frames that are not equally spaced in time.
    """
    source = Path(path)
    if not source.is_file():
        raise InputError(f"{source} is no file: give the path of an H5MD trajectory")
    try:
        with h5py.File(source, "r") as file:
            return _read_particles(file, source)
    except InputError:
        raise
    except (OSError, KeyError, TypeError, ValueError, IndexError, AttributeError) as error:
        # What is not laid out as the format asks trips h5py in many ways.
        reason = (str(error) or type(error).__name__).splitlines()[0].strip("'\"")
        raise InputError(f"{source} is no whole H5MD trajectory ({reason}): write it again") from error


def has_images(path: str | os.PathLike[str]) -> bool:
    """Whether the file says which image of the cell each position lies in, so that its paths are known whole."""
    with h5py.File(path, "r") as file:
        return "image" in file["particles"][next(iter(file["particles"]))]


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


def _read_particles(file: h5py.File, source: Path) -> Trajectory:
    if "particles" not in file or not len(file["particles"]):
        raise InputError(f"{source} holds no /particles: give an H5MD trajectory")
    group = file["particles"][next(iter(file["particles"]))]
    position = group["position"]
    positions = position["value"][:].astype(np.float64) * _factor(position["value"], LENGTH_UNITS_A, source)
    lattice = _lattice(group["box"]["edges"], source)
    if "image" in group:
        positions = positions + group["image"]["value"][:] @ lattice
    if len(positions) < FEWEST_FRAMES:
        raise InputError(f"{source} holds {len(positions)} frame: one frame is no trajectory")
    times = position["time"]
    numbers, masses = _atoms(group, source)
    thermostat, friction = _thermostat(file)
    return Trajectory(
        numbers=numbers,
        positions_A=positions,
        lattice_A=lattice,
        frame_interval_ps=_interval(times, len(positions), source) * _factor(times, TIME_UNITS_PS, source),
        temperatures_K=_observable(file, "temperature", len(positions)),
        potential_energies_eV=_observable(file, "potential_energy", len(positions)),
        masses_u=masses,
        source=str(source),
        velocities_A_per_ps=_velocities(group, source),
        set_temperature_K=_set_temperature(file),
        thermostat=thermostat,
        friction_per_ps=friction,
        volumes_A3=_observable(file, "volume", len(positions)),
    )


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
    numbers = _fixed(group["species"]).astype(np.int64)
    masses = _fixed(group["mass"]).astype(np.float64) if "mass" in group else np.empty(0)
    if not len(numbers) or numbers.min() < 1 or numbers.max() > HEAVIEST_ELEMENT:
        raise InputError(f"{source}: its species are no atomic numbers of known elements")
    if len(masses) and not (masses.shape == numbers.shape and (masses > 0).all()):
        raise InputError(f"{source}: its masses are not one positive number for each atom")
    return numbers, masses


def _fixed(item: h5py.Dataset | h5py.Group) -> Any:
    # Species and masses may be stored for each frame; they do not change.
    return item[:] if isinstance(item, h5py.Dataset) else item["value"][0]


def _lattice(edges: h5py.Dataset | h5py.Group, source: Path) -> FloatArray:
    stored = edges if isinstance(edges, h5py.Dataset) else edges["value"]
    values = stored[()].astype(np.float64) * _factor(stored, LENGTH_UNITS_A, source)
    if not isinstance(edges, h5py.Dataset):
        if np.abs(values - values[0]).max() > 0:
            raise InputError(f"{source} has a changing cell: only runs at a fixed cell can be analysed")
        values = values[0]
    lattice: FloatArray = np.diag(values) if values.ndim == 1 else values
    # Negated, so that a determinant that is not finite is refused too.
    if lattice.shape != (3, 3) or not abs(np.linalg.det(lattice)) >= SMALLEST_VOLUME_A3:
        raise InputError(f"{source} has no cell: its lattice vectors enclose no volume")
    return lattice


def _interval(times: h5py.Dataset, frames: int, source: Path) -> float:
    if times.shape == ():
        return float(times[()])  # fixed increment, as the format allows
    values = times[:].astype(np.float64)
    if values.shape != (frames,):
        raise InputError(f"{source} has {len(values)} times for {frames} frames: write it again")
    interval = float(values[1] - values[0])
    if not (interval > 0 and np.abs(np.diff(values) - interval).max() <= INTERVAL_TOLERANCE * interval):
        raise InputError(f"{source} has frames that are not equally spaced in time: a frame is missing or repeated")
    return interval


def _observable(file: h5py.File, name: str, frames: int) -> FloatArray | None:
    if "observables" not in file or name not in file["observables"]:
        return None
    values: FloatArray = file["observables"][name]["value"][:].astype(np.float64)
    return values if values.shape == (frames,) else None


def _factor(dataset: h5py.Dataset, units: Mapping[str, float], source: Path) -> float:
    unit = _decoded(dataset.attrs.get("unit"))
    if unit not in units:
        raise InputError(f"{source}: unit {unit!r} of {dataset.name} is not one of {', '.join(units)}")
    return units[unit]
