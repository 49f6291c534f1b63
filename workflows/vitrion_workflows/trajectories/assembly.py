"""Assembly of frames into a trajectory: continuous positions, one cell, one frame interval."""

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import INTERVAL_TOLERANCE, FractionalFrames, check_coordinates
from vitrion_workflows.trajectories.displacements import WRAPPED_STEP, largest_fractional_step, mean_cell, unwrap
from vitrion_workflows.trajectories.trajectory import Trajectory

ROUNDING = 1e-3  # of coordinates in a file, as a share of the cell
# A cell at constant pressure fluctuates by some per cent.
LARGEST_VOLUME_RATIO, SMALLEST_VOLUME_RATIO = 2.0, 1e-12


def assemble(frames: FractionalFrames, *, stated_interval_ps: float | None) -> Trajectory:
    """Return frames as a trajectory: unwrapped, a changing cell mapped to its mean.

    Args:
        frames: as a file holds them.
        stated_interval_ps: frame interval given by the user; None where the file holds it.

    Raises:
        InputError: one frame, coordinates that are not finite, no cell, a cell unlike the others, no frame interval
            or two different ones, or steps of half a cell.
    """
    check_coordinates(frames.fractional, frames.lattices_A)
    check_volume_fluctuation(frames.lattices_A)
    fixed = bool((frames.lattices_A == frames.lattices_A[0]).all())
    cells = frames.lattices_A[0] if fixed else frames.lattices_A
    cell = mean_cell(cells)
    return Trajectory(
        numbers=frames.numbers,
        positions_A=frames.fractional @ cell if frames.unwrapped else continuous_positions(frames.fractional, cell),
        lattice_A=cell,
        frame_interval_ps=frame_interval(held=frames.interval_ps, stated=stated_interval_ps),
        temperatures_K=frames.temperatures_K,
        potential_energies_eV=frames.potential_energies_eV,
        masses_u=np.empty(0) if frames.masses_u is None else frames.masses_u,
        velocities_A_per_ps=frames.velocities_A_per_ps,
        volumes_A3=None if fixed else np.abs(np.linalg.det(cells)),
    )


def check_volume_fluctuation(lattices_A: FloatArray) -> None:
    """Refuse cells of which one is unlike the others: a frame in another unit, or a damaged one.

    Args:
        lattices_A: lattice vectors of each frame as rows, shape (F, 3, 3).

    Raises:
        InputError: a volume of half or twice the median.
    """
    volumes = np.abs(np.linalg.det(lattices_A))
    ratios = volumes / np.median(volumes)
    worst = int(np.abs(np.log(np.maximum(ratios, SMALLEST_VOLUME_RATIO))).argmax())
    if not 1 / LARGEST_VOLUME_RATIO < ratios[worst] < LARGEST_VOLUME_RATIO:
        raise InputError(
            f"the cell of frame {worst + 1} has {ratios[worst]:.3g} times the median volume: correct or remove it"
        )


def continuous_positions(fractional: FloatArray, cell_A: FloatArray) -> FloatArray:
    """Return continuous positions in Angstrom, shape (F, N, 3).

    Coordinates that leave the cell and never jump across it are unwrapped already and kept.

    Args:
        fractional: shape (F, N, 3), wrapped or not.
        cell_A: lattice vectors as rows, shape (3, 3); the mean of a changing cell.
    """
    positions: FloatArray = fractional @ cell_A
    inside = np.ptp(fractional, axis=(0, 1)).max() <= 1 + ROUNDING
    if inside or largest_fractional_step(positions, cell_A) > WRAPPED_STEP:
        return unwrap(fractional, cell_A)
    return positions


def frame_interval(*, held: float | None, stated: float | None) -> float:
    """Return the frame interval in ps that a file holds or the user states.

    Raises:
        InputError: neither, or two that differ by more than a thousandth.
    """
    if held is not None and stated is not None and abs(held - stated) > INTERVAL_TOLERANCE * held:
        raise InputError(f"frames are {held:g} ps apart, not {stated:g} ps as stated: leave one of them out")
    interval = stated if held is None else held
    if interval is None:
        raise InputError(
            "the file does not hold its frame interval: state the frame interval in ps by --frame-interval-ps"
        )
    return float(interval)
