"""Unwrapping of coordinates, and displacements free of drift."""

import numpy as np
from ase.geometry import minkowski_reduce
from numpy.typing import NDArray

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray

# A step of half a cell cannot be distinguished from its mirror image; from here on the unwrapping is ambiguous.
LARGEST_FRACTIONAL_STEP = 0.45
# Unwrapped paths of 47 sound runs of small cells, frames 100 fs apart, step up to 0.77 of a cell; an atom that is put
# back into the cell steps by one less its own motion, and some atom by 0.99.
WRAPPED_STEP = 0.85


def mean_cell(lattices_A: FloatArray) -> FloatArray:
    """Return the mean lattice vectors in Angstrom, shape (3, 3).

    Args:
        lattices_A: lattice vectors as rows, shape (3, 3), or (F, 3, 3) for a changing cell.
    """
    mean: FloatArray = lattices_A.reshape(-1, *lattices_A.shape[-2:]).mean(axis=0)
    return mean


def compact_cell(lattice_A: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Reduce a lattice to its most compact vectors (Minkowski), in which half a cell is as far as it can be.

    In a strongly tilted cell short steps are long in units of its own vectors, and rounding them leads to another
    image.

    Args:
        lattice_A: lattice vectors as rows, shape (3, 3).

    Returns:
        The compact vectors as rows in Angstrom, and the integer matrix that fractional coordinates are multiplied with
        from the right to refer to them; both of shape (3, 3).
    """
    compact, rows = minkowski_reduce(lattice_A)
    into_compact: FloatArray = np.round(np.linalg.inv(rows)).astype(np.float64)
    return np.asarray(compact, dtype=np.float64), into_compact


def unwrap(fractional: FloatArray, lattice_A: FloatArray) -> FloatArray:
    """Compute continuous Cartesian positions from fractional coordinates that may jump across the cell.

    Each step is replaced by its minimum image, s - round(s) with s the difference of fractional coordinates in the most
    compact cell of the same lattice. That is right as long as no atom moves half of that between two frames. For a
    changing cell the fractional path is unwrapped and then mapped through the mean cell, so that volume fluctuations do
    not count as diffusion.

    Args:
        fractional: shape (F, N, 3), wrapped or not.
        lattice_A: lattice vectors as rows, shape (3, 3), or (F, 3, 3) for a changing cell.

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
            f"atom {atom} moves {largest:.2f} of a cell vector between frames {frame} and {frame + 1}, so its path "
            "cannot be unwrapped: store frames more often or give unwrapped coordinates",
        )
    path = np.concatenate([compact[:1], compact[:1] + np.cumsum(steps, axis=0)])
    positions: FloatArray = path @ np.linalg.inv(into_compact) @ cell
    return positions


def largest_fractional_step(positions_A: FloatArray, lattice_A: FloatArray) -> float:
    """Return the longest step between consecutive frames in units of the cell vectors.

    Unwrapped paths of coarse frames may step by more than half a cell; from `WRAPPED_STEP` on, positions must have
    jumped across it. The cell is the most compact one of the same lattice, so that the choice of vectors does not
    matter.

    Args:
        positions_A: shape (F, N, 3).
        lattice_A: lattice vectors as rows, shape (3, 3).
    """
    compact_A, _ = compact_cell(lattice_A)
    return float(np.abs(np.diff(positions_A, axis=0) @ np.linalg.inv(compact_A)).max())


def centre_of_mass(positions_A: FloatArray, masses_u: FloatArray) -> FloatArray:
    """Return the path of the centre of mass relative to its start in Angstrom, shape (F, 3).

    Args:
        positions_A: unwrapped positions, shape (F, N, 3).
        masses_u: shape (N,).
    """
    path = np.einsum("fnd,n->fd", positions_A, masses_u) / masses_u.sum()
    relative: FloatArray = path - path[0]
    return relative


def remove_drift(
    positions_A: FloatArray, masses_u: FloatArray, *, atoms: NDArray[np.bool_] | None = None
) -> FloatArray:
    """Compute displacements from the first frame relative to the centre of mass.

    Args:
        positions_A: unwrapped positions of all atoms, shape (F, N, 3).
        masses_u: shape (N,).
        atoms: mask of the atoms whose centre of mass is the reference, shape (N,); all when None, whose momentum
            molecular dynamics conserves.

    Returns:
        Displacements in Angstrom, shape (F, N, 3), zero in the first frame.
    """
    mask = np.ones(len(masses_u), dtype=bool) if atoms is None else np.asarray(atoms, dtype=bool)
    drift = centre_of_mass(positions_A[:, mask], masses_u[mask])
    displacements: FloatArray = positions_A - positions_A[0] - drift[:, None, :]
    return displacements
