"""Trajectories of other programs, in every format of frames that the registry of formats has."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from vitrion_models.errors import InputError
from vitrion_workflows.formats.frames import NO_OPTIONS, FrameFile, FrameOptions
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.formats.registry import format_of
from vitrion_workflows.trajectories.assembly import assemble
from vitrion_workflows.trajectories.parts import join_parts
from vitrion_workflows.trajectories.trajectory import Trajectory

SHORTEST_INTERVAL_PS, LONGEST_INTERVAL_PS = 1e-6, 1e6


PathLike = str | os.PathLike[str]


def read_trajectory(
    path: PathLike | Sequence[PathLike],
    *,
    frame_interval_ps: float | None = None,
    file_format: str | None = None,
    options: FrameOptions = NO_OPTIONS,
) -> Trajectory:
    """Read and unwrap a trajectory.

    Wrapped and unwrapped coordinates are both read; a changing cell is mapped to its mean (`unwrap`).

    Args:
        path: a file of a format that holds frames (`formats.registry`), also .gz, .bz2, .xz of text; several where a
            run was written in parts, in their order (`join_parts`).
        frame_interval_ps: time between frames, where the file does not hold it. It is never assumed.
        file_format: name of the format, where the file name does not tell it.
        options: elements of types and the cell, where the file does not hold them.

    Raises:
        InputError: no such file, unknown format, no or two different frame intervals, one frame, changing atom
            counts, unknown element, numbers that are not finite, no periodic cell, or steps of half a cell.
    """
    paths = [Path(each) for each in ([path] if isinstance(path, str | os.PathLike) else path)]
    source = str(paths[0]) if len(paths) == 1 else f"{paths[0]} to {paths[-1]} ({len(paths)} parts)"
    if frame_interval_ps is not None and not SHORTEST_INTERVAL_PS <= frame_interval_ps <= LONGEST_INTERVAL_PS:
        raise InputError(
            f"{source}: a frame interval of {frame_interval_ps:g} ps is impossible: "
            f"give one from {SHORTEST_INTERVAL_PS:g} to {LONGEST_INTERVAL_PS:g}",
        )
    files: dict[str, FrameFile] = {}
    for each in paths:
        chosen = format_of(each, file_format, holds_frames=True)
        with naming(each):
            files[str(each)] = chosen.read_frames(each, options)
    if len(files) < len(paths):
        raise InputError(f"{source}: a file is given twice: give each part of a run once")
    file = next(iter(files.values())) if len(files) == 1 else join_parts(files)
    try:
        return assemble(file, stated_interval_ps=frame_interval_ps, source=source)
    except InputError as error:
        if any(str(error).startswith(name) for name in files):
            raise
        raise InputError(f"{source}: {error}") from error


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
