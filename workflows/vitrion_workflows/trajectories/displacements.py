"""From wrapped coordinates to drift-corrected displacements."""

import numpy as np
from ase.geometry import minkowski_reduce
from numpy.typing import NDArray

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

# A step of half a cell cannot be told from its mirror image; from here on the unwrapping is a guess.
LARGEST_FRACTIONAL_STEP = 0.45


def mean_cell(lattices_A: FloatArray) -> FloatArray:
    """The cell that paths are mapped to, shape (3, 3).

    Args:
        lattices_A: lattice vectors as rows, shape (3, 3), or (F, 3, 3) for a changing cell.
    """
    one: FloatArray = lattices_A.reshape(-1, *lattices_A.shape[-2:]).mean(axis=0)
    return one


def compact_cell(lattice_A: FloatArray) -> tuple[FloatArray, FloatArray]:
    """The most compact vectors of the same lattice (Minkowski), in which half a cell is as far as it can be.

    Of a strongly tilted cell short steps are long in its own vectors, and rounding them leads to another image.

    Args:
        lattice_A: lattice vectors as rows, shape (3, 3).

    Returns:
        The vectors as rows, and what fractional coordinates in the given ones are to be multiplied with from the right,
        a matrix of whole numbers; both of shape (3, 3).
    """
    compact, rows = minkowski_reduce(lattice_A)
    into_compact: FloatArray = np.round(np.linalg.inv(rows)).astype(np.float64)
    return np.asarray(compact, dtype=np.float64), into_compact


def unwrap(fractional: FloatArray, lattice_A: FloatArray, *, source: str = "trajectory") -> FloatArray:
    """Continuous Cartesian positions from fractional coordinates that may jump across the cell.

    Each step is taken to be its minimum image, s - round(s) with s the difference of fractional coordinates in the most
    compact cell of the same lattice. That is right as long as no atom moves half of that between two frames. For a
    changing cell the fractional path is unwrapped and then mapped through the mean cell, so that breathing of the cell
    is no diffusion.

    Args:
        fractional: shape (F, N, 3), wrapped or not.
        lattice_A: lattice vectors as rows, shape (3, 3), or (F, 3, 3) for a changing cell.
        source: file or run, for messages.

    Returns:
        Positions in Angstrom, shape (F, N, 3), continuous from the first frame on.

    Raises:
        InputError: an atom moves by nearly half a cell between two frames.
    """
    cell = mean_cell(lattice_A)
    _, into_compact = compact_cell(cell)
    compact = fractional @ into_compact
    steps = np.diff(compact, axis=0)
    steps -= np.round(steps)
    if steps.size and (largest := float(np.abs(steps).max())) > LARGEST_FRACTIONAL_STEP:
        frame, atom, _ = np.unravel_index(int(np.abs(steps).argmax()), steps.shape)
        raise InputError(
            f"{source}: atom {atom} moves {largest:.2f} of a cell vector between frames {frame} and {frame + 1}: "
            f"its path cannot be unwrapped, store frames more often or give unwrapped coordinates",
        )
    path = np.concatenate([compact[:1], compact[:1] + np.cumsum(steps, axis=0)])
    positions: FloatArray = path @ np.linalg.inv(into_compact) @ cell
    return positions


def centre_of_mass(positions_A: FloatArray, masses_u: FloatArray) -> FloatArray:
    """Path of the mass-weighted centre of the given atoms relative to its start, shape (F, 3), in Angstrom."""
    path = np.einsum("fnd,n->fd", positions_A, masses_u) / masses_u.sum()
    relative: FloatArray = path - path[0]
    return relative


def remove_drift(
    positions_A: FloatArray, masses_u: FloatArray, *, atoms: NDArray[np.bool_] | None = None
) -> FloatArray:
    """Displacements from the first frame in the frame of the centre of mass.

    Args:
        positions_A: unwrapped positions of all atoms, shape (F, N, 3).
        masses_u: shape (N,).
        atoms: boolean mask of the atoms whose centre of mass is the reference, shape (N,); the whole cell when None,
            which is what molecular dynamics conserves.

    Returns:
        Displacements in Angstrom, shape (F, N, 3), zero in the first frame.
    """
    mask = np.ones(len(masses_u), dtype=bool) if atoms is None else np.asarray(atoms, dtype=bool)
    drift = centre_of_mass(positions_A[:, mask], masses_u[mask])
    displacements: FloatArray = positions_A - positions_A[0] - drift[:, None, :]
    return displacements
