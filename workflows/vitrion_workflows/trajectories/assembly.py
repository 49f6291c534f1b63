"""Assembly of frames into a trajectory: continuous positions, one cell, one frame interval."""

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import FEWEST_FRAMES, FrameFile
from vitrion_workflows.trajectories.clock import INTERVAL_TOLERANCE, check_steps, spacing_of
from vitrion_workflows.trajectories.displacements import (
    WRAPPED_STEP,
    frame_blocks,
    largest_fractional_step,
    mean_cell,
    unwrap_in_place,
)
from vitrion_workflows.trajectories.recording import Recording, record
from vitrion_workflows.trajectories.trajectory import Trajectory

ROUNDING = 1e-3  # of coordinates in a file, as a share of the cell
# A cell at constant pressure fluctuates by some per cent.
LARGEST_VOLUME_RATIO, SMALLEST_VOLUME_RATIO = 2.0, 1e-12


def assemble(
    file: FrameFile, *, stated_interval_ps: float | None, source: str = "", is_continuous: bool = False
) -> Trajectory:
    """Return frames as a trajectory: unwrapped, a changing cell mapped to its mean.

    Memory: the positions, in double precision, and some frames.

    Args:
        file: frames and what holds for all of them.
        stated_interval_ps: frame interval given by the user; None where the file holds it.
        source: name of the trajectory, for messages.
        is_continuous: positions are known to be continuous, and kept as they are.

    Raises:
        InputError: one frame, atoms that change, a frame that is not a periodic cell of atoms at finite coordinates, a
            cell unlike the others, no frame interval or two different ones, or steps of half a cell.
    """
    recording = record(file)
    if len(recording.lattices_A) < FEWEST_FRAMES:
        raise InputError(f"a trajectory needs two frames or more, not {len(recording.lattices_A)}")
    cells = recording.lattices_A
    fixed = bool((cells == cells[0]).all())
    if not fixed:
        check_volume_fluctuation(cells)
    check_steps(recording.steps, start_again=file.steps_start_again)
    held = spacing_of(recording) if file.interval_ps is None else file.interval_ps
    return Trajectory(
        numbers=recording.numbers,
        positions_A=_continuous(recording, cells[0] if fixed else cells, is_continuous=is_continuous),
        lattice_A=cells[0] if fixed else mean_cell(cells),
        frame_interval_ps=frame_interval(held=held, stated=stated_interval_ps),
        temperatures_K=recording.series["temperature_K"],
        potential_energies_eV=recording.series["potential_energy_eV"],
        masses_u=np.empty(0) if recording.masses_u is None else recording.masses_u,
        source=source,
        velocities_A_per_ps=recording.velocities_A_per_ps,
        set_temperature_K=file.set_temperature_K,
        thermostat=file.thermostat,
        friction_per_ps=file.friction_per_ps,
        volumes_A3=recording.series["volume_A3"] if fixed else np.abs(np.linalg.det(cells)),
        remarks=tuple(file.remarks),
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


def _continuous(recording: Recording, cells: FloatArray, *, is_continuous: bool) -> FloatArray:
    """Return continuous positions in Angstrom, shape (F, N, 3), in the memory of the recorded coordinates."""
    coordinates, cell = recording.coordinates, mean_cell(cells)
    keeps_path = is_continuous or recording.unwrapped
    if not recording.scaled and keeps_path and cells is not recording.lattices_A:
        return coordinates
    if not recording.scaled:
        inverse = np.linalg.inv(cells)
        for block in frame_blocks(coordinates):
            coordinates[block] = coordinates[block] @ (inverse if inverse.ndim == cell.ndim else inverse[block])
    if not keeps_path and _jumps(coordinates, cell):
        unwrap_in_place(coordinates, cell)
        return coordinates
    for block in frame_blocks(coordinates):
        coordinates[block] = coordinates[block] @ cell
    return coordinates


def _jumps(fractional: FloatArray, cell_A: FloatArray) -> bool:
    """Return True for coordinates that jump across the cell, or stay inside of it.

    Coordinates that leave the cell and never jump across it are unwrapped already and kept.
    """
    inside = (fractional.max(axis=(0, 1)) - fractional.min(axis=(0, 1))).max() <= 1 + ROUNDING
    return bool(inside) or largest_fractional_step(fractional, cell_A, scaled=True) > WRAPPED_STEP


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
