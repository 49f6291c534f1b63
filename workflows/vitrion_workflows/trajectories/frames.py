"""Frames as files hold them: fractional coordinates and cells, assembled into a trajectory."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.trajectories.displacements import WRAPPED_STEP, largest_fractional_step, mean_cell, unwrap
from vitrion_workflows.trajectories.trajectory import FEWEST_FRAMES, Trajectory

INTERVAL_TOLERANCE = 1e-3
SMALLEST_VOLUME_A3 = 1e-3
ROUNDING = 1e-3  # of coordinates in a file, as a share of the cell
# A cell at constant pressure fluctuates by some per cent.
LARGEST_VOLUME_RATIO, SMALLEST_VOLUME_RATIO = 2.0, 1e-12


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

    def trajectory(self, *, stated_interval_ps: float | None) -> Trajectory:
        """Unwrap the frames and map a changing cell to its mean.

        Args:
            stated_interval_ps: frame interval given by the user; None where the file holds it.

        Raises:
            InputError: one frame, coordinates that are not finite, no cell, a cell unlike the others, no frame interval
                or two different ones, or steps of half a cell.
        """
        check_coordinates(self.fractional, self.lattices_A)
        check_volume_fluctuation(self.lattices_A)
        fixed = bool((self.lattices_A == self.lattices_A[0]).all())
        cells = self.lattices_A[0] if fixed else self.lattices_A
        cell = mean_cell(cells)
        return Trajectory(
            numbers=self.numbers,
            positions_A=self.fractional @ cell if self.unwrapped else continuous_positions(self.fractional, cell),
            lattice_A=cell,
            frame_interval_ps=frame_interval(held=self.interval_ps, stated=stated_interval_ps),
            temperatures_K=self.temperatures_K,
            potential_energies_eV=self.potential_energies_eV,
            masses_u=np.empty(0) if self.masses_u is None else self.masses_u,
            velocities_A_per_ps=self.velocities_A_per_ps,
            volumes_A3=None if fixed else np.abs(np.linalg.det(cells)),
        )


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
