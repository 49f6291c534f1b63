"""When a label's run may end: its error has reached the target, or the cell will never reach it."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count, takewhile

import numpy as np
from ase.data import atomic_numbers

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_workflows.diffusivity import gates
from vitrion_workflows.diffusivity.censoring import JUMP_A
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES, DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.diffusivity.window import VIBRATION_PS
from vitrion_workflows.schemas.label import LabelProtocol, StopReason
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.trajectories.trajectory import Trajectory
from vitrion_workflows.validation.equilibration import equilibration_of
from vitrion_workflows.validation.thermostat import LARGEST_STDERR, Coupling

# Each look is a tenth longer than the one before: a run is never more than a tenth too long, and a look costs 10 ms.
LOOK_GROWTH = 1.1
# What ends a run must have held at this share of it, too.
CONFIRMED_AT = 0.8
# Jumps that ions make on average before a run may end, those undone included: with fewer, many have yet to be undone.
JUMPS_EACH = 6.0
# Of all ions together: what ends when n were seen is too fast by 1 / n (Haldane, Biometrika 33, 222, 1945).
JUMPS_IN_ALL = 72.0

EstimateOf = Callable[[int], DiffusivityEstimate | None]


@dataclass(frozen=True)
class StoppingRule:
    """When a run ends before its longest time.

    Its numbers are checked by `LabelProtocol`; a least time beyond the most is no error, and then no run ends early.

    Attributes:
        target_log10_stderr: standard error of log10 D that is good enough, decades.
        least_ps: shortest run.
        most_ps: longest run.
        frame_interval_ps: time between frames.
        coupling: of the thermostat; a run that does not know its temperature yet goes on. None does not ask.
    """

    target_log10_stderr: float
    least_ps: float
    most_ps: float
    frame_interval_ps: float
    coupling: Coupling | None = None

    @property
    def looks(self) -> tuple[int, ...]:
        """Steps between frames after which it may end, ascending: least_ps times powers of 1.1, below most_ps.

        They depend on nothing but the rule: neither the clock nor an interruption moves them.
        """
        first, last = (round(time / self.frame_interval_ps) for time in (self.least_ps, self.most_ps))
        powers = takewhile(lambda look: look < last, (round(first * LOOK_GROWTH**power) for power in count()))
        return tuple(powers)

    def reason(self, look: int, estimate_of: EstimateOf, *, ions: int) -> StopReason | None:
        """Why the run may end at a look, or None where it goes on.

        A run ends when the criterion holds at this look and over the first four fifths of it: an error that was small
        by chance is seldom so twice, which is what keeps the interval honest although the run chose its own end.

        Args:
            look: one of `looks`.
            estimate_of: first so many steps of the run -> what they say; None where they are too few.
            ions: number of mobile ions.
        """
        verdicts = []
        for steps in (look, round(look * CONFIRMED_AT)):
            estimate = estimate_of(steps)
            if estimate is None:
                return None
            verdicts.append(self._verdict(estimate, ions))
            enough = verdicts[0] is StopReason.HOPELESS or steps < look or _moved_enough(estimate, ions)
            if verdicts[-1] is None or verdicts[-1] is not verdicts[0] or not enough:
                return None
        return verdicts[0]

    def _verdict(self, estimate: DiffusivityEstimate, ions: int) -> StopReason | None:
        seen = gates.resolution(estimate, ions=ions)
        if not seen.resolved:
            return StopReason.HOPELESS if self._hopeless(seen.upper_bound_cm2_per_s, ions) else None
        settled = gates.straight_gate(estimate).passed and gates.exponent_gate(estimate).passed
        good = estimate.log10_stderr <= self.target_log10_stderr
        return StopReason.TARGET if settled and good else None

    def _hopeless(self, bound_cm2_per_s: float, ions: int) -> bool:
        """Whether too few jumps would be seen even at the upper bound: n of them give a rate within n^(-1/2)."""
        needed = max(gates.FEWEST_JUMPS, (self.target_log10_stderr * np.log(10)) ** -2)
        travelled_A2 = 6 * ions * bound_cm2_per_s / A2_PER_PS_IN_CM2_PER_S * self.most_ps
        return bool(travelled_A2 < needed * JUMP_A**2)


def _moved_enough(estimate: DiffusivityEstimate, ions: int) -> bool:
    """Whether so many jumps were made that neither those to be undone nor the choice of this end make D too large."""
    return _jumps_each(estimate) >= max(JUMPS_EACH, JUMPS_IN_ALL / ions)


def _jumps_each(estimate: DiffusivityEstimate) -> float:
    """Jumps of 3 A that an ion has made, from the rise of the MSD between about 1 and 2 ps.

    This rise is known better than D, and hardly moves with it: a run must not end for being seen to diffuse fast.
    """
    lags, msd = np.array(estimate.msd.lag_ps), np.array(estimate.msd.msd_A2)
    early = int(np.searchsorted(lags, VIBRATION_PS))
    late = int(np.searchsorted(lags, 2 * VIBRATION_PS))
    if not early < late < len(lags):
        return 0.0
    rate_A2_per_ps = (msd[late] - msd[early]) / (lags[late] - lags[early])
    return float(rate_A2_per_ps * estimate.duration_ps / JUMP_A**2)


def stopping_rule(protocol: LabelProtocol) -> StoppingRule | None:
    """The rule of a protocol; None where it runs its whole length."""
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
    """Why a run may end with the frames it has, or None where it goes on.

    A function of the frames alone, so that an interrupted run ends where an undisturbed one does.

    Args:
        trajectory: all frames so far.
        species: chemical symbol of the mobile ions.
        rule: when to end.
    """
    steps = len(trajectory) - 1
    if steps >= round(rule.most_ps / rule.frame_interval_ps):
        return StopReason.MOST
    if steps not in rule.looks or not _knows_temperature(trajectory, rule):
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


def _knows_temperature(trajectory: Trajectory, rule: StoppingRule) -> bool:
    if rule.coupling is None:
        return True
    kept_ps = (len(trajectory) - 1 - equilibration_of(trajectory).frames) * rule.frame_interval_ps
    return rule.coupling.stderr(len(trajectory.numbers), duration_ps=kept_ps) <= LARGEST_STDERR
