"""Mean temperature of a run, recorded or read off its positions."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.recorded_temperature import LARGEST_UNRESOLVED
from vitrion_workflows.validation.temperature import series_stderr
from vitrion_workflows.validation.thermostat import ThermostatNoise
from vitrion_workflows.validation.velocity_temperature import ThermalMotion, thermal_motion


@dataclass(frozen=True, eq=False)
class RunTemperature:
    """Mean temperature of a run.

    Attributes:
        motion: kinetic temperatures of the positions.
        recorded_K: recorded temperatures after equilibration, shape (F,), or None.
        mean_K: mean of the recorded ones, or that of the positions where the frames resolve it; otherwise None.
        series: time series behind the mean, in any unit, shape (n,); None where there is no mean.
        unresolved: fraction by which a mean of positions may be too low.
    """

    motion: ThermalMotion
    recorded_K: FloatArray | None
    mean_K: float | None
    series: FloatArray | None
    unresolved: float = 0.0

    @property
    def stderr(self) -> float | None:
        """Relative standard error of the mean by its own series."""
        return None if self.series is None else series_stderr(self.series)

    @classmethod
    def of(
        cls, trajectory: Trajectory, displacements_A: FloatArray, *, discarded_frames: int, noise: ThermostatNoise
    ) -> "RunTemperature":
        """Return the temperature of a trajectory.

        Args:
            trajectory: the whole run.
            displacements_A: drift-corrected displacements after equilibration, shape (F, N, 3).
            discarded_frames: as equilibration.
            noise: of the thermostat.
        """
        motion = thermal_motion(
            trajectory.positions_A[discarded_frames] + displacements_A,
            trajectory.numbers,
            masses_u=trajectory.masses_u,
            lattice_A=trajectory.lattice_A,
            frame_interval_ps=trajectory.frame_interval_ps,
        )
        if trajectory.temperatures_K is not None:
            recorded = trajectory.temperatures_K[discarded_frames:]
            return cls(motion, recorded, float(recorded.mean()), recorded)
        cell = motion.cell
        if cell.unresolved is None or cell.unresolved + noise.fraction > LARGEST_UNRESOLVED:
            return cls(motion, None, None, None)
        energies = kinetic_energies(displacements_A, trajectory.masses_u)
        return cls(motion, None, cell.temperature_K, energies, cell.unresolved + noise.fraction)


def kinetic_energies(displacements_A: FloatArray, masses_u: FloatArray) -> FloatArray:
    """Return twice the kinetic energy of the steps times the squared frame interval, in u A^2, shape (F - 1,).

    Args:
        displacements_A: shape (F, N, 3).
        masses_u: shape (N,).
    """
    steps = np.diff(displacements_A, axis=0)
    energies: FloatArray = np.einsum("fni,fni,n->f", steps, steps, masses_u)
    return energies
