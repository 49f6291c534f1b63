"""Trajectories of ASE (.traj)."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.io.trajectory import TrajectoryReader

from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.ase.momenta import TIME_KEYS, kinetic_temperature_K, velocities_A_per_ps
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions
from vitrion_workflows.formats.xyz.comments import time_of


def read_frames(path: Path, _options: FrameOptions) -> FrameFile:
    """Read an ASE trajectory. Those older than ASE 3.9, which were pickles, are refused unread.

    Raises:
        InputError: not an ASE trajectory, or a damaged one.
    """
    return FrameFile(frames=_of_one_set(_frames(path)))


def _of_one_set(frames: Iterator[Frame]) -> Iterator[Frame]:
    first: Frame | None = None
    for index, frame in enumerate(frames, start=1):
        first = first or frame
        if not np.array_equal(frame.numbers, first.numbers):
            raise InputError(f"atoms change: frame 1 has {len(first.numbers)}, frame {index} {len(frame.numbers)}")
        yield frame


def _frames(path: Path) -> Iterator[Frame]:
    try:
        with path.open("rb") as file, TrajectoryReader(file) as reader:
            for index in range(len(reader)):
                yield _frame(reader[index], index + 1)
    except InputError:
        raise
    except Exception as error:  # the reader raises whatever its parsing trips over
        raise InputError(f"cannot be read as an ASE trajectory ({first_line(error)})") from error


def _frame(atoms: Atoms, index: int) -> Frame:
    masses = atoms.get_masses() if atoms.has("masses") else None
    momenta = atoms.get_momenta()
    energy = atoms.calc.results.get("energy") if atoms.calc else None
    a, b, c = atoms.pbc.tolist()
    return Frame(
        numbers=atoms.numbers.astype(np.int64),
        masses_u=masses,
        coordinates=atoms.positions,
        lattice_A=atoms.cell.array,
        pbc=(a, b, c),
        ids=atoms.arrays.get("id"),
        time_ps=time_of(atoms.info, TIME_KEYS, f"frame {index}"),
        velocities_A_per_ps=velocities_A_per_ps(momenta, atoms.numbers, masses),
        temperature_K=kinetic_temperature_K(momenta, atoms.numbers, masses),
        potential_energy_eV=None if energy is None else float(energy),
    )
