"""Frames to learn from: structures with the energy, forces and stress of a reference."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vitrion_models.files import whole_file
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.dynamics.errors import StoppedError
from vitrion_workflows.dynamics.stage import NO_CALLBACKS, Callbacks
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.potentials.force_field import static_pressure_GPa


@dataclass(frozen=True, eq=False)
class LabelledFrame:
    """One structure of N atoms with the result of a reference for it.

    Attributes:
        system: the structure.
        energy_eV: potential energy of the cell.
        forces_eV_per_A: shape (N, 3).
        stress_eV_per_A3: tension positive, shape (3, 3); None where the reference gives none.
        group: composition, or block of a file, to which it belongs.
    """

    system: AtomicSystem
    energy_eV: float
    forces_eV_per_A: FloatArray
    stress_eV_per_A3: FloatArray | None
    group: str

    @property
    def pressure_GPa(self) -> float | None:
        """Return the static pressure; None where there is no stress."""
        return None if self.stress_eV_per_A3 is None else static_pressure_GPa(self.stress_eV_per_A3)


def label(
    systems: Iterable[tuple[str, AtomicSystem]], reference: ForceField, *, callbacks: Callbacks = NO_CALLBACKS
) -> list[LabelledFrame]:
    """Evaluate structures, each with its group, by a reference potential.

    Raises:
        StoppedError: a callback stopped it.
    """
    pending, frames = list(systems), []
    for group, system in pending:
        result = reference.evaluate(system, stress=True)
        frames.append(LabelledFrame(system, result.energy_eV, result.forces_eV_per_A, result.stress_eV_per_A3, group))
        callbacks.on_progress(f"frames by {reference.name}", len(frames), len(pending))
        if callbacks.should_stop():
            raise StoppedError(f"stopped after {len(frames)} of {len(pending)} frames by {reference.name}")
    return frames


def write_frames(frames: Sequence[LabelledFrame], path: Path) -> None:
    """Write frames as an NPZ file, whole or not at all."""
    unknown = np.full((3, 3), np.nan)
    stresses = [unknown if frame.stress_eV_per_A3 is None else frame.stress_eV_per_A3 for frame in frames]
    with whole_file(path) as partial, partial.open("wb") as stream:
        np.savez(
            stream,
            counts=np.array([len(frame.system) for frame in frames]),
            numbers=np.concatenate([frame.system.numbers for frame in frames]),
            positions_A=np.concatenate([frame.system.positions_A for frame in frames]),
            lattices_A=np.array([frame.system.lattice_A for frame in frames]),
            energies_eV=np.array([frame.energy_eV for frame in frames]),
            forces_eV_per_A=np.concatenate([frame.forces_eV_per_A for frame in frames]),
            stresses_eV_per_A3=np.array(stresses),
            groups=np.array([frame.group for frame in frames]),
        )


def read_frames(path: Path) -> list[LabelledFrame]:
    """Read frames that `write_frames` wrote."""
    with np.load(path, allow_pickle=False) as arrays:
        ends = np.cumsum(arrays["counts"])[:-1]
        by_frame = zip(
            np.split(arrays["numbers"], ends),
            np.split(arrays["positions_A"], ends),
            arrays["lattices_A"],
            arrays["energies_eV"].tolist(),
            np.split(arrays["forces_eV_per_A"], ends),
            arrays["stresses_eV_per_A3"],
            arrays["groups"].tolist(),
            strict=True,
        )
        return [
            LabelledFrame(
                AtomicSystem(numbers, positions, lattice),
                energy,
                forces,
                None if np.isnan(stress).any() else stress,
                group,
            )
            for numbers, positions, lattice, energy, forces, stress, group in by_frame
        ]
