"""Coupling of a thermostat to a run: precision of the run's temperature, and noise that the frames do not show."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_workflows.trajectories.trajectory import Trajectory

# Allowed error of the mean temperature. A run resolves it when it is 2.33 standard errors: then an error of a tenth,
# twice as much, is found in 98 runs of 100 and heating by 30 % in 89; longer runs find more.
TOLERANCE = 0.05
RESOLVED_SIGMAS = float(stats.norm.isf(0.01))
LARGEST_STDERR = TOLERANCE / RESOLVED_SIGMAS
# Langevin friction that holds the temperature as a chain does, in units of the chain's rate 1/tau: 1.3 by the scatter
# of 39 labels of glasses, 2.0 to 3.9 in the Lennard-Jones model (docs/design/label-gates.md).
CHAIN_FRICTION = 1.3
SMALLEST_FRICTION = 1e-6
LANGEVIN, ISOLATED = "langevin", "nve"


@dataclass(frozen=True)
class Coupling:
    """Coupling of a thermostat, which decides how well a run knows its temperature.

    Attributes:
        rate_per_ps: Langevin friction, or 1/tau of a Nose-Hoover chain.
        noisy: True for a thermostat that works by noise (Langevin).
    """

    rate_per_ps: float
    noisy: bool

    @property
    def relaxation_per_ps(self) -> float:
        """Langevin friction that holds the temperature as well."""
        return self.rate_per_ps * (1.0 if self.noisy else CHAIN_FRICTION)

    def stderr(self, atoms: int, *, duration_ps: float) -> float:
        """Return the relative standard error of the mean kinetic temperature of a run.

        Langevin: the noise added by the time t has no memory, and friction takes it away at the rate 2 gamma K, so
        mean K - K0 = (noise - change of energy) / (2 gamma t), the noise of variance 4 gamma K k_B T t: the result is
        sqrt(2 / (3 N gamma t)). Nose-Hoover: mean K - K0 is the mean of p1 p2 / 2 Q2, momenta of the chain, which
        decorrelates within about tau: of thermal size sqrt(3 N) k_B T tau and 1 / tau they give the same, with
        gamma a multiple of 1 / tau.
        """
        return float(np.sqrt(2 / (3 * atoms * max(1.0, self.relaxation_per_ps * duration_ps))))

    def needed_ps(self, atoms: int) -> float:
        """Return the length of a run that resolves its temperature."""
        return 2 / (3 * atoms * LARGEST_STDERR**2) / self.relaxation_per_ps

    def flight_ps(self, duration_ps: float) -> float:
        """Return the time a cell would fly at its thermal speed to come as far as under the thermostat (rms), in ps.

        Friction turns flight into diffusion, 2 (gamma t - 1 + exp(-gamma t)) / gamma^2 (Ornstein and Uhlenbeck, 1930);
        a chain leaves the cell's own motion alone.
        """
        spans = self.rate_per_ps * duration_ps
        if not self.noisy or spans < SMALLEST_FRICTION:
            return duration_ps
        return float(np.sqrt(2 * (spans + np.expm1(-spans)))) / self.rate_per_ps

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Coupling | None":
        """Return the coupling that a trajectory carries; None where it carries none, or has no thermostat."""
        if trajectory.friction_per_ps is None:
            return None
        return cls.under(trajectory.thermostat, rate_per_ps=trajectory.friction_per_ps)

    @classmethod
    def under(cls, thermostat: str, *, rate_per_ps: float) -> "Coupling":
        """Return the coupling of a thermostat by its name, as in `MDPlan`."""
        return cls(rate_per_ps, noisy=thermostat == LANGEVIN)


GOOD_COUPLING = Coupling(rate_per_ps=10.0, noisy=False)
# The strongest in common use (0.01 / fs), assumed where the thermostat is not stated.
USUAL_LANGEVIN = Coupling(rate_per_ps=10.0, noisy=True)


@dataclass(frozen=True)
class ThermostatNoise:
    """Velocity noise of a thermostat that frames do not show.

    Attributes:
        fraction: of the mean squared velocity, beyond the Nyquist frequency of the frames.
        stated: True where the thermostat is known; otherwise `fraction` is that of a usual Langevin one.
    """

    fraction: float
    stated: bool = True

    @classmethod
    def of(cls, coupling: Coupling | None, *, thermostat: str, frame_interval_ps: float) -> "ThermostatNoise":
        """Return the noise of a run.

        A velocity that is kicked and slowed at the rate gamma has the spectrum 2 gamma / (w^2 + gamma^2), of which the
        fraction (2 / pi) arctan(gamma dt / pi) lies beyond pi / dt.

        Args:
            coupling: where known.
            thermostat: as the trajectory carries it; ``nve`` has no noise.
            frame_interval_ps: between frames.
        """
        stated = coupling is not None or thermostat == ISOLATED
        assumed = coupling if stated else USUAL_LANGEVIN
        if assumed is None or not assumed.noisy:
            return cls(0.0, stated=stated)
        return cls(float(2 / np.pi * np.arctan(assumed.rate_per_ps * frame_interval_ps / np.pi)), stated=stated)
