"""Gates on the temperature of a run: does the run know it, is it the one asked for, does it stand still?"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray
from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.equilibration import relative_change, statistical_inefficiency

# The mean may be off by so much. A run knows it when that is 2.33 standard errors: then an error of a tenth, twice as
# much, is seen in 98 runs of 100 and heating by 30 % in 89; longer runs see more.
TOLERANCE = 0.05
KNOWN_SIGMAS = float(stats.norm.isf(0.01))
LARGEST_STDERR = TOLERANCE / KNOWN_SIGMAS
SMALLEST_STDERR = LARGEST_STDERR / 10
STEADY_SIGMAS = float(stats.norm.isf(0.0025))
# Langevin friction that holds the temperature as a chain does, in units of the chain's rate 1/tau: 1.3 by the scatter
# of 39 labels of glasses, 2.0 to 3.9 in the Lennard-Jones model (docs/design/label-gates.md).
CHAIN_FRICTION = 1.3
SAME = 1e-6
LANGEVIN, ISOLATED = "langevin", "nve"


@dataclass(frozen=True)
class Coupling:
    """How a thermostat holds the temperature, which decides how well a run can know it.

    Attributes:
        rate_per_ps: Langevin friction, or 1/tau of a Nose-Hoover chain.
        noisy: whether it works by noise (Langevin).
    """

    rate_per_ps: float
    noisy: bool

    @property
    def forgetting_per_ps(self) -> float:
        """Langevin friction that holds the temperature as well."""
        return self.rate_per_ps * (1.0 if self.noisy else CHAIN_FRICTION)

    def stderr(self, atoms: int, *, duration_ps: float) -> float:
        """Relative standard error of the mean kinetic temperature of a run.

        Langevin: the noise added by the time t has no memory, and friction takes it away at the rate 2 gamma K, so
        mean K - K0 = (noise - change of energy) / (2 gamma t), the noise of variance 4 gamma K k_B T t: the result is
        sqrt(2 / (3 N gamma t)). Nose-Hoover: mean K - K0 is the mean of p1 p2 / 2 Q2, momenta of the chain, which
        forgets itself within about tau: of thermal size sqrt(3 N) k_B T tau and 1 / tau they give the same, with
        gamma a multiple of 1 / tau.
        """
        return float(np.sqrt(2 / (3 * atoms * max(1.0, self.forgetting_per_ps * duration_ps))))

    def needed_ps(self, atoms: int) -> float:
        """Length of a run that knows its temperature."""
        return 2 / (3 * atoms * LARGEST_STDERR**2) / self.forgetting_per_ps

    def flight_ps(self, duration_ps: float) -> float:
        """How long a cell flies at its thermal speed to come as far as it does under the thermostat (root mean square).

        Friction turns flight into diffusion, 2 (gamma t - 1 + exp(-gamma t)) / gamma^2 (Ornstein and Uhlenbeck, 1930);
        a chain leaves the cell's own motion alone.
        """
        spans = self.rate_per_ps * duration_ps
        if not self.noisy or spans < SAME:
            return duration_ps
        return float(np.sqrt(2 * (spans + np.expm1(-spans)))) / self.rate_per_ps

    @classmethod
    def of(cls, trajectory: Trajectory) -> "Coupling | None":
        """As the trajectory carries it; None where it carries none, or has no thermostat."""
        if trajectory.friction_per_ps is None:
            return None
        return cls.under(trajectory.thermostat, rate_per_ps=trajectory.friction_per_ps)

    @classmethod
    def under(cls, thermostat: str, *, rate_per_ps: float) -> "Coupling":
        """Of a thermostat by its name, as in `MDPlan`."""
        return cls(rate_per_ps, noisy=thermostat == LANGEVIN)


GOOD_COUPLING = Coupling(rate_per_ps=10.0, noisy=False)
# The strongest that is in common use (0.01 / fs), reckoned with where nothing is known of the thermostat.
USUAL_LANGEVIN = Coupling(rate_per_ps=10.0, noisy=True)


@dataclass(frozen=True)
class Kicks:
    """What a thermostat that works by noise hides from frames.

    Attributes:
        share: of the mean squared velocity, beyond the Nyquist frequency of the frames.
        stated: whether the thermostat is known; where it is not, a usual one of that kind must be reckoned with.
    """

    share: float
    stated: bool = True

    @classmethod
    def of(cls, coupling: Coupling | None, *, thermostat: str, frame_interval_ps: float) -> "Kicks":
        """Of a run.

        A velocity that is kicked and slowed at the rate gamma has the spectrum 2 gamma / (w^2 + gamma^2), of which the
        share (2 / pi) arctan(gamma dt / pi) lies beyond pi / dt.

        Args:
            coupling: where known.
            thermostat: as the trajectory carries it; without one there are no kicks.
            frame_interval_ps: between frames.
        """
        stated = coupling is not None or thermostat == ISOLATED
        known = coupling if stated else USUAL_LANGEVIN
        if known is None or not known.noisy:
            return cls(0.0, stated=stated)
        return cls(float(2 / np.pi * np.arctan(known.rate_per_ps * frame_interval_ps / np.pi)), stated=stated)


def series_stderr(temperatures_K: FloatArray) -> float:
    """Relative standard error of the mean of a series of temperatures, from its own correlation."""
    samples = len(temperatures_K) / statistical_inefficiency(temperatures_K)
    return float(temperatures_K.std() / temperatures_K.mean() / np.sqrt(samples))


def known_gate(stderr: float, *, coupling: Coupling | None, atoms: int, duration_ps: float) -> GateOutcome:
    """Whether the run knows its mean temperature well enough to show an error of a tenth.

    Args:
        stderr: relative, of the mean.
        coupling: of the thermostat, or None.
        atoms: how many there are.
        duration_ps: of what was analysed.
    """
    message = f"mean temperature known within {stderr:.2%}, needed {LARGEST_STDERR:.2%}"
    if stderr > LARGEST_STDERR:
        needed = coupling.needed_ps(atoms) if coupling else duration_ps * (stderr / LARGEST_STDERR) ** 2
        message += f": analyse {needed:.2g} ps instead of {duration_ps:.2g}"
        if coupling is not None and coupling.forgetting_per_ps < GOOD_COUPLING.forgetting_per_ps:
            message += f", or {GOOD_COUPLING.needed_ps(atoms):.2g} under a Nose-Hoover chain at 10 / ps"
    return gate_of("temperature_known", stderr, upper=LARGEST_STDERR, message=message)


def temperature_gate(mean_K: float, *, target_K: float, stderr: float, unseen: float = 0.0) -> GateOutcome:
    """Whether the mean kinetic temperature is the one asked for, within 5 %.

    Args:
        mean_K: of the run.
        target_K: asked for.
        stderr: relative; a run that does not know its temperature (`known_gate`) is given 2.33 of them.
        unseen: share by which the mean may be too low, where it was read off positions.
    """
    width = max(TOLERANCE, KNOWN_SIGMAS * stderr) * target_K
    return gate_of(
        "temperature",
        mean_K,
        lower=target_K * (1 - unseen) - width,
        upper=target_K + width,
        unit="K",
        message=f"mean {mean_K:.0f} K where {target_K:.0f} K was set, known within {stderr:.1%}",
    )


def steady_temperature_gate(temperatures_K: FloatArray, *, stderr: float | None) -> GateOutcome:
    """Whether the temperature rises or falls steadily, in a two-sided test at 0.5 %.

    A straight line through a series whose mean has the standard error s ends sqrt(12) s from where it begins, within
    its own error.

    Args:
        temperatures_K: of a run, relaxation left out, shape (n,).
        stderr: relative, of their mean, see `Coupling`; None: what the line leaves of the series tells.
    """
    count = len(temperatures_K)
    rise, left = relative_change(temperatures_K)
    own = float(left.std() * np.sqrt(statistical_inefficiency(left) / count))
    # A temperature that is held exactly, by rescaling, rises by nothing that matters.
    error = float(np.hypot(stderr or own, SMALLEST_STDERR))
    z = rise / (np.sqrt(12) * error)
    return gate_of(
        "steady_temperature",
        z,
        lower=-STEADY_SIGMAS,
        upper=STEADY_SIGMAS,
        message=f"the temperature changes by {rise:+.0%} over the run, {abs(z):.1f} standard errors",
    )


def set_temperature_gate(set_K: float | None, *, asked_K: float) -> GateOutcome:
    """Whether the thermostat was set to the temperature that is asked about.

    A run that does not carry what it was set to is judged by its mean alone, which it has to know (`known_gate`).

    Args:
        set_K: as the trajectory carries it, None where it does not.
        asked_K: of the label.
    """
    if set_K is None:
        return GateOutcome(
            name="set_temperature", passed=True, message="the trajectory does not carry it: its mean decides"
        )
    return gate_of(
        "set_temperature",
        set_K,
        lower=asked_K * (1 - SAME),
        upper=asked_K * (1 + SAME),
        unit="K",
        message=f"thermostat set to {set_K:g} K for a label at {asked_K:g} K",
    )
