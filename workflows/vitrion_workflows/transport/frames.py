"""Motion between neighbouring frames against free flight, and against the size of the cell."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.transport.msd import mean_squared_displacements

# k_B in u A^2 / ps^2 / K: 1.380649e-23 J/K over 1.66053906660e-27 kg * (1e2 m/s)^2.
BOLTZMANN_u_A2_PER_PS2_K = 1.380649e-23 / (1.66053906660e-27 * 1e4)
# Below this local exponent, frames are too far apart for their spacing to show in the positions.
SMALLEST_TELLING_EXPONENT = 1.15
SERIES_BELOW = 1e-4
WEAKEST_DAMPING, STRONGEST_DAMPING = 1e-6, 1e3


@dataclass(frozen=True)
class SpeciesMotion:
    """Motion of one species between neighbouring frames.

    Attributes:
        number: atomic number.
        atoms: how many of it there are.
        ballistic_ratio: mean squared displacement of one interval over that of free flight, 3 kT/m dt^2.
        exponent: local exponent, log2 of the MSD at two intervals over that at one: 2 in free flight, 1 in diffusion.
    """

    number: int
    atoms: int
    ballistic_ratio: float
    exponent: float

    @property
    def consistency(self) -> float | None:
        """Ballistic ratio over the one that a damped flight of the same exponent has; None where frames cannot tell.

        A particle with friction (Langevin) has, with x = dt / tau, an MSD over free flight of
        f(x) = 2 (x - 1 + exp(-x)) / x^2 and an exponent log2[4 f(2x) / f(x)]. The exponent does not depend on what
        the interval is believed to be, the ratio goes with its inverse square: an interval stated ten times too
        long leaves the exponent and divides the ratio by a hundred.
        """
        if self.exponent < SMALLEST_TELLING_EXPONENT:
            return None
        return self.ballistic_ratio / _damped_flight(_damping(self.exponent))


def _damped_flight(x: float) -> float:
    return 2 * (x + np.expm1(-x)) / x**2 if x > SERIES_BELOW else 1 - x / 3


def _damping(exponent: float) -> float:
    def excess(x: float) -> float:
        return float(np.log2(4 * _damped_flight(2 * x) / _damped_flight(x))) - exponent

    if excess(WEAKEST_DAMPING) <= 0:
        return WEAKEST_DAMPING
    return float(optimize.brentq(excess, WEAKEST_DAMPING, STRONGEST_DAMPING))


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
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 3.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        frame_interval_ps: as stated.
        temperature_K: of the run.
    """
    found = []
    for number in np.unique(numbers):
        atoms = numbers == number
        _, one, two = mean_squared_displacements(displacements_A[:, atoms], largest_lag=2).mean(axis=1)
        flight = 3 * BOLTZMANN_u_A2_PER_PS2_K * temperature_K / masses_u[atoms].mean() * frame_interval_ps**2
        exponent = float(np.log2(two / one)) if one > 0 and two > 0 else 0.0
        found.append(SpeciesMotion(int(number), int(atoms.sum()), float(one / flight), exponent))
    return found


def largest_fractional_step(positions_A: FloatArray, lattice_A: FloatArray) -> float:
    """Longest step between two frames in units of the cell vectors; above one half, positions jumped across the cell.

    Args:
        positions_A: shape (F, N, 3).
        lattice_A: shape (3, 3).
    """
    return float(np.abs(np.diff(positions_A, axis=0) @ np.linalg.inv(lattice_A)).max())
