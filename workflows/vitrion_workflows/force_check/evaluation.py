"""Frames of a run, or a cell, evaluated by a production and a reference potential."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.graphs.neighbours import NeighbourList
from vitrion_models.system import AtomicSystem, FloatArray, IntArray
from vitrion_workflows.potentials import ForceField, ForceResult
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.equilibration import equilibration_of


@dataclass(frozen=True, eq=False)
class EvaluatedFrames:
    """Energies, forces and pressures of the same frames by two potentials.

    Attributes:
        frames: index of each frame in its run, shape (F,).
        numbers: atomic numbers, shape (N,).
        positions_A: shape (F, N, 3).
        lattice_A: lattice vectors as rows, shape (3, 3).
        forces_eV_per_A: by the production potential, shape (F, N, 3).
        reference_eV_per_A: forces by the reference potential, shape (F, N, 3).
        energy_residuals_eV_per_atom: production minus reference, shape (F,).
        pressure_differences_GPa: production minus reference, shape (F,); None where a potential gives no stress.
    """

    frames: IntArray
    numbers: IntArray
    positions_A: FloatArray
    lattice_A: FloatArray
    forces_eV_per_A: FloatArray
    reference_eV_per_A: FloatArray
    energy_residuals_eV_per_atom: FloatArray
    pressure_differences_GPa: FloatArray | None

    def __len__(self) -> int:
        return len(self.frames)


def frames_to_check(trajectory: Trajectory, count: int) -> IntArray:
    """Return the indices of frames after equilibration, as far apart as the run allows, the last among them.

    Args:
        trajectory: the run.
        count: number of frames; all frames where there are no more.
    """
    first = equilibration_of(trajectory).frames
    last = len(trajectory) - 1
    # The first one a whole interval after equilibration, so that it is as good as the others.
    frames = np.unique(np.linspace(first, last, count + 1).round().astype(np.int64)[1:])
    return np.asarray(frames)


def evaluate_run(
    trajectory: Trajectory, *, production: ForceField, reference: ForceField, count: int
) -> EvaluatedFrames:
    """Evaluate frames of a run by two potentials.

    Args:
        trajectory: the run.
        production: potential that made it.
        reference: potential to compare with.
        count: number of frames.

    Raises:
        InputError: a potential does not cover an element.
    """
    frames = frames_to_check(trajectory, count)
    systems = [
        AtomicSystem(trajectory.numbers, trajectory.positions_A[frame], trajectory.lattice_A) for frame in frames
    ]
    return evaluate_systems(systems, frames=frames, production=production, reference=reference)


def evaluate_systems(
    systems: Sequence[AtomicSystem], *, frames: IntArray, production: ForceField, reference: ForceField
) -> EvaluatedFrames:
    """Evaluate cells of the same atoms and lattice by two potentials; see `evaluate_run`."""
    ours = [production.evaluate(system, stress=True) for system in systems]
    theirs = [reference.evaluate(system, stress=True) for system in systems]
    pairs = list(zip(ours, theirs, strict=True))
    first = systems[0]
    return EvaluatedFrames(
        frames=frames,
        numbers=first.numbers,
        positions_A=np.array([system.positions_A for system in systems]),
        lattice_A=first.lattice_A,
        forces_eV_per_A=np.array([result.forces_eV_per_A for result in ours]),
        reference_eV_per_A=np.array([result.forces_eV_per_A for result in theirs]),
        energy_residuals_eV_per_atom=np.array([(a.energy_eV - b.energy_eV) / len(first) for a, b in pairs]),
        pressure_differences_GPa=_pressure_differences(pairs),
    )


def repulsion(pairs: NeighbourList, forces_eV_per_A: FloatArray) -> FloatArray:
    """Return the relative force along each pair, half the difference of its two forces; positive drives it apart.

    Args:
        pairs: E pairs of atoms.
        forces_eV_per_A: shape (N, 3).

    Returns:
        In eV/A, shape (E,).
    """
    first, second = pairs.edge_index
    along = (forces_eV_per_A[second] - forces_eV_per_A[first]) * pairs.vectors_A
    halved: FloatArray = along.sum(axis=1) / pairs.distances_A / 2.0
    return halved


def _pressure_differences(pairs: Sequence[tuple[ForceResult, ForceResult]]) -> FloatArray | None:
    differences = [
        ours.static_pressure_GPa - theirs.static_pressure_GPa
        for ours, theirs in pairs
        if ours.static_pressure_GPa is not None and theirs.static_pressure_GPa is not None
    ]
    return np.array(differences) if len(differences) == len(pairs) else None
