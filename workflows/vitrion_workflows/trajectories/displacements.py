"""Unwrapping of coordinates, and displacements free of drift."""

from collections.abc import Iterator

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
BLOCK_BYTES = 4 << 20  # of frames that are worked on at once


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
    positions: FloatArray = np.array(fractional, dtype=np.float64)
    unwrap_in_place(positions, mean_cell(lattice_A))
    return positions


def unwrap_in_place(coordinates: FloatArray, cell_A: FloatArray) -> None:
    """Replace fractional coordinates by continuous Cartesian positions in Angstrom; see `unwrap`.

    Args:
        coordinates: shape (F, N, 3), fractional before and Cartesian after.
        cell_A: lattice vectors as rows, shape (3, 3).

    Raises:
        InputError: an atom moves by nearly half a cell between two frames.
    """
    _, into_compact = compact_cell(cell_A)
    from_compact = np.linalg.inv(into_compact)
    first = last = coordinates[0] @ into_compact
    moved = np.zeros_like(first)
    for block in frame_blocks(coordinates):
        compact = coordinates[block] @ into_compact
        steps = np.diff(compact, axis=0, prepend=last[None])
        steps -= np.round(steps)
        if (largest := float(np.abs(steps).max())) > LARGEST_FRACTIONAL_STEP:
            frame, atom, _ = np.unravel_index(int(np.abs(steps).argmax()), steps.shape)
            frame += block.start
            raise InputError(
                f"atom {atom} moves {largest:.2f} of a cell vector between frames {frame - 1} and {frame}, so its path "
                "cannot be unwrapped: store frames more often or give unwrapped coordinates",
            )
        steps[0] += moved
        path = np.cumsum(steps, axis=0)
        moved, last = path[-1].copy(), compact[-1].copy()
        coordinates[block] = (path + first) @ from_compact @ cell_A


def frame_blocks(frames: FloatArray) -> Iterator[slice]:
    """Yield slices of some frames each, so that what is computed from them needs little memory.

    Args:
        frames: shape (F, ...), F > 0.
    """
    at_once = max(1, BLOCK_BYTES // max(1, frames[0].nbytes))
    for start in range(0, len(frames), at_once):
        yield slice(start, min(start + at_once, len(frames)))


def largest_fractional_step(coordinates: FloatArray, lattice_A: FloatArray, *, scaled: bool = False) -> float:
    """Return the longest step between consecutive frames in units of the cell vectors.

    Unwrapped paths of coarse frames may step by more than half a cell; from `WRAPPED_STEP` on, positions must have
    jumped across it. The cell is the most compact one of the same lattice, so that the choice of vectors does not
    matter.

    Args:
        coordinates: shape (F, N, 3), in Angstrom or, if scaled, in units of the lattice vectors.
        lattice_A: lattice vectors as rows, shape (3, 3).
        scaled: the coordinates are fractional.
    """
    compact_A, into_compact = compact_cell(lattice_A)
    into_fractions = into_compact if scaled else np.linalg.inv(compact_A)
    largest = 0.0
    for block in frame_blocks(coordinates):
        steps = np.diff(coordinates[block.start : block.stop + 1], axis=0) @ into_fractions
        largest = max(largest, float(np.abs(steps).max(initial=0.0)))
    return largest


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
