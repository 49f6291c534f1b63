"""Frames of another program, such as DFT: extended XYZ with energy, forces and stress or virial."""

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

import ase.io
import numpy as np
from ase import Atoms
from ase.stress import voigt_6_to_full_3x3_stress

from vitrion_models.errors import InputError, first_line
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.tuning.frames import LabelledFrame

HELD_OUT_SHARE = 5  # the last fifth of each block
LARGEST_FORCE_eV_PER_A = 1000.0


def read_labelled(path: Path) -> list[LabelledFrame]:
    """Read all frames of an extended XYZ file; the group of a frame is its formula.

    Energies are those of the key ``energy``, forces of the column ``forces`` in eV/A; ``stress`` in eV/A3 has ASE's
    sign (tension positive), ``virial`` in eV that of QUIP and GPUMD (stress = -virial / volume).

    Raises:
        InputError: the file cannot be read, or a frame has no cell, energy or forces.
    """
    if not path.is_file():
        raise InputError(f"{path} is not a file: give frames in the extended XYZ format")
    frames = []
    try:
        for number, atoms in enumerate(ase.io.iread(path, index=":", format="extxyz"), start=1):
            frames.append(_frame(atoms, f"{path}: frame {number}"))
    except InputError:
        raise
    except Exception as error:
        # The reader raises exceptions of many classes on other content.
        raise InputError(
            f"{path} cannot be read after frame {len(frames)} ({first_line(error)}): give the extended XYZ format"
        ) from error
    if not frames:
        raise InputError(f"{path} holds no frames: give frames in the extended XYZ format")
    return frames


def split(frames: Sequence[LabelledFrame]) -> tuple[list[LabelledFrame], list[LabelledFrame]]:
    """Return the frames to learn from and those held out: the last fifth of each block.

    A block is an unbroken sequence of frames of one formula. Neighbouring frames of a run are nearly the same, so no
    frame is chosen by itself; blocks of fewer than five frames are learned from whole.

    Raises:
        InputError: no block has five frames.
    """
    training: list[LabelledFrame] = []
    held_out: list[LabelledFrame] = []
    for _, members in groupby(frames, key=lambda frame: frame.group):
        block = list(members)
        kept = len(block) - len(block) // HELD_OUT_SHARE
        training += block[:kept]
        held_out += block[kept:]
    if not held_out:
        raise InputError(f"no {HELD_OUT_SHARE} frames of one formula follow each other: none can be held out")
    return training, held_out


def thinned(frames: Sequence[LabelledFrame], count: int) -> list[LabelledFrame]:
    """Return at most so many frames, evenly from the sequence."""
    places = np.unique(np.linspace(0, len(frames) - 1, min(count, len(frames))).round().astype(int))
    return [frames[place] for place in places]


def _frame(atoms: Atoms, place: str) -> LabelledFrame:
    if not atoms.pbc.all() or atoms.cell.rank < len(atoms.pbc):
        raise InputError(f"{place} is not periodic in three directions: give periodic cells")
    results = {} if atoms.calc is None else atoms.calc.results
    energy, forces = results.get("energy"), results.get("forces")
    if energy is None or forces is None:
        raise InputError(f"{place} has no {'energy' if energy is None else 'forces'}: write them as energy= and forces")
    if not (np.isfinite(energy) and np.isfinite(forces).all() and np.abs(forces).max() < LARGEST_FORCE_eV_PER_A):
        raise InputError(f"{place} has an energy or force that is impossible: remove the frame")
    return LabelledFrame(
        system=AtomicSystem(atoms.numbers, atoms.positions, atoms.cell.array),
        energy_eV=float(energy),
        forces_eV_per_A=np.asarray(forces, dtype=np.float64),
        stress_eV_per_A3=_stress(atoms, place),
        group=atoms.get_chemical_formula(),
    )


def _stress(atoms: Atoms, place: str) -> FloatArray | None:
    stress = atoms.calc.results.get("stress")
    if stress is not None:
        values = np.asarray(stress, dtype=np.float64)
        return values if values.shape == (3, 3) else np.asarray(voigt_6_to_full_3x3_stress(values))
    if "virial" not in atoms.info:
        return None
    values = np.asarray(atoms.info["virial"], dtype=np.float64)
    if values.size != 9:  # noqa: PLR2004 - a matrix of three by three
        raise InputError(f"{place} has a virial of {values.size} numbers, not nine: correct it")
    matrix = values.reshape(3, 3)
    tensor: FloatArray = -0.5 * (matrix + matrix.T) / atoms.get_volume()
    return tensor
