"""The one array form of a periodic cell that every model and every engine shares."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrion_models.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

HEAVIEST_ELEMENT = 118
SMALLEST_VOLUME_A3 = 1e-3


@dataclass(frozen=True, eq=False)
class AtomicSystem:
    """A cell of atoms, periodic along all three lattice vectors.

    Attributes:
        numbers: atomic numbers, shape (N,).
        positions_A: Cartesian positions in Angstrom, shape (N, 3); not necessarily inside the cell.
        lattice_A: lattice vectors as rows, in Angstrom, shape (3, 3).
    """

    numbers: IntArray
    positions_A: FloatArray
    lattice_A: FloatArray

    def __post_init__(self) -> None:
        """Bring the arrays to their types and refuse what is no cell.

        Raises:
            InputError: empty, wrong shapes, non-finite coordinates, unknown element or a lattice without volume.
        """
        numbers = np.asarray(self.numbers, dtype=np.int64)
        positions = np.asarray(self.positions_A, dtype=np.float64)
        lattice = np.asarray(self.lattice_A, dtype=np.float64)
        if numbers.ndim != 1 or len(numbers) == 0:
            raise InputError("a cell needs at least one atom: give atomic numbers of shape (N,)")
        if positions.shape != (len(numbers), 3) or lattice.shape != (3, 3):
            raise InputError(
                f"positions must be ({len(numbers)}, 3), the lattice (3, 3); not {positions.shape}, {lattice.shape}",
            )
        if not (np.isfinite(positions).all() and np.isfinite(lattice).all()):
            raise InputError("coordinates or lattice vectors are not finite numbers")
        if numbers.min() < 1 or numbers.max() > HEAVIEST_ELEMENT:
            raise InputError(f"atomic numbers must lie between 1 and {HEAVIEST_ELEMENT}")
        if abs(np.linalg.det(lattice)) < SMALLEST_VOLUME_A3:
            raise InputError("the lattice vectors enclose no volume")
        object.__setattr__(self, "numbers", numbers)
        object.__setattr__(self, "positions_A", positions)
        object.__setattr__(self, "lattice_A", lattice)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def volume_A3(self) -> float:
        """Volume of the cell in cubic Angstrom."""
        return float(abs(np.linalg.det(self.lattice_A)))

    @property
    def heights_A(self) -> FloatArray:
        """Distances between opposite faces of the cell, shape (3,); the least is the diameter of the largest sphere."""
        heights: FloatArray = 1.0 / np.linalg.norm(np.linalg.inv(self.lattice_A), axis=0)
        return heights

    @property
    def fractional(self) -> FloatArray:
        """Fractional coordinates wrapped into [0, 1), shape (N, 3)."""
        wrapped: FloatArray = np.mod(self.positions_A @ np.linalg.inv(self.lattice_A), 1.0)
        return wrapped
