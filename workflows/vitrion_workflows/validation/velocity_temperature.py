"""Temperature from positions: the velocities that smooth motion between frames must have had."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.validation.bond_stretching import without_stretches
from vitrion_workflows.validation.equilibration import statistical_inefficiency

LONGEST_MEMORY = 64
FREQUENCIES = 512
# The top tenth of the frequencies that the frames resolve.
TOP = 0.9
# With more than this there, motion faster than the frames must be expected, which the thermometer does not see.
ROUGHEST = 0.6
# What is not seen then, at most.
UNSEEN_PER_SQUARED_ROUGHNESS = 0.3
# Without stretches, bonded atoms still bend and turn (a sharp line that is folded back leaves no roughness): with up to
# 50 THz at hydrogen, 26 in carbonate, 25 elsewhere. The longest intervals that resolve it.
LONGEST_BONDED_PS = 0.02
LONGEST_INTERVAL_PS = {1: 0.01, 6: 0.019}
# And the stretches themselves, where bonds are too many to be held.
LONGEST_UNHELD_PS = 0.01
LONGEST_UNHELD_INTERVAL_PS = {1: 0.004, 7: 0.007}
# Fewest degrees of freedom of a species that has a temperature.
LEAST_FREEDOM = 1e-6
ROUNDING = 1e-6
# Of the mean kinetic energy: a step that is none has no shares.
STILL = 1e-12
# Species exchange energy within some tenths of a ps; so long is one reading of a species' temperature.
EXCHANGE_PS = 0.15


@dataclass(frozen=True)
class SpeciesTemperature:
    """Kinetic temperature of one species as its positions show it.

    Attributes:
        number: atomic number.
        atoms: how many of it there are.
        freedom: degrees of freedom that the temperature is read off: stretches and the cell's own motion left out.
        temperature_K: lower bound of the kinetic temperature, and its value where motion is smooth.
        roughness: spectral density of the velocity in the top tenth of the resolved frequencies, over its mean; known
            whatever the frame interval is believed to be.
        stderr: relative scatter about the temperature of the whole cell.
        resolved: whether the frames are close enough for the fastest bonds of the element.
    """

    number: int
    atoms: int
    freedom: float
    temperature_K: float
    roughness: float
    stderr: float
    resolved: bool

    @property
    def telling(self) -> bool:
        """Whether frames are close enough to see all of the motion."""
        return self.resolved and self.roughness < ROUGHEST

    @property
    def unseen(self) -> float:
        """Share of the temperature that may have escaped."""
        return UNSEEN_PER_SQUARED_ROUGHNESS * self.roughness**2


@dataclass(frozen=True)
class CellTemperature:
    """Kinetic temperature of all atoms as their positions show it.

    Attributes:
        temperature_K: lower bound, and the value where motion is smooth.
        roughness: mean over its degrees of freedom.
        unseen: share that may have escaped; None where a bond may be faster than the frames.
    """

    temperature_K: float
    roughness: float
    unseen: float | None


@dataclass(frozen=True, eq=False)
class ThermalMotion:
    """How warm positions are, stretches and the cell's own motion left out.

    Attributes:
        species: temperatures of the species.
        course: kinetic energy of a degree of freedom in each step, in any unit, shape (F - 1,).
        whole: whether nothing but the cell's own motion was left out.
    """

    species: tuple[SpeciesTemperature, ...]
    course: FloatArray
    whole: bool

    @property
    def cell(self) -> CellTemperature:
        """Temperature of the cell: the mean over what its atoms are free to do."""
        freedom = sum(one.freedom for one in self.species)
        mean = sum(one.freedom * one.temperature_K for one in self.species) / freedom
        free = [one for one in self.species if one.freedom > LEAST_FREEDOM]
        rough = sum(one.freedom * max(one.roughness, 0.0) for one in free) / freedom
        resolved = all(one.resolved for one in self.species)
        return CellTemperature(mean, rough, UNSEEN_PER_SQUARED_ROUGHNESS * rough**2 if resolved else None)


def thermal_motion(
    positions_A: FloatArray,
    numbers: IntArray,
    *,
    masses_u: FloatArray,
    lattice_A: FloatArray,
    frame_interval_ps: float,
) -> ThermalMotion:
    """Kinetic temperatures from displacements between frames.

    A step is the mean velocity of one interval: in frequency, the velocity times sinc(w dt / 2). Where the velocity
    has no component beyond the Nyquist frequency pi / dt (Shannon, Proc. IRE 37, 10, 1949), the mean squared velocity
    is the spectrum of the steps over sinc^2, integrated. What lies beyond is folded back and counted with too small a
    factor, so that the temperature is never overestimated. What is fastest, the stretches of covalent bonds, is taken
    out first (`without_stretches`), and so is the cell's own motion.

    Args:
        positions_A: unwrapped and drift-corrected, shape (F, N, 3), F >= 8.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        lattice_A: shape (3, 3).
        frame_interval_ps: as stated.
    """
    rest = without_stretches(positions_A, numbers, masses_u=masses_u, lattice_A=lattice_A)
    free = rest.freedom - 3 * masses_u / masses_u.sum()
    energies = np.einsum("fni,fni,n->fn", rest.steps_A, rest.steps_A, masses_u)
    course = np.maximum(energies.sum(axis=1), STILL * energies.sum(axis=1).mean()) / free.sum(axis=1)
    found = []
    for number in np.unique(numbers):
        atoms = numbers == number
        freedom, energy = free[:, atoms].sum(axis=1), energies[:, atoms].sum(axis=1)
        square, roughness = _velocity(rest.steps_A[:, atoms].reshape(len(course), -1))
        mean_freedom, kelvin = float(freedom.mean()), 0.0
        if mean_freedom > LEAST_FREEDOM:
            speeds = 3 * float(masses_u[atoms].sum()) * square / frame_interval_ps**2
            kelvin = speeds / BOLTZMANN_u_A2_PER_PS2_K / mean_freedom
        readings = max(1.0, len(course) * frame_interval_ps / EXCHANGE_PS)
        stderr = float(np.sqrt(2 / (max(mean_freedom, LEAST_FREEDOM) * readings)))
        if not atoms.all() and kelvin:
            stderr = max(stderr, ratio_stderr(energy, freedom * course))
        longest = _longest_interval_ps(int(number), held=rest.held) if rest.bonded[atoms].any() else np.inf
        resolved = kelvin > 0 and frame_interval_ps <= longest * (1 + ROUNDING)
        count = int(atoms.sum())
        found.append(SpeciesTemperature(int(number), count, mean_freedom, kelvin, roughness, stderr, resolved))
    return ThermalMotion(tuple(found), course, whole=not (rest.held and rest.bonded.any()))


def ratio_stderr(series: FloatArray, expected: FloatArray) -> float:
    """Relative standard error of the ratio of two means, by what the one differs from the other in the course of time.

    Degrees of freedom of two kinds share the energy by and by: light and heavy ions, or bonds that stretch and the
    rest.

    Args:
        series: shape (n,).
        expected: what it should be proportional to, at the same times, shape (n,).
    """
    left = series / series.mean() - expected / expected.mean()
    samples = len(left) / statistical_inefficiency(left)
    return float(left.std() / np.sqrt(samples))


def _longest_interval_ps(number: int, *, held: bool) -> float:
    if held:
        return LONGEST_INTERVAL_PS.get(number, LONGEST_BONDED_PS)
    return LONGEST_UNHELD_INTERVAL_PS.get(number, LONGEST_UNHELD_PS)


def finer_interval_ps(found: Sequence[SpeciesTemperature], *, frame_interval_ps: float) -> float:
    """An interval of frames that would show all of the motion: half of this one, or what the fastest bonds need."""
    needed = [LONGEST_INTERVAL_PS.get(one.number, LONGEST_BONDED_PS) for one in found if not one.resolved]
    return min([frame_interval_ps / 2, *needed])


def _velocity(steps: FloatArray) -> tuple[float, float]:
    """Mean squared velocity of a coordinate, in squared step lengths, and the roughness; steps of shape (T, M)."""
    count = len(steps)
    size = fft.next_fast_len(2 * count, real=True)
    power = (np.abs(fft.rfft(steps, n=size, axis=0)) ** 2).sum(axis=1)
    memory = min(LONGEST_MEMORY, count // 4)
    correlation = fft.irfft(power, n=size)[: memory + 1] / np.arange(count, count - memory - 1, -1) / steps.shape[1]
    return mean_square(correlation)


def mean_square(correlation: FloatArray) -> tuple[float, float]:
    """Mean squared velocity, in squared step lengths, and the roughness.

    Args:
        correlation: of steps at lags 0, 1, 2 ..., shape (L,).
    """
    # A window (Hann) keeps the noise of long lags out of the spectrum.
    lags = np.arange(len(correlation))
    smooth = correlation * 0.5 * (1 + np.cos(np.pi * lags / len(correlation)))
    phase = np.linspace(0, np.pi, FREQUENCIES + 1)
    density = smooth[0] + 2 * np.cos(np.outer(phase, lags[1:])) @ smooth[1:]
    density /= np.sinc(phase / (2 * np.pi)) ** 2
    # Trapezoids, so that both ends count half.
    density[[0, -1]] *= 0.5
    total = float(density.sum())
    if total <= 0:
        return 0.0, float("inf")
    top = phase > TOP * np.pi
    return total / FREQUENCIES, float(density[top].sum() / top.sum() / (total / FREQUENCIES))
