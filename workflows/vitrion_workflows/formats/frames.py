"""Frames as files hold them: fractional coordinates and cells of one set of atoms."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray

FEWEST_FRAMES = 2
INTERVAL_TOLERANCE = 1e-3
SMALLEST_VOLUME_A3 = 1e-3


@dataclass(frozen=True, eq=False, kw_only=True)
class FractionalFrames:
    """Frames of one set of atoms.

    Attributes:
        numbers: atomic numbers, shape (N,).
        fractional: fractional coordinates, shape (F, N, 3).
        lattices_A: lattice vectors as rows, shape (F, 3, 3).
        unwrapped: whether coordinates continue across the cell's faces.
        interval_ps: between frames; None where the file does not state it.
        velocities_A_per_ps: shape (F, N, 3); None where not stored.
        temperatures_K: kinetic temperature, shape (F,); None where not stored.
        potential_energies_eV: shape (F,); None where not stored.
        masses_u: shape (N,); None for standard weights.
    """

    numbers: IntArray
    fractional: FloatArray
    lattices_A: FloatArray
    unwrapped: bool = False
    interval_ps: float | None = None
    velocities_A_per_ps: FloatArray | None = None
    temperatures_K: FloatArray | None = None
    potential_energies_eV: FloatArray | None = None
    masses_u: FloatArray | None = None


def check_coordinates(coordinates: FloatArray, lattices_A: FloatArray) -> None:
    """Refuse coordinates, shape (F, N, 3), or lattice vectors, shape (..., 3, 3), that cannot be analysed.

    Raises:
        InputError: one frame, numbers that are not finite, or no cell.
    """
    if len(coordinates) < FEWEST_FRAMES:
        raise InputError(f"a trajectory needs two frames or more, not {len(coordinates)}")
    if not (np.isfinite(coordinates).all() and np.isfinite(lattices_A).all()):
        raise InputError("coordinates or lattice vectors are not finite: store the trajectory again")
    if np.abs(np.linalg.det(lattices_A)).min() < SMALLEST_VOLUME_A3:
        raise InputError("no cell: store the lattice vectors with the trajectory")
