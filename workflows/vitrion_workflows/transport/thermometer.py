"""Temperature from positions: the velocities that smooth motion between frames must have had."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import fft

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.transport.frames import BOLTZMANN_u_A2_PER_PS2_K

LONGEST_MEMORY = 64
FREQUENCIES = 512
# The top tenth of the frequencies that the frames resolve.
TOP = 0.9
# With more than this there, motion faster than the frames must be expected, which the thermometer does not see.
ROUGHEST = 0.6
# What is not seen then, at most: of single species of melts, and of whole cells.
UNSEEN_PER_ROUGHNESS = 0.25
UNSEEN_OF_ALL_PER_ROUGHNESS = 0.12
# Bonds of hydrogen vibrate with up to 125 THz, those of boron, carbon and nitrogen with up to 50 (a single sharp line
# that is folded back leaves no roughness): the longest intervals that resolve them.
LONGEST_INTERVAL_PS = {1: 0.004, 5: 0.01, 6: 0.01, 7: 0.01}
# Species exchange energy within some tenths of a ps; so long is one reading of a species' temperature.
EXCHANGE_PS = 0.15


@dataclass(frozen=True)
class SpeciesTemperature:
    """Kinetic temperature of one species as its positions show it.

    Attributes:
        number: atomic number.
        atoms: how many of it there are.
        temperature_K: lower bound of the kinetic temperature, and its value where motion is smooth.
        roughness: spectral density of the velocity in the top tenth of the resolved frequencies, over its mean; known
            whatever the frame interval is believed to be.
        stderr: relative scatter about the temperature of the whole cell.
        resolved: whether the frames are close enough for the fastest bonds of the element.
    """

    number: int
    atoms: int
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
        return UNSEEN_PER_ROUGHNESS * self.roughness


def species_temperatures(
    displacements_A: FloatArray, numbers: IntArray, *, masses_u: FloatArray, frame_interval_ps: float
) -> list[SpeciesTemperature]:
    """Kinetic temperature of each species from its displacements between frames.

    A step is the mean velocity of one interval: in frequency, the velocity times sinc(w dt / 2). Where the velocity
    has no component beyond the Nyquist frequency pi / dt (Shannon, Proc. IRE 37, 10, 1949), the mean squared velocity
    is the spectrum of the steps over sinc^2, integrated. What lies beyond is folded back and counted with too small a
    factor, so that the temperature is never overestimated. The centre of mass of the cell is at rest, which takes
    m / M of an atom's motion.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 8.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        frame_interval_ps: as stated.
    """
    steps = np.diff(displacements_A, axis=0)
    readings = max(1.0, len(steps) * frame_interval_ps / EXCHANGE_PS)
    found = []
    for number in np.unique(numbers):
        atoms = numbers == number
        count = int(atoms.sum())
        square, roughness = _velocity(steps[:, atoms].reshape(len(steps), -1))
        mass = float(masses_u[atoms].mean())
        free = 1 - mass / float(masses_u.sum())
        kelvin = mass * square / frame_interval_ps**2 / BOLTZMANN_u_A2_PER_PS2_K / free if free > 0 else 0.0
        stderr = float(np.sqrt(2 / (3 * count * readings)))
        resolved = frame_interval_ps <= LONGEST_INTERVAL_PS.get(int(number), np.inf)
        found.append(SpeciesTemperature(int(number), count, kelvin, roughness, stderr, resolved))
    return found


@dataclass(frozen=True)
class CellTemperature:
    """Kinetic temperature of all atoms as their positions show it.

    Attributes:
        temperature_K: lower bound, and the value where motion is smooth.
        unseen: share that may have escaped; None where not all of the motion is seen.
    """

    temperature_K: float
    unseen: float | None


def cell_temperature(found: Sequence[SpeciesTemperature]) -> CellTemperature:
    """Temperature of the cell: the mean over its atoms."""
    atoms = sum(one.atoms for one in found)
    mean = sum(one.atoms * one.temperature_K for one in found) / atoms
    if not all(one.telling for one in found):
        return CellTemperature(mean, None)
    rough = sum(one.atoms * max(one.roughness, 0.0) for one in found) / atoms
    return CellTemperature(mean, UNSEEN_OF_ALL_PER_ROUGHNESS * rough)


def _velocity(steps: FloatArray) -> tuple[float, float]:
    """Mean squared velocity of a coordinate, in squared step lengths, and the roughness; steps of shape (T, M)."""
    count = len(steps)
    size = fft.next_fast_len(2 * count, real=True)
    power = (np.abs(fft.rfft(steps, n=size, axis=0)) ** 2).sum(axis=1)
    memory = min(LONGEST_MEMORY, count // 4)
    correlation = fft.irfft(power, n=size)[: memory + 1] / np.arange(count, count - memory - 1, -1) / steps.shape[1]
    # A window (Hann) keeps the noise of long lags out of the spectrum.
    lags = np.arange(memory + 1)
    correlation *= 0.5 * (1 + np.cos(np.pi * lags / (memory + 1)))
    phase = np.linspace(0, np.pi, FREQUENCIES + 1)
    spectrum = correlation[0] + 2 * np.cos(np.outer(phase, lags[1:])) @ correlation[1:]
    density = spectrum / np.sinc(phase / (2 * np.pi)) ** 2
    # Trapezoids, so that both ends count half.
    density[[0, -1]] *= 0.5
    total = float(density.sum())
    if total <= 0:
        return 0.0, float("inf")
    top = phase > TOP * np.pi
    return total / FREQUENCIES, float(density[top].sum() / top.sum() / (total / FREQUENCIES))
