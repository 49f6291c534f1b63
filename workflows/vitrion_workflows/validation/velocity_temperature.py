"""Kinetic temperature from positions, without bond stretching, by the velocity spectrum of the steps between frames."""

from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray
from scipy import fft

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_models.graphs.neighbours import bonded_pairs
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.validation.equilibration import ratio_stderr

# Elements whose bonds to each other stretch with 15 to 125 THz; bonds to other metals stay below what 20 fs resolve.
STIFF = tuple(
    atomic_numbers[symbol]
    for symbol in "H B C N O F Al Si P S Cl Ge As Se Br Sb Te I".split()  # noqa: SIM905
)
# Two heavier atoms of one element (iodine) touch without a bond in hot salts; where they have one it is slow.
LAST_OF_FIRST_ROW = 10
# Bonds are searched again after so many frames. Constraining a pair that is not bonded only costs a coordinate.
FRAMES_PER_SEARCH = 16
# More are not constrained: the matrix is too large, and a cell of so many bonds can be stored more often.
MOST_BONDS = 600
# Bonds that depend on each other (a cluster with more bonds than coordinates) share the coordinates that they remove.
RIDGE = 1e-8
LONGEST_MEMORY = 64
FREQUENCIES = 512
# The top tenth of the frequencies that the frames resolve.
TOP = 0.9
# With a greater roughness, motion faster than the frames must be expected, which the spectrum does not hold.
ROUGHEST = 0.6
# Largest fraction of the temperature that is unresolved, over the squared roughness.
UNRESOLVED_PER_SQUARED_ROUGHNESS = 0.3
# Without stretching, bonded atoms still bend and turn (a sharp line that is folded back leaves no roughness): with up
# to 50 THz at hydrogen, 26 in carbonate, 25 elsewhere. The longest intervals that resolve it.
LONGEST_BONDED_PS = 0.02
LONGEST_INTERVAL_PS = {1: 0.01, 6: 0.019}
# And stretching itself, where bonds are too many to be constrained.
LONGEST_STRETCHING_PS = 0.01
LONGEST_STRETCHING_INTERVAL_PS = {1: 0.004, 7: 0.007}
# Fewest degrees of freedom of a species that has a temperature.
LEAST_FREEDOM = 1e-6
ROUNDING = 1e-6
# Of the mean kinetic energy: smaller steps are taken for this.
SMALLEST_ENERGY = 1e-12
# Species exchange energy within some tenths of a ps; so long is one independent reading of a species' temperature.
EXCHANGE_PS = 0.15


@dataclass(frozen=True, eq=False)
class ConstrainedMotion:
    """Motion without bond stretching.

    Attributes:
        steps_A: displacements between frames, shape (F - 1, N, 3).
        degrees_of_freedom: of each atom in each step, 3 where nothing is constrained, shape (F - 1, N).
        bonded: True for an atom that is ever bonded, shape (N,).
        constrained: True where all bonds were; False where they are too many.
    """

    steps_A: FloatArray
    degrees_of_freedom: FloatArray
    bonded: NDArray[np.bool_]
    constrained: bool


@dataclass(frozen=True, eq=False)
class _Bonds:
    """Bonded pairs, shape (B, 2), and the vectors from the second to the first atom, shape (B, 3)."""

    pairs: IntArray
    vectors_A: FloatArray


def remove_bond_stretching(
    positions_A: FloatArray, numbers: IntArray, *, masses_u: FloatArray, lattice_A: FloatArray
) -> ConstrainedMotion:
    """Project the stretching of covalent bonds out of the steps between frames.

    With the rows e_ij (v_i - v_j) of J for the bonds between i and j, the velocity v - M^-1 J^T (J M^-1 J^T)^-1 J v
    leaves all bond lengths as they are (SHAKE's projection: Ryckaert et al., J. Comput. Phys. 23, 327, 1977). In
    equilibrium momenta are independent of positions, so that each remaining degree of freedom has k_B T / 2, whichever
    directions were removed; the trace of the projection counts them.

    Args:
        positions_A: unwrapped, shape (F, N, 3).
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        lattice_A: shape (3, 3).
    """
    steps = np.diff(positions_A, axis=0)
    stiff = np.flatnonzero(np.isin(numbers, STIFF))
    freedom = np.full(steps.shape[:2], 3.0)
    bonded = np.zeros(len(numbers), dtype=np.bool_)
    for first in range(0, len(steps), FRAMES_PER_SEARCH):
        block = slice(first, first + FRAMES_PER_SEARCH)
        bonds = _find_bonds(positions_A[first], stiff, numbers, lattice_A)
        bonded[bonds.pairs] = True
        if len(bonds.pairs) > MOST_BONDS:
            return ConstrainedMotion(
                np.diff(positions_A, axis=0), np.full(steps.shape[:2], 3.0), bonded, constrained=False
            )
        if len(bonds.pairs):
            midpoints = positions_A[block][: len(steps[block])] + 0.5 * steps[block] - positions_A[first]
            removed, count = _stretching(steps[block], midpoints, bonds, masses_u=masses_u)
            steps[block] -= removed
            freedom[block] -= count
    return ConstrainedMotion(steps, freedom, bonded, constrained=True)


def _stretching(
    steps: FloatArray, midpoints: FloatArray, bonds: _Bonds, *, masses_u: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the part of steps, shape (T, N, 3), that stretches bonds, and the degrees of freedom in it, shape (T, N).

    Midpoints of the steps are displacements from where the bonds were found, shape (T, N, 3).
    """
    signs = np.zeros((len(bonds.pairs), len(masses_u)))
    rows = np.arange(len(bonds.pairs))
    begin, end = bonds.pairs.T
    signs[rows, begin], signs[rows, end] = 1.0, -1.0
    directions = bonds.vectors_A + midpoints[:, begin] - midpoints[:, end]
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    cosines = np.einsum("tax,tbx->tab", directions, directions)
    coupling = (signs / masses_u) @ signs.T * cosines
    coupling[:, rows, rows] *= 1 + RIDGE
    inverse = np.linalg.inv(coupling)
    rates = np.einsum("tax,tax->ta", directions, steps[:, begin] - steps[:, end])
    impulses = np.einsum("tab,tb->ta", inverse, rates)[:, :, None] * directions
    removed: FloatArray = np.einsum("an,tax->tnx", signs / masses_u, impulses)
    count: FloatArray = ((cosines * inverse) @ signs * signs).sum(axis=1) / masses_u
    return removed, count


def _find_bonds(positions_A: FloatArray, stiff: IntArray, numbers: IntArray, lattice_A: FloatArray) -> _Bonds:
    elements = np.unique(numbers[stiff])
    if not len(elements) or (len(elements) == 1 and elements[0] > LAST_OF_FIRST_ROW):  # a chloride has no such bond
        return _Bonds(np.empty((0, 2), dtype=np.int64), np.empty((0, 3)))
    bonds = bonded_pairs(numbers[stiff], positions_A[stiff], lattice_A)
    first, second = bonds.edge_index
    alike = (numbers[stiff[first]] == numbers[stiff[second]]) & (numbers[stiff[first]] > LAST_OF_FIRST_ROW)
    once = (first < second) & ~alike
    return _Bonds(np.stack([stiff[first[once]], stiff[second[once]]], axis=1), -bonds.vectors_A[once])


@dataclass(frozen=True)
class SpeciesTemperature:
    """Kinetic temperature of one species from its positions.

    Attributes:
        number: atomic number.
        atoms: number of its atoms.
        degrees_of_freedom: behind the temperature, without bond stretching and the cell's own motion.
        temperature_K: lower bound of the kinetic temperature, and its value where motion is smooth.
        roughness: spectral density of the velocity in the top tenth of the resolved frequencies, over its mean; does
            not depend on the stated frame interval.
        stderr: relative scatter about the temperature of the whole cell.
        bonds_resolved: True where the frames are close enough for the fastest bonds of the element.
    """

    number: int
    atoms: int
    degrees_of_freedom: float
    temperature_K: float
    roughness: float
    stderr: float
    bonds_resolved: bool

    @property
    def resolves_dynamics(self) -> bool:
        """True where frames are close enough to resolve all of the motion."""
        return self.bonds_resolved and self.roughness < ROUGHEST

    @property
    def unresolved(self) -> float:
        """Largest fraction of the temperature that the frames do not resolve."""
        return UNRESOLVED_PER_SQUARED_ROUGHNESS * self.roughness**2


@dataclass(frozen=True)
class CellTemperature:
    """Kinetic temperature of all atoms from their positions.

    Attributes:
        temperature_K: lower bound, and the value where motion is smooth.
        roughness: mean over its degrees of freedom.
        unresolved: largest fraction that the frames do not resolve; None where a bond may be faster than the frames.
    """

    temperature_K: float
    roughness: float
    unresolved: float | None


@dataclass(frozen=True, eq=False)
class ThermalMotion:
    """Kinetic temperatures and energies from positions, without bond stretching and the cell's own motion.

    Attributes:
        species: temperatures of the species.
        kinetic_energies: of a degree of freedom in each step, in any unit, shape (F - 1,).
        complete: True where no bond stretching was left out.
    """

    species: tuple[SpeciesTemperature, ...]
    kinetic_energies: FloatArray
    complete: bool

    @property
    def cell(self) -> CellTemperature:
        """Temperature of the cell, the mean over its degrees of freedom."""
        freedom = sum(one.degrees_of_freedom for one in self.species)
        mean = sum(one.degrees_of_freedom * one.temperature_K for one in self.species) / freedom
        free = [one for one in self.species if one.degrees_of_freedom > LEAST_FREEDOM]
        roughness = sum(one.degrees_of_freedom * max(one.roughness, 0.0) for one in free) / freedom
        unresolved = None
        if all(one.bonds_resolved for one in self.species):
            unresolved = UNRESOLVED_PER_SQUARED_ROUGHNESS * roughness**2
        return CellTemperature(mean, roughness, unresolved)

    def finer_interval_ps(self, frame_interval_ps: float) -> float:
        """Return an interval that would resolve all of the motion: half of this one, or that of the fastest bonds."""
        needed = [
            LONGEST_INTERVAL_PS.get(one.number, LONGEST_BONDED_PS) for one in self.species if not one.bonds_resolved
        ]
        return min([frame_interval_ps / 2, *needed])


def relative_masses(masses_u: FloatArray) -> FloatArray:
    """Return masses over their mean, shape (N,); one without rounding where they are equal, as without isotopes."""
    weights: FloatArray = masses_u / masses_u.mean() if np.ptp(masses_u) else np.ones_like(masses_u)
    return weights


def thermal_motion(
    positions_A: FloatArray,
    numbers: IntArray,
    *,
    masses_u: FloatArray,
    lattice_A: FloatArray,
    frame_interval_ps: float,
) -> ThermalMotion:
    """Compute kinetic temperatures from displacements between frames.

    A step is the mean velocity of one interval: in frequency, the velocity times sinc(w dt / 2). Where the velocity
    has no component beyond the Nyquist frequency pi / dt (Shannon, Proc. IRE 37, 10, 1949), the mean squared velocity
    is the spectrum of the steps over sinc^2, integrated. What lies beyond is folded back and counted with too small a
    factor, so that the temperature is never overestimated. The fastest motion, stretching of covalent bonds, is
    removed first (`remove_bond_stretching`), and so is the cell's own motion.

    Args:
        positions_A: unwrapped and drift-corrected, shape (F, N, 3), F >= 8.
        numbers: atomic numbers, shape (N,).
        masses_u: shape (N,).
        lattice_A: shape (3, 3).
        frame_interval_ps: as stated.
    """
    motion = remove_bond_stretching(positions_A, numbers, masses_u=masses_u, lattice_A=lattice_A)
    freedom = motion.degrees_of_freedom - 3 * masses_u / masses_u.sum()
    energies = np.einsum("fni,fni,n->fn", motion.steps_A, motion.steps_A, masses_u)
    total = energies.sum(axis=1)
    mean_energies = np.maximum(total, SMALLEST_ENERGY * total.mean()) / freedom.sum(axis=1)
    species = tuple(
        _species_temperature(
            motion,
            numbers == number,
            number=int(number),
            masses_u=masses_u[numbers == number],
            freedom=freedom[:, numbers == number].sum(axis=1),
            energies=energies[:, numbers == number].sum(axis=1),
            mean_energies=mean_energies,
            frame_interval_ps=frame_interval_ps,
        )
        for number in np.unique(numbers)
    )
    return ThermalMotion(species, mean_energies, complete=not (motion.constrained and motion.bonded.any()))


def _species_temperature(
    motion: ConstrainedMotion,
    atoms: NDArray[np.bool_],
    *,
    number: int,
    masses_u: FloatArray,
    freedom: FloatArray,
    energies: FloatArray,
    mean_energies: FloatArray,
    frame_interval_ps: float,
) -> SpeciesTemperature:
    """Temperature of the species that is `atoms`, shape (N,).

    `freedom` and `energies` are sums over its atoms in each step, `mean_energies` is that of a degree of freedom of the
    cell, each of shape (F - 1,).
    """
    weighted = motion.steps_A[:, atoms] * np.sqrt(relative_masses(masses_u))[:, None]
    square, roughness = _step_spectrum(weighted.reshape(len(energies), -1))
    mean_freedom, kelvin = float(freedom.mean()), 0.0
    if mean_freedom > LEAST_FREEDOM:
        kelvin = 3 * float(masses_u.sum()) * square / frame_interval_ps**2 / BOLTZMANN_u_A2_PER_PS2_K / mean_freedom
    readings = max(1.0, len(energies) * frame_interval_ps / EXCHANGE_PS)
    stderr = float(np.sqrt(2 / (max(mean_freedom, LEAST_FREEDOM) * readings)))
    if not atoms.all() and kelvin:
        stderr = max(stderr, ratio_stderr(energies, freedom * mean_energies))
    longest_ps = np.inf
    if motion.bonded[atoms].any():
        longest_ps = _longest_interval_ps(number, constrained=motion.constrained)
    bonds_resolved = kelvin > 0 and frame_interval_ps <= longest_ps * (1 + ROUNDING)
    return SpeciesTemperature(number, int(atoms.sum()), mean_freedom, kelvin, roughness, stderr, bonds_resolved)


def _longest_interval_ps(number: int, *, constrained: bool) -> float:
    if constrained:
        return LONGEST_INTERVAL_PS.get(number, LONGEST_BONDED_PS)
    return LONGEST_STRETCHING_INTERVAL_PS.get(number, LONGEST_STRETCHING_PS)


def _step_spectrum(steps: FloatArray) -> tuple[float, float]:
    """Return the mean squared velocity of a coordinate, in squared step lengths, and the roughness.

    Args:
        steps: shape (T, M).
    """
    count = len(steps)
    size = fft.next_fast_len(2 * count, real=True)
    power = (np.abs(fft.rfft(steps, n=size, axis=0)) ** 2).sum(axis=1)
    memory = min(LONGEST_MEMORY, count // 4)
    correlation = fft.irfft(power, n=size)[: memory + 1] / np.arange(count, count - memory - 1, -1) / steps.shape[1]
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
