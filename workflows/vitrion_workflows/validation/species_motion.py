"""Motion of each species between neighbouring frames, relative to free flight."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.diffusivity.msd import mean_squared_displacements


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
