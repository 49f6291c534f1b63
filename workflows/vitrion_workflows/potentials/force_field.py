"""Interface of all potentials: energy, forces and stress of periodic cells, and the identity of the weights."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
from ase.data import atomic_numbers, chemical_symbols

from vitrion_models.constants import GPA_PER_eV_A3
from vitrion_models.errors import InputError
from vitrion_models.system import AtomicSystem, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class ForceResult:
    """Result of one evaluation.

    Attributes:
        energy_eV: potential energy of the cell.
        forces_eV_per_A: minus its gradient with respect to the positions, shape (N, 3).
        stress_eV_per_A3: derivative of the energy with respect to strain over the volume, shape (3, 3), tension
            positive (ASE's sign; pressure = -trace / 3); None if it was not computed.
    """

    energy_eV: float
    forces_eV_per_A: FloatArray
    stress_eV_per_A3: FloatArray | None = None

    @property
    def static_pressure_GPa(self) -> float | None:
        """Pressure without that of the motion; None without a stress."""
        return None if self.stress_eV_per_A3 is None else static_pressure_GPa(self.stress_eV_per_A3)


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells of different size with their atoms in sequence; the constants of a run.

    Attributes:
        numbers: atomic numbers of all atoms, shape (A,).
        lattices_A: lattice vectors as rows, shape (C, 3, 3).
        counts: number of atoms of each cell, shape (C,).
    """

    numbers: IntArray
    lattices_A: FloatArray
    counts: IntArray

    @classmethod
    def of(cls, systems: Sequence[AtomicSystem]) -> Self:
        """Concatenate systems.

        Raises:
            InputError: there are none.
        """
        if not systems:
            raise InputError("no cells: give one or more")
        return cls(
            numbers=np.concatenate([system.numbers for system in systems]),
            lattices_A=np.array([system.lattice_A for system in systems]),
            counts=np.array([len(system) for system in systems]),
        )

    def __len__(self) -> int:
        return len(self.counts)

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Return the slice of the atoms of each cell."""
        ends = np.cumsum(self.counts).tolist()
        return tuple(slice(start, end) for start, end in zip([0, *ends], ends, strict=False))

    @cached_property
    def starts(self) -> IntArray:
        """Return the first atom of each cell, shape (C,)."""
        return np.cumsum(self.counts) - self.counts

    @cached_property
    def owners(self) -> IntArray:
        """Return the cell of each atom, shape (A,)."""
        return np.repeat(np.arange(len(self.counts)), self.counts)

    @cached_property
    def inverses(self) -> FloatArray:
        """Return the inverse of each matrix of lattice vectors in 1/A, shape (C, 3, 3)."""
        return np.linalg.inv(self.lattices_A).astype(np.float64, copy=False)

    def wrapped(self, positions_A: FloatArray) -> FloatArray:
        """Move positions, shape (A, 3), by lattice vectors into their cells, bitwise as the function `wrapped`."""
        inside = np.empty_like(positions_A)
        for atoms, inverse, lattice in zip(self.slices, self.inverses, self.lattices_A, strict=True):
            part = positions_A[atoms]
            inside[atoms] = part - np.floor(part @ inverse) @ lattice
        return inside


@dataclass(frozen=True, eq=False)
class BatchForces:
    """Result of one evaluation of several cells.

    Attributes:
        energies_eV: potential energy of each cell, shape (C,).
        forces_eV_per_A: minus the gradient with respect to the positions, shape (A, 3).
    """

    energies_eV: FloatArray
    forces_eV_per_A: FloatArray


class ForceField(ABC):
    """A loaded potential.

    Forces are a pure function of the cell: nothing that is kept between calls to save time (a neighbour list with a
    skin) may change a single bit of them, so that a run that continues from a checkpoint is identical to one that was
    never interrupted. On a CPU the forces of a cell are also bitwise the same alone and in a batch.

    Attributes:
        name: registry name, as given to `vitrion_workflows.potentials.load`.
        version: version of the potential or of the package that carries it.
        weights_sha256: sha256 of the weights in hexadecimal.
        elements: chemical symbols covered.
        device: device on which it runs: ``cpu``, ``cuda`` or ``cuda:1``; its identity does not depend on it.
    """

    device = "cpu"

    def __init__(self, *, name: str, version: str, weights_sha256: str, elements: frozenset[str]) -> None:
        self.name = name
        self.version = version
        self.weights_sha256 = weights_sha256
        self.elements = elements
        self._covered = np.zeros(len(chemical_symbols), dtype=bool)
        self._covered[[atomic_numbers[symbol] for symbol in elements]] = True

    def require_elements(self, numbers: IntArray) -> None:
        """Refuse a cell with elements that the potential does not cover.

        Args:
            numbers: atomic numbers, shape (N,).

        Raises:
            InputError: an element is not covered.
        """
        if not self._covered[numbers].all():
            missing = sorted({chemical_symbols[number] for number in numbers if not self._covered[number]})
            raise InputError(
                f"potential {self.name} does not cover {', '.join(missing)}: choose another (vitrion potentials list)",
            )

    def evaluate(self, system: AtomicSystem, *, stress: bool = False) -> ForceResult:
        """Evaluate energy, forces and optionally stress of a cell.

        Raises:
            InputError: the cell contains an element outside the coverage.
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
        """Evaluate arrays that were checked before, at each step of a run.

        Args:
            numbers: atomic numbers, shape (N,), all covered.
            positions_A: Cartesian positions, shape (N, 3), not necessarily inside the cell.
            lattice_A: lattice vectors as rows, shape (3, 3).
            stress: compute the stress.
        """

    def compute_batch(self, cells: Cells, positions_A: FloatArray) -> BatchForces:
        """Evaluate energies and forces of several cells that were checked before; by default one after the other.

        Args:
            cells: the constants of the cells.
            positions_A: Cartesian positions of all atoms, shape (A, 3).
        """
        results = [
            self.compute(cells.numbers[atoms], positions_A[atoms], lattice)
            for atoms, lattice in zip(cells.slices, cells.lattices_A, strict=True)
        ]
        return BatchForces(
            energies_eV=np.array([result.energy_eV for result in results]),
            forces_eV_per_A=np.concatenate([result.forces_eV_per_A for result in results]),
        )


def static_pressure_GPa(stress_eV_per_A3: FloatArray) -> float:
    """Return the pressure of a stress tensor, tension positive, shape (3, 3): minus a third of its trace."""
    return -float(np.trace(stress_eV_per_A3)) / 3.0 * GPA_PER_eV_A3


def wrapped(positions_A: FloatArray, lattice_A: FloatArray) -> FloatArray:
    """Move positions by lattice vectors into the cell, shape (N, 3).

    Neighbour searches slow down, or lose digits, for atoms that have diffused many cells away.

    Args:
        positions_A: Cartesian positions, shape (N, 3).
        lattice_A: lattice vectors as rows, shape (3, 3).
    """
    shifts = np.floor(positions_A @ np.linalg.inv(lattice_A))
    inside: FloatArray = positions_A - shifts @ lattice_A
    return inside
