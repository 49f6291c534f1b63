"""Do the frames hang together? Interval, wrapping, missing and repeated frames, from the positions alone."""

from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.transport.msd import mean_squared_displacements

# k_B in u A^2 / ps^2 / K: 1.380649e-23 J/K over 1.66053906660e-27 kg * (1e2 m/s)^2.
BOLTZMANN_u_A2_PER_PS2_K = 1.380649e-23 / (1.66053906660e-27 * 1e4)
# Neighbouring frames that the frame in question is compared with, on each side.
NEIGHBOURS = 5
# One run in a thousand may be suspected wrongly.
FALSE_ALARM = 1e-3
# Of the rise that a missing frame makes: 21 whole runs of melts reached up to 0.65 of it; of 440 frames dropped from
# eleven of them the faintest showed 0.71 and half 1.0 or more (NEP89, 50 atoms, 20 fs a frame).
MISSING_SHARE = 0.68
# A step this much shorter than its neighbours is a copy: thermal motion never stops for all atoms at once.
COPY_RATIO = 1e-3
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


@dataclass(frozen=True)
class FrameSteps:
    """Steps between frames that do not fit their neighbours.

    Attributes:
        longest: greatest ratio of a step's mean square to the median of its neighbours.
        longest_at: the frame it leads to.
        limit: ratio from which a frame counts as missing.
        copies: frames that repeat the one before.
    """

    longest: float
    longest_at: int
    limit: float
    copies: tuple[int, ...]


def frame_steps(displacements_A: FloatArray, numbers: IntArray) -> FrameSteps:
    """Look for missing and repeated frames.

    Every step's squared displacement, each species scaled by its mean and averaged over atoms, is compared with the
    median of its neighbours: a repeated frame makes it zero, a missing one raises it by M(2) / M(1), from 2 in
    diffusion to 4 in free flight. A frame counts as missing when the ratio is beyond 0.68 of that rise (in the
    logarithm) and beyond what chance makes of the scatter of all steps in one run of a thousand. The scatter comes
    from the steps (median absolute deviation), because vibrations and temperature make it larger than the
    sqrt(2 / 3N) of independent atoms; where steps are smooth the first condition decides.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 4.
        numbers: atomic numbers, shape (N,).
    """
    steps = np.diff(displacements_A, axis=0)
    squares = (steps**2).sum(axis=2)
    weights = _species_weights(squares, numbers)
    single = squares @ weights
    double = ((steps[1:] + steps[:-1]) ** 2).sum(axis=2) @ weights
    typical = max(float(np.median(single)), np.finfo(float).tiny)
    copies = np.flatnonzero(single < COPY_RATIO * typical)
    logs = np.log(np.maximum(single, COPY_RATIO * typical))
    deviation = logs - _median_of_neighbours(logs)
    scatter = float(stats.median_abs_deviation(deviation, scale="normal"))
    by_chance = scatter * float(stats.norm.isf(FALSE_ALARM / len(deviation)))
    rise = MISSING_SHARE * float(np.log(max(np.median(double) / typical, 1.0)))
    longest = int(np.argmax(deviation))
    return FrameSteps(
        longest=float(np.exp(deviation[longest])),
        longest_at=longest + 1,
        limit=float(np.exp(max(by_chance, rise))),
        copies=tuple((copies + 1).tolist()),
    )


def _species_weights(squares: FloatArray, numbers: IntArray) -> FloatArray:
    """Weight of each atom's squared step: one over its species' mean, over the number of atoms."""
    weights = np.zeros(len(numbers))
    for number in np.unique(numbers):
        atoms = numbers == number
        level = squares[:, atoms].mean()
        weights[atoms] = 1 / level if level > 0 else 0.0
    return weights / len(numbers)


def _median_of_neighbours(values: FloatArray) -> FloatArray:
    width = min(NEIGHBOURS, (len(values) - 1) // 2)
    padded = np.pad(values, width, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * width + 1)
    others = np.delete(windows, width, axis=1)
    medians: FloatArray = np.median(others, axis=1)
    return medians
