"""State of a run between two steps, of one cell or of a batch, and quantities computed from it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vitrion_models.constants import BOLTZMANN_eV_PER_K, MASS_FACTOR_eV_PS2_PER_U_A2
from vitrion_models.system import FloatArray, IntArray

# Words of the counter-based generator's 256-bit counter: a stream and a step each own 2^128 numbers.
VELOCITY_STREAM = 1
NOISE_STREAM = 2


@dataclass(frozen=True, eq=False)
class MDState:
    """Everything the next step depends on besides plan, masses and potential.

    Random numbers need no entry: the noise of a step is drawn from a counter-based generator (Philox) whose key is the
    plan's seed and whose counter is the step, so that seed and step are the generator's whole state.

    Attributes:
        step: steps done.
        positions_A: unwrapped positions, shape (N, 3).
        velocities_A_per_ps: shape (N, 3).
        forces_eV_per_A: at these positions, shape (N, 3).
        potential_energy_eV: at these positions.
        thermostat: the thermostat's own variables (positions and velocities of a chain), shape (2, M) or (0,).
    """

    step: int
    positions_A: FloatArray
    velocities_A_per_ps: FloatArray
    forces_eV_per_A: FloatArray
    potential_energy_eV: float
    thermostat: FloatArray


@dataclass(frozen=True, eq=False)
class BatchState:
    """States of several cells, their atoms one after the other; each cell has its own step.

    Attributes:
        steps: steps done by each cell, shape (C,).
        positions_A: unwrapped positions of all atoms, shape (A, 3).
        velocities_A_per_ps: shape (A, 3).
        forces_eV_per_A: at these positions, shape (A, 3).
        potential_energies_eV: of each cell, shape (C,).
        thermostat: each cell's thermostat variables, shape (C, 2, M) or (C, 0).
    """

    steps: IntArray
    positions_A: FloatArray
    velocities_A_per_ps: FloatArray
    forces_eV_per_A: FloatArray
    potential_energies_eV: FloatArray
    thermostat: FloatArray

    @classmethod
    def of(cls, states: Sequence[MDState]) -> "BatchState":
        """Return the states of single cells as one batch."""
        return cls(
            steps=np.array([state.step for state in states]),
            positions_A=np.concatenate([state.positions_A for state in states]),
            velocities_A_per_ps=np.concatenate([state.velocities_A_per_ps for state in states]),
            forces_eV_per_A=np.concatenate([state.forces_eV_per_A for state in states]),
            potential_energies_eV=np.array([state.potential_energy_eV for state in states]),
            thermostat=np.array([state.thermostat for state in states]),
        )

    def cell(self, index: int, atoms: slice) -> MDState:
        """Return the state of one cell, copied.

        Args:
            index: of the cell.
            atoms: positions of its atoms in the batch.
        """
        return MDState(
            step=int(self.steps[index]),
            positions_A=self.positions_A[atoms].copy(),
            velocities_A_per_ps=self.velocities_A_per_ps[atoms].copy(),
            forces_eV_per_A=self.forces_eV_per_A[atoms].copy(),
            potential_energy_eV=float(self.potential_energies_eV[index]),
            thermostat=self.thermostat[index].copy(),
        )


@dataclass(frozen=True, eq=False)
class Atoms:
    """Masses of the atoms of a batch, and sums over each cell's.

    Every sum runs over a cell's own rows in their order, so that it is bitwise the same whatever stands beside them.

    Attributes:
        masses_u: of all atoms, shape (A,).
        starts: first atom of each cell, shape (C,).
        owners: cell of each atom, shape (A,).
    """

    masses_u: FloatArray
    starts: IntArray
    owners: IntArray

    @cached_property
    def cell_masses_u(self) -> FloatArray:
        """Mass of each cell, shape (C, 1)."""
        masses: FloatArray = np.add.reduceat(self.masses_u, self.starts)[:, None]
        return masses

    @cached_property
    def _column(self) -> FloatArray:
        return self.masses_u[:, None]

    def kinetic_energies_eV(self, velocities_A_per_ps: FloatArray) -> FloatArray:
        """Return the kinetic energy of each cell, the sum of m v^2 / 2, shape (C,).

        Args:
            velocities_A_per_ps: shape (A, 3).
        """
        squares = np.add.reduceat(self._column * velocities_A_per_ps**2, self.starts, axis=0)
        energies: FloatArray = 0.5 * MASS_FACTOR_eV_PS2_PER_U_A2 * (squares[:, 0] + squares[:, 1] + squares[:, 2])
        return energies

    def drifts_A_per_ps(self, velocities_A_per_ps: FloatArray) -> FloatArray:
        """Return the velocity of each cell's centre of mass in A/ps, shape (C, 3).

        Args:
            velocities_A_per_ps: shape (A, 3).
        """
        momenta = np.add.reduceat(self._column * velocities_A_per_ps, self.starts, axis=0)
        drifts: FloatArray = momenta / self.cell_masses_u
        return drifts


def kinetic_energy_eV(velocities_A_per_ps: FloatArray, masses_u: FloatArray) -> float:
    """Return the kinetic energy, the sum of m v^2 / 2, in eV.

    Args:
        velocities_A_per_ps: shape (N, 3).
        masses_u: shape (N,).
    """
    squares = np.einsum("ix,ix->i", velocities_A_per_ps, velocities_A_per_ps)
    return float(0.5 * MASS_FACTOR_eV_PS2_PER_U_A2 * (masses_u @ squares))


def temperature_K(velocities_A_per_ps: FloatArray, masses_u: FloatArray, degrees_of_freedom: int) -> float:
    """Return the kinetic temperature 2 E_kin / (f k_B) in K.

    Args:
        velocities_A_per_ps: shape (N, 3).
        masses_u: shape (N,).
        degrees_of_freedom: f.
    """
    return 2 * kinetic_energy_eV(velocities_A_per_ps, masses_u) / (degrees_of_freedom * BOLTZMANN_eV_PER_K)


def degrees_of_freedom(atoms: int, *, remove_drift: bool) -> int:
    """Return the number of kinetic degrees of freedom: 3 N, less three where the total momentum is held at zero."""
    return max(3 * atoms - 3 * remove_drift, 1)


def without_drift(velocities_A_per_ps: FloatArray, masses_u: FloatArray) -> FloatArray:
    """Return the velocities relative to the centre of mass in A/ps, shape (N, 3).

    Args:
        velocities_A_per_ps: shape (N, 3).
        masses_u: shape (N,).
    """
    relative: FloatArray = velocities_A_per_ps - (masses_u @ velocities_A_per_ps) / masses_u.sum()
    return relative


def thermal_speeds_A_per_ps(masses_u: FloatArray, at_temperature_K: float) -> FloatArray:
    """Return the standard deviation sqrt(k_B T / m) of a velocity component of each atom in A/ps, shape (N, 1).

    Args:
        masses_u: shape (N,).
        at_temperature_K: T.
    """
    speeds: FloatArray = np.sqrt(BOLTZMANN_eV_PER_K * at_temperature_K / (MASS_FACTOR_eV_PS2_PER_U_A2 * masses_u))
    return speeds[:, None]


def normal_numbers(*, seed: int, stream: int, step: int, atoms: int) -> FloatArray:
    """Return the standard normal numbers of a step, shape (atoms, 3); a pure function of its arguments."""
    generator = np.random.Generator(np.random.Philox(key=seed, counter=[0, 0, step, stream]))
    return generator.standard_normal((atoms, 3))


def maxwell_boltzmann(masses_u: FloatArray, *, temperature_K: float, seed: int, remove_drift: bool) -> FloatArray:
    """Return velocities drawn at a temperature in A/ps, shape (N, 3).

    Without drift they follow the Maxwell-Boltzmann distribution at zero total momentum, 3 N - 3 degrees of freedom.

    Args:
        masses_u: shape (N,).
        temperature_K: of the distribution.
        seed: of the random numbers.
        remove_drift: set the total momentum to zero.
    """
    numbers = normal_numbers(seed=seed, stream=VELOCITY_STREAM, step=0, atoms=len(masses_u))
    velocities: FloatArray = thermal_speeds_A_per_ps(masses_u, temperature_K) * numbers
    return without_drift(velocities, masses_u) if remove_drift and len(masses_u) > 1 else velocities
