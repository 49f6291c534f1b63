"""Trajectories of other programs: XDATCAR, LAMMPS, extended XYZ, ASE, H5MD, pymatgen's DiffusionAnalyzer."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from vitrion_models.errors import InputError
from vitrion_workflows.formats.ase_files import check_announced_atoms, read_ase
from vitrion_workflows.formats.lammps import parse_dump
from vitrion_workflows.formats.opening import name_of, naming, read_text, require_file
from vitrion_workflows.formats.xdatcar import check_numbering, parse_xdatcar
from vitrion_workflows.trajectories import h5md
from vitrion_workflows.trajectories.assembly import assemble, continuous_positions, frame_interval
from vitrion_workflows.trajectories.diffusion_analyzer import parse_diffusion_analyzer
from vitrion_workflows.trajectories.trajectory import Trajectory

SHORTEST_INTERVAL_PS, LONGEST_INTERVAL_PS = 1e-6, 1e6

Reader = Callable[[Path, float | None], Trajectory]


def read_trajectory(path: str | os.PathLike[str], *, frame_interval_ps: float | None = None) -> Trajectory:
    """Read and unwrap a trajectory.

    Wrapped and unwrapped coordinates are both read; a changing cell is mapped to its mean (`unwrap`).

    Args:
        path: XDATCAR (also .gz, .bz2, .xz), LAMMPS's text dump, extended XYZ, ASE .traj, H5MD, DiffusionAnalyzer JSON.
        frame_interval_ps: time between frames, where the file does not hold it. It is never assumed.

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
    require_file(source)
    with naming(source):
        return replace(_reader(source)(source, frame_interval_ps), source=str(source))


def with_thermostat(trajectory: Trajectory, *, thermostat: str, friction_per_ps: float | None) -> Trajectory:
    """Add the thermostat of the run, where the file does not hold it.

    Args:
        trajectory: as read.
        thermostat: ``langevin``, ``nose-hoover`` or ``nve``.
        friction_per_ps: Langevin friction, or 1/tau of the chain.

    Raises:
        InputError: no such thermostat, its friction is missing or impossible, or the file holds another.
    """
    updated = replace(trajectory, thermostat=thermostat, friction_per_ps=friction_per_ps)
    held, stated = (trajectory.thermostat, trajectory.friction_per_ps), (thermostat, friction_per_ps)
    if trajectory.thermostat and held != stated:
        recorded, given = (name if rate is None else f"{name} at {rate:g} / ps" for name, rate in (held, stated))
        raise InputError(f"{trajectory.source} was run with {recorded}, not {given} as stated: leave it out")
    return updated


def _reader(source: Path) -> Reader:
    name = name_of(source)
    for mark, reader in READERS.items():
        if name.endswith(mark) or (mark == "xdatcar" and mark in name):
            return reader
    formats = ", ".join(READERS)
    raise InputError(f"format unknown: end the name in one of {formats} (XDATCAR may stand anywhere)")


def _read_xdatcar(source: Path, stated: float | None) -> Trajectory:
    text = read_text(source)
    frames = parse_xdatcar(text)
    check_numbering(text)
    return assemble(frames, stated_interval_ps=stated)


def _read_lammps(source: Path, stated: float | None) -> Trajectory:
    return assemble(parse_dump(read_text(source)), stated_interval_ps=stated)


def _read_xyz(source: Path, stated: float | None) -> Trajectory:
    check_announced_atoms(read_text(source))
    return _read_ase(source, stated)


def _read_ase(source: Path, stated: float | None) -> Trajectory:
    return assemble(read_ase(source), stated_interval_ps=stated)


def _read_h5md(source: Path, stated: float | None) -> Trajectory:
    trajectory = h5md.read(source, frame_interval_ps=stated)
    frame_interval(held=trajectory.frame_interval_ps, stated=stated)
    if h5md.has_images(source):
        return trajectory
    fractional = trajectory.positions_A @ np.linalg.inv(trajectory.lattice_A)
    return replace(trajectory, positions_A=continuous_positions(fractional, trajectory.lattice_A))


def _read_diffusion_analyzer(source: Path, stated: float | None) -> Trajectory:
    return parse_diffusion_analyzer(read_text(source), stated_interval_ps=stated)


READERS: dict[str, Reader] = {
    "xdatcar": _read_xdatcar,
    ".lammpstrj": _read_lammps,
    ".dump": _read_lammps,
    ".extxyz": _read_xyz,
    ".xyz": _read_xyz,
    ".traj": _read_ase,
    ".h5": _read_h5md,
    ".h5md": _read_h5md,
    ".hdf5": _read_h5md,
    ".json": _read_diffusion_analyzer,
}
