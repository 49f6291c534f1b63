"""What every potential offers: energy, forces and stress of a periodic cell, and the identity of its weights."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ForceResult:
    """Outcome of one evaluation.

    Attributes:
        energy_eV: potential energy of the cell.
        forces_eV_per_A: minus its gradient with respect to the positions, shape (N, 3).
        stress_eV_per_A3: its derivative with respect to strain over the volume, shape (3, 3), tension positive
            (ASE's sign; pressure = -trace / 3), or None where it was not asked for.
    """

    energy_eV: float
    forces_eV_per_A: FloatArray
    stress_eV_per_A3: FloatArray | None = None


class ForceField(ABC):
    """A loaded potential.

    Forces are a pure function of the cell: nothing is remembered between calls, so that a run that goes on from a
    checkpoint is bitwise the run that was never interrupted.

    Attributes:
        name: registry name, as given to `vitrion_workflows.potentials.load`.
        version: version of the potential or of the package that carries it.
        weights_sha256: sha256 of the weights, in hexadecimal.
        elements: chemical symbols it was trained on.
    """

    def __init__(self, *, name: str, version: str, weights_sha256: str, elements: frozenset[str]) -> None:
        self.name = name
        self.version = version
        self.weights_sha256 = weights_sha256
        self.elements = elements
        self._covered = np.zeros(len(chemical_symbols), dtype=bool)
        self._covered[[atomic_numbers[symbol] for symbol in elements]] = True

    def require_elements(self, numbers: IntArray) -> None:
        """Refuse a cell that holds elements the potential does not know.

        Raises:
            InputError: naming them.
        """
        if not self._covered[numbers].all():
            missing = sorted({chemical_symbols[number] for number in numbers if not self._covered[number]})
            raise InputError(
                f"potential {self.name} does not cover {', '.join(missing)}: choose another (vitrion potentials list)",
            )

    def evaluate(self, system: AtomicSystem, *, stress: bool = False) -> ForceResult:
        """Energy, forces and, where asked for, stress of a cell.

        Raises:
            InputError: the cell holds an element outside the coverage.
        """
        self.require_elements(system.numbers)
        return self.compute(system.numbers, system.positions_A, system.lattice_A, stress=stress)

    @abstractmethod
    def compute(
        self,
        numbers: IntArray,
        positions_A: FloatArray,
        lattice_A: FloatArray,
        *,
        stress: bool = False,
    ) -> ForceResult:
        """Same as `evaluate` on bare arrays that were checked before: what an engine calls at each step.

        Args:
            numbers: atomic numbers, shape (N,), all covered.
            positions_A: Cartesian positions, shape (N, 3), not necessarily inside the cell.
            lattice_A: lattice vectors as rows, shape (3, 3).
            stress: whether the stress is wanted.
        """


def wrapped(positions_A: FloatArray, lattice_A: FloatArray) -> FloatArray:
    """Positions moved by whole lattice vectors into the cell, shape (N, 3).

    Neighbour searches slow down, or lose digits, for atoms that have diffused many cells away.
    """
    shifts = np.floor(positions_A @ np.linalg.inv(lattice_A))
    inside: FloatArray = positions_A - shifts @ lattice_A
    return inside
