"""Reading of trajectories that Vitrion wrote."""

import os
from pathlib import Path

from vitrion_workflows.formats.frames import NO_OPTIONS
from vitrion_workflows.formats.h5md import read_frames
from vitrion_workflows.formats.opening import naming
from vitrion_workflows.trajectories.assembly import assemble
from vitrion_workflows.trajectories.trajectory import Trajectory


def read(path: str | os.PathLike[str], *, frame_interval_ps: float | None = None) -> Trajectory:
    """Read a trajectory whose positions are continuous, as Vitrion writes them, or made so by its image flags.

    Args:
        path: of the file.
        frame_interval_ps: of a file that holds no times; it is never assumed.

    Raises:
        InputError: not an H5MD file, several groups of particles of which none is called ``all``, no cell, unknown
            units, or frames that are not equally spaced in time.
    """
    source = Path(path)
    with naming(source):
        file = read_frames(source, NO_OPTIONS)
        return assemble(file, stated_interval_ps=frame_interval_ps, source=str(source), is_continuous=True)
