"""Writing of H5MD files."""

import json
import os
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.files import whole_file
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.h5md import PARTICLES
from vitrion_workflows.trajectories.trajectory import Trajectory

H5MD_VERSION = (1, 1)
STORAGE = {"compression": "gzip", "compression_opts": 4, "shuffle": True}
CHUNK_BYTES = 1 << 20


def write(
    path: str | os.PathLike[str],
    trajectory: Trajectory,
    *,
    steps_per_frame: int = 1,
    provenance: Mapping[str, Any] | None = None,
) -> Path:
    """Write a trajectory; the file appears complete or not at all.

    Args:
        path: of the file, usually ending in ``.h5``.
        trajectory: frames and series to write.
        steps_per_frame: integration steps between frames, for the ``step`` entries.
        provenance: JSON-able record of how it was made, stored in ``/parameters/vitrion``.

    Raises:
        InputError: the file cannot be written.
    """
    target = Path(path)
    try:
        with whole_file(target) as partial, h5py.File(partial, "w") as file:
            _write_metadata(file, provenance or {}, trajectory)
            _write_particles(file, trajectory, steps_per_frame)
    except OSError as error:
        raise InputError(f"cannot write {target}: {error.strerror or error}") from error
    return target


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
