"""Stopping rule of a labelling run: its error has reached the target, or the cell will never reach it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np
from ase.data import atomic_numbers

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, LN_10
from vitrion_workflows.diffusivity import gates
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES, DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.diffusivity.gates import JUMP_A
from vitrion_workflows.diffusivity.window import VIBRATION_PS
from vitrion_workflows.schemas.label import LabelProtocol, StopReason
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.equilibration import equilibration_of
from vitrion_workflows.validation.temperature import LARGEST_STDERR, Coupling

# Each look is a tenth longer than the one before: a run is never more than a tenth too long, and a look costs 10 ms.
LOOK_GROWTH = 1.1
# The criterion must have held at this share of the run, too.
CONFIRMED_AT = 0.8
# Jumps that ions make on average before a run may end, those undone included: with fewer, many have yet to be undone.
JUMPS_EACH = 6.0
# Of all ions together: the rate of a run that ends at jump n is too fast by 1 / n (Haldane, Biometrika 33, 222, 1945).
JUMPS_IN_ALL = 72.0

EstimateOf = Callable[[int], DiffusivityEstimate | None]


@dataclass(frozen=True)
class StoppingRule:
    """Rule by which a run ends before its longest time.

    Its numbers are checked by `LabelProtocol`; with least_ps beyond most_ps no run ends early.

    Attributes:
        target_log10_stderr: standard error of log10 D to reach, decades.
        least_ps: shortest run.
        most_ps: longest run.
        frame_interval_ps: time between frames.
        coupling: of the thermostat; a run goes on until it resolves its temperature. None skips this condition.
    """

    target_log10_stderr: float
    least_ps: float
    most_ps: float
    frame_interval_ps: float
    coupling: Coupling | None = None

    @property
    def looks(self) -> tuple[int, ...]:
        """Numbers of steps between frames after which it may end: least_ps times powers of 1.1, below most_ps.

        They depend on the rule alone, not on the clock or on interruptions.
        """
        first, last = (round(time / self.frame_interval_ps) for time in (self.least_ps, self.most_ps))
        powers = takewhile(lambda look: look < last, (round(first * LOOK_GROWTH**power) for power in count()))
        return tuple(powers)

    def reason(self, look: int, estimate_of: EstimateOf, *, ions: int) -> StopReason | None:
        """Return why the run may end at a look, or None where it goes on.

        A run ends when the criterion holds at this look and over the first four fifths of it: an error that is small
        by chance is seldom so twice, which keeps the interval valid although the run chooses its own end.

        Args:
            look: one of `looks`.
            estimate_of: number of first steps -> their estimate; None where they are too few.
            ions: number of mobile ions.
        """
        estimate = estimate_of(look)
        reason = None if estimate is None else self._criterion(estimate, ions)
        if estimate is None or reason is None:
            return None
        if reason is not StopReason.HOPELESS and not _moved_enough(estimate, ions):
            return None
        earlier = estimate_of(round(look * CONFIRMED_AT))
        confirmed = earlier is not None and self._criterion(earlier, ions) is reason
        return reason if confirmed else None

    def _criterion(self, estimate: DiffusivityEstimate, ions: int) -> StopReason | None:
        resolution = gates.resolution(estimate, ions=ions)
        if not resolution.resolved:
            return StopReason.HOPELESS if self._hopeless(resolution.upper_bound_cm2_per_s, ions) else None
        linear = gates.measure_curvature(estimate).passed and gates.measure_exponent(estimate).passed
        precise = estimate.log10_stderr <= self.target_log10_stderr
        return StopReason.TARGET if linear and precise else None

    def _hopeless(self, bound_cm2_per_s: float, ions: int) -> bool:
        """Return True if too few jumps are expected even at the upper bound: n of them give a rate within n^(-1/2)."""
        needed = max(gates.FEWEST_JUMPS, (self.target_log10_stderr * LN_10) ** -2)
        travelled_A2 = 6 * ions * bound_cm2_per_s / A2_PER_PS_IN_CM2_PER_S * self.most_ps
        return bool(travelled_A2 < needed * JUMP_A**2)


def _moved_enough(estimate: DiffusivityEstimate, ions: int) -> bool:
    """Return True if so many jumps were made that neither those to be undone nor the choice of the end bias D."""
    return _jumps_each(estimate) >= max(JUMPS_EACH, JUMPS_IN_ALL / ions)


def _jumps_each(estimate: DiffusivityEstimate) -> float:
    """Return the jumps of 3 A that an ion has made, from the rise of the MSD between about 1 and 2 ps.

    This rise is known better than D and hardly correlated with it: a run must not end because D is high by chance.
    """
    lags, msd = np.array(estimate.msd.lag_ps), np.array(estimate.msd.msd_A2)
    early = int(np.searchsorted(lags, VIBRATION_PS))
    late = int(np.searchsorted(lags, 2 * VIBRATION_PS))
    if not early < late < len(lags):
        return 0.0
    rate_A2_per_ps = (msd[late] - msd[early]) / (lags[late] - lags[early])
    return float(rate_A2_per_ps * estimate.duration_ps / JUMP_A**2)


def stopping_rule(protocol: LabelProtocol) -> StoppingRule | None:
    """Return the rule of a protocol; None where it runs its whole length."""
    if protocol.target_log10_stderr is None or protocol.least_ps is None:
        return None
    return StoppingRule(
        target_log10_stderr=protocol.target_log10_stderr,
        least_ps=protocol.least_ps,
        most_ps=protocol.production_ps,
        frame_interval_ps=protocol.frame_interval_fs / 1000,
        coupling=Coupling.under(protocol.thermostat, rate_per_ps=protocol.friction_per_ps),
    )


def stop_reason(trajectory: Trajectory, *, species: str, rule: StoppingRule) -> StopReason | None:
    """Return why a run may end with the frames it has, or None where it goes on.

    Depends on the frames alone, so that an interrupted run ends where an undisturbed one does.

    Args:
        trajectory: all frames so far.
        species: chemical symbol of the mobile ions.
        rule: when to end.
    """
    steps = len(trajectory) - 1
    if steps >= round(rule.most_ps / rule.frame_interval_ps):
        return StopReason.MOST
    if steps not in rule.looks or not _resolves_temperature(trajectory, rule):
        return None
    mobile = trajectory.numbers == atomic_numbers[species]

    def estimate_of(length: int) -> DiffusivityEstimate | None:
        part = trajectory.first(length + 1)
        positions = part.positions_A[equilibration_of(part).frames :]
        ions = remove_drift(positions, part.masses_u)[:, mobile]
        if len(ions) < FEWEST_FRAMES or not ions.any():
            return None
        return estimate_diffusivity(ions, part.frame_interval_ps)

    return rule.reason(steps, estimate_of, ions=int(mobile.sum()))


def _resolves_temperature(trajectory: Trajectory, rule: StoppingRule) -> bool:
    if rule.coupling is None:
        return True
    kept_ps = (len(trajectory) - 1 - equilibration_of(trajectory).frames) * rule.frame_interval_ps
    return rule.coupling.stderr(len(trajectory.numbers), duration_ps=kept_ps) <= LARGEST_STDERR
