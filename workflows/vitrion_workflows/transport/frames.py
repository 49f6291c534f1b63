"""Motion between neighbouring frames against free flight, and against the size of the cell."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.transport.displacements import compact_cell
from vitrion_workflows.transport.msd import mean_squared_displacements

# k_B in u A^2 / ps^2 / K: 1.380649e-23 J/K over 1.66053906660e-27 kg * (1e2 m/s)^2.
BOLTZMANN_u_A2_PER_PS2_K = 1.380649e-23 / (1.66053906660e-27 * 1e4)


@dataclass(frozen=True)
class SpeciesMotion:
    """Motion of one species between neighbouring frames.

    Attributes:
        number: atomic number.
        atoms: how many of it there are.
        ballistic_ratio: mean squared displacement of one interval over that of free flight, 3 kT/m dt^2.
    """

    number: int
    atoms: int
    ballistic_ratio: float


def species_motion(
    displacements_A: FloatArray,
    numbers: IntArray,
    *,
    masses_u: FloatArray,
    frame_interval_ps: float,
    temperature_K: float,
) -> list[SpeciesMotion]:
    """Motion of each species between neighbouring frames against its thermal velocity.

    In equilibrium no species can go further in one interval than free flight at its thermal velocity,
    <|dr|^2> = (3 kT / m) 2 int_0^dt (dt - s) C(s) ds <= (3 kT / m) dt^2, because the normalised velocity
    autocorrelation C never exceeds one.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 2.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        frame_interval_ps: as stated.
        temperature_K: of the run.
    """
    found = []
    for number in np.unique(numbers):
        atoms = numbers == number
        _, one = mean_squared_displacements(displacements_A[:, atoms], largest_lag=1).mean(axis=1)
        flight = 3 * BOLTZMANN_u_A2_PER_PS2_K * temperature_K / masses_u[atoms].mean() * frame_interval_ps**2
        found.append(SpeciesMotion(int(number), int(atoms.sum()), float(one / flight)))
    return found


def largest_fractional_step(positions_A: FloatArray, lattice_A: FloatArray) -> float:
    """Longest step between two frames in units of the cell vectors.

    Whole paths of coarse frames may well step by more than half a cell; from 0.85 on (`gates.WRAPPED_STEP`) positions
    are taken to have jumped across it. The cell is the most compact one of the same lattice, so that it does not matter
    which one is given.

    Args:
        positions_A: shape (F, N, 3).
        lattice_A: shape (3, 3).
    """
    compact_A, _ = compact_cell(lattice_A)
    return float(np.abs(np.diff(positions_A, axis=0) @ np.linalg.inv(compact_A)).max())
