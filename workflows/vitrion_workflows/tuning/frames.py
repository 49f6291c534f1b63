"""Frames to learn from: structures with the energy, forces and stress of a reference."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vitrion_models.constants import GPA_PER_eV_A3
from vitrion_models.system import AtomicSystem, FloatArray
from vitrion_workflows.potentials import ForceField


@dataclass(frozen=True, eq=False)
class LabelledFrame:
    """One structure of N atoms with what a reference says of it.

    Attributes:
        system: the structure.
        energy_eV: potential energy of the cell.
        forces_eV_per_A: shape (N, 3).
        stress_eV_per_A3: tension positive, shape (3, 3); None where the reference gives none.
        group: trajectory or block from which it is; frames of one group are never split.
    """

    system: AtomicSystem
    energy_eV: float
    forces_eV_per_A: FloatArray
    stress_eV_per_A3: FloatArray | None
    group: str

    @property
    def pressure_GPa(self) -> float | None:
        """Return the static pressure; None where there is no stress."""
        return None if self.stress_eV_per_A3 is None else -float(np.trace(self.stress_eV_per_A3)) / 3 * GPA_PER_eV_A3


def label(systems: Sequence[AtomicSystem], reference: ForceField, *, group: str) -> list[LabelledFrame]:
    """Evaluate structures by a reference potential."""
    frames = []
    for system in systems:
        result = reference.evaluate(system, stress=True)
        frames.append(
            LabelledFrame(system, result.energy_eV, result.forces_eV_per_A, result.stress_eV_per_A3, group)
        )
    return frames
