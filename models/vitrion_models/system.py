"""System of atoms: the array form that every model and every engine shares."""

from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrion_models.errors import InputError

FloatArray: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]

HEAVIEST_ELEMENT = 118
SMALLEST_VOLUME_A3 = 1e-3


PERIODIC = (True, True, True)


@dataclass(frozen=True, eq=False)
class AtomicSystem:
    """N atoms in a periodic cell, a slab (two periodic directions) or a molecule (none).

    Attributes:
        numbers: atomic numbers, shape (N,).
        positions_A: Cartesian positions in Angstrom, shape (N, 3); not necessarily inside the cell.
        lattice_A: lattice vectors as rows, in Angstrom, shape (3, 3); rows without periodicity may be zero.
        pbc: periodicity along each lattice vector.
        masses_u: atomic masses, shape (N,); standard weights where not given.
    """

    numbers: IntArray
    positions_A: FloatArray
    lattice_A: FloatArray
    pbc: tuple[bool, bool, bool] = PERIODIC
    masses_u: FloatArray = field(default_factory=lambda: np.empty(0))

    @classmethod
    def molecule(cls, numbers: IntArray, positions_A: FloatArray) -> "AtomicSystem":
        """Return a system without periodicity.

        Args:
            numbers: atomic numbers, shape (N,).
            positions_A: Cartesian positions in Angstrom, shape (N, 3).

        Raises:
            InputError: see `AtomicSystem`.
        """
        return cls(numbers, positions_A, np.zeros((3, 3)), pbc=(False, False, False))

    def __post_init__(self) -> None:
        """Convert the arrays and check them.

        Raises:
            InputError: no atoms, wrong shapes, non-finite coordinates, an unknown element, dependent periodic lattice
                vectors, or masses that are not positive.
        """
        numbers = np.asarray(self.numbers, dtype=np.int64)
        positions = np.asarray(self.positions_A, dtype=np.float64)
        lattice = np.asarray(self.lattice_A, dtype=np.float64)
        pbc = tuple(bool(periodic) for periodic in self.pbc)
        if numbers.ndim != 1 or len(numbers) == 0:
            raise InputError("a system needs at least one atom: give atomic numbers of shape (N,)")
        if positions.shape != (len(numbers), 3) or lattice.shape != (3, 3):
            raise InputError(
                f"positions must be ({len(numbers)}, 3), the lattice (3, 3); not {positions.shape}, {lattice.shape}",
            )
        if len(pbc) != len(PERIODIC):
            raise InputError(f"pbc has {len(pbc)} entries: give three booleans")
        if not (np.isfinite(positions).all() and np.isfinite(lattice).all()):
            raise InputError("coordinates or lattice vectors are not finite numbers")
        if numbers.min() < 1 or numbers.max() > HEAVIEST_ELEMENT:
            raise InputError(f"atomic numbers must lie between 1 and {HEAVIEST_ELEMENT}")
        periodic = lattice[list(pbc)]
        # Length, area or volume of the periodic vectors.
        if np.sqrt(abs(np.linalg.det(periodic @ periodic.T))) < SMALLEST_VOLUME_A3:
            raise InputError("the periodic lattice vectors enclose no volume: give independent ones")
        masses = np.asarray(self.masses_u, dtype=np.float64) if len(self.masses_u) else standard_masses_u(numbers)
        if masses.shape != numbers.shape or not (np.isfinite(masses).all() and masses.min() > 0):
            raise InputError(f"masses must be {len(numbers)} positive numbers in u, one for each atom")
        values = {"numbers": numbers, "positions_A": positions, "lattice_A": lattice, "pbc": pbc, "masses_u": masses}
        for name, value in values.items():
            object.__setattr__(self, name, value)

    def __len__(self) -> int:
        return len(self.numbers)

    @property
    def has_isotopes(self) -> bool:
        """True if the mass of an atom is not the standard weight of its element."""
        return not np.array_equal(self.masses_u, standard_masses_u(self.numbers))

    @property
    def volume_A3(self) -> float:
        """Volume of a fully periodic cell in cubic Angstrom; InputError otherwise."""
        self._require_periodic("volume")
        return float(abs(np.linalg.det(self.lattice_A)))

    @property
    def heights_A(self) -> FloatArray:
        """Distances between opposite faces of a fully periodic cell, Angstrom, shape (3,); InputError otherwise."""
        self._require_periodic("heights")
        heights: FloatArray = 1.0 / np.linalg.norm(np.linalg.inv(self.lattice_A), axis=0)
        return heights

    @property
    def fractional(self) -> FloatArray:
        """Fractional coordinates of a fully periodic cell, wrapped into [0, 1), shape (N, 3); InputError otherwise."""
        self._require_periodic("fractional coordinates")
        wrapped: FloatArray = np.mod(self.positions_A @ np.linalg.inv(self.lattice_A), 1.0)
        return wrapped

    def scaled(self, factor: float) -> "AtomicSystem":
        """Return the system with all lengths multiplied by a factor, fractional coordinates kept."""
        return replace(self, positions_A=self.positions_A * factor, lattice_A=self.lattice_A * factor)

    def _require_periodic(self, quantity: str) -> None:
        if not all(self.pbc):
            raise InputError(f"{quantity} of a system with pbc {self.pbc}: give a fully periodic cell")


def standard_masses_u(numbers: IntArray) -> FloatArray:
    """Return the standard atomic weights (IUPAC 2016, as tabulated by ASE) of atomic numbers in u, shape (N,)."""
    from ase.data import atomic_masses  # noqa: PLC0415 - keeps the import of this module light

    masses: FloatArray = atomic_masses[numbers].astype(np.float64)
    return masses
