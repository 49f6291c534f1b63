"""Gates on a label: each a measured number against limits, with the sentence that says so."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase.data import chemical_symbols
from scipy import stats

from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.schemas.label import FrameworkState
from vitrion_workflows.transport.bound import JUMP_A, counted_jumps, jump_cm2_per_s
from vitrion_workflows.transport.continuity import Continuity
from vitrion_workflows.transport.equilibration import Equilibration
from vitrion_workflows.transport.estimate import DiffusivityEstimate
from vitrion_workflows.transport.flow import SublatticeFlow
from vitrion_workflows.transport.frames import BOLTZMANN_u_A2_PER_PS2_K, SpeciesMotion
from vitrion_workflows.transport.framework import Framework
from vitrion_workflows.transport.window import LATEST_START, VIBRATION_PS

# A two-sided test that is wrong in three sound runs of a thousand: a label has a dozen tests to pass.
SIGMAS = 3.0
# Free flight is a strict bound in equilibrium; the temperature gate leaves a twentieth, the rest is slack.
BALLISTIC_LIMIT = 1.25
# Standard errors of short correlated series are themselves uncertain, known with some seven degrees of freedom.
DRIFT_LIMIT_SIGMAS = float(stats.t.isf(stats.norm.sf(SIGMAS), 7))
# On top, few atoms have a temperature of their own: it forgets itself about once a ps.
BALLISTIC_SIGMAS = 4.0
TEMPERATURE_MEMORY_PS = 1.0
# Whole paths of 47 sound runs of small cells, frames 100 fs apart, step up to 0.77 of a cell; an atom that is put back
# into the cell goes by one less its own step, and some atom by 0.99.
WRAPPED_STEP = 0.85
# Speed of a body in units of sqrt(k_B T / M) that thermal motion exceeds once in a thousand (Maxwell).
FASTEST_CELL = float(stats.chi.isf(1e-3, 3))
# Twice the logarithm of a likelihood ratio: 3 is odds of 4.5 to 1 for a power law.
LARGEST_ANOMALY = 3.0
SHORTEST_SURE_PS = VIBRATION_PS / LATEST_START
LARGEST_BEND = 0.2
# Change of the slope over the window that a power law is refused for at once: exponents below 0.78 or above 1.22.
LARGEST_CHANGE = 0.3
# None is told from a smaller one.
SMALLEST_CHANGE = 0.02
# How many jumps make a rate.
FEWEST_JUMPS = 10.0
SMALLEST_SIGNAL = 2.5


def equilibrated_gate(found: Equilibration, *, frames: int) -> GateOutcome:
    """Whether energy and temperature stand still in what is left after equilibration."""
    return gate_of(
        "equilibrated",
        found.drift_sigmas if found.drift_sigmas is not None else float("nan"),
        upper=DRIFT_LIMIT_SIGMAS,
        message=f"{found.frames / frames:.0%} of the run discarded for {found.series}; "
        f"the rest drifts by {found.drift_sigmas or 0.0:.1f} standard errors",
    )


def ballistic_gate(motion: Sequence[SpeciesMotion], *, duration_ps: float) -> GateOutcome:
    """Whether no species moves further between frames than its thermal velocity carries it."""
    windows = max(1.0, duration_ps / TEMPERATURE_MEMORY_PS)

    def limit(one: SpeciesMotion) -> float:
        return BALLISTIC_LIMIT + BALLISTIC_SIGMAS * float(np.sqrt(2 / (3 * one.atoms * windows)))

    worst = max(motion, key=lambda one: one.ballistic_ratio / limit(one))
    ratio, upper = worst.ballistic_ratio, limit(worst)
    return gate_of(
        "ballistic_bound",
        ratio,
        upper=upper,
        message=f"squared step {ratio:.2g} of free flight"
        + (": interval stated too short, positions wrapped, or too hot" if ratio > upper else ""),
    )


def planned_interval_gate(frame_interval_ps: float, *, planned_ps: float) -> GateOutcome:
    """Whether the trajectory carries the frame interval of the protocol."""
    passed = bool(np.isclose(frame_interval_ps, planned_ps, rtol=1e-6, atol=0.0))
    return GateOutcome(
        name="planned_interval",
        passed=passed,
        value=frame_interval_ps,
        lower=planned_ps,
        upper=planned_ps,
        unit="ps",
        message=f"frames {frame_interval_ps:g} ps apart, planned {planned_ps:g} ps",
    )


def unwrapped_gate(largest_step: float) -> GateOutcome:
    """Whether positions are continuous: no atom jumps by nearly a cell."""
    return gate_of(
        "unwrapped",
        largest_step,
        upper=WRAPPED_STEP,
        message=f"longest step {largest_step:.2g} of a cell vector"
        + (": positions are wrapped" if largest_step > WRAPPED_STEP else ""),
    )


def missing_frame_gate(steps: Continuity) -> GateOutcome:
    """Whether every step fits those before and after it: log odds of an interruption over the run's own limit."""
    return gate_of(
        "missing_frame",
        steps.log_odds - steps.limit,
        upper=0.0,
        message=f"step to frame {steps.at}: log odds {steps.log_odds:.0f} of an interruption, limit {steps.limit:.0f}"
        + (": frames are missing before it, or it goes back" if steps.log_odds > steps.limit else ""),
    )


def repeated_frame_gate(steps: Continuity) -> GateOutcome:
    """Whether no frame is a copy of an earlier one."""
    count = len(steps.copies)
    return gate_of(
        "repeated_frame",
        float(count),
        upper=0.0,
        message=f"{count} frames repeat an earlier one" + (f", first {steps.copies[0]}" if count else ""),
    )


def drift_gate(drift_A: float, *, mass_u: float, temperature_K: float, flight_ps: float) -> GateOutcome:
    """Whether the cell as a whole moves no faster than a body of its mass would by heat, but once in a thousand.

    Args:
        drift_A: path of the centre of mass; it is taken out, and changes nothing.
        mass_u: of the cell.
        temperature_K: of the run.
        flight_ps: time for which it flies at its thermal speed, see `Coupling.flight_ps`.
    """
    speed = float(np.sqrt(BOLTZMANN_u_A2_PER_PS2_K * temperature_K / mass_u))
    return gate_of(
        "drift",
        drift_A,
        upper=FASTEST_CELL * speed * flight_ps,
        unit="A",
        message=f"centre of mass moved {drift_A:.2g} A; removed",
    )


def flow_gate(flow: SublatticeFlow) -> GateOutcome:
    """Whether every sublattice stays with the others, but for what diffusion does."""
    return gate_of(
        "sublattice_flow",
        flow.ratio,
        upper=flow.limit,
        message=f"{chemical_symbols[flow.number]} as a whole moves at {flow.speed_A_per_frame:.2g} A a frame"
        + (": its sublattice drifts" if flow.ratio > flow.limit else ""),
    )


def straight_gate(estimate: DiffusivityEstimate) -> GateOutcome:
    """Whether the slope stands still from one window to the next, within 20 % or three standard errors.

    What it bends widens the interval in any case; where that leaves none, there is no slope to speak of.
    """
    start, value = estimate.fit_window_ps[0], estimate.value_cm2_per_s
    noise = SIGMAS * estimate.noise_cm2_per_s / value if value > 0 else 0.0
    told = f"still bends by {estimate.bend:.0%} at" if estimate.bend else "straight from"
    if estimate.interval_95 is None and value >= SMALLEST_SIGNAL * estimate.noise_cm2_per_s:
        message = f"MSD {told} {start:.3g} ps, but changes by too much to leave D an interval"
        return gate_of("straight", float("nan"), upper=LARGEST_BEND, message=message)
    return gate_of("straight", estimate.bend, upper=max(LARGEST_BEND, noise), message=f"MSD {told} {start:.3g} ps")


def exponent_gate(estimate: DiffusivityEstimate) -> GateOutcome:
    """Whether diffusion in a cage explains the whole motion as well as a power law without a plateau does."""
    return gate_of(
        "exponent",
        estimate.anomaly,
        upper=exponent_limit(
            estimate.exponent,
            stderr=estimate.exponent_stderr,
            window_ps=estimate.fit_window_ps,
            duration_ps=estimate.duration_ps,
            scale_free=estimate.scale_free,
        ),
        message=exponent_sentence(estimate.exponent, stderr=estimate.exponent_stderr, evidence=estimate.anomaly),
    )


def exponent_sentence(exponent: float, *, stderr: float, evidence: float) -> str:
    """What the gate says: the exponent is that of a power law, which need not be what the motion is.

    Args:
        exponent: of the power law that fits best.
        stderr: its standard error.
        evidence: against diffusion, see `DiffusivityEstimate`.
    """
    favoured = "it" if evidence > 0 else "diffusion"
    return (
        f"a power law would have the exponent {exponent:.2f} +- {stderr:.2f}; {favoured} is favoured by "
        f"{abs(evidence):.1f} in twice the log likelihood"
    )


def exponent_limit(
    exponent: float, *, stderr: float, window_ps: tuple[float, float], duration_ps: float, scale_free: bool
) -> float:
    """Greatest evidence against diffusion that a run may have.

    A power law is refused where it changes the slope over the window by three tenths and more. Where it changes less,
    D means much the same, and its interval is widened by the change; melts of many ions show a slow relaxation long
    before it matters. Evidence grows with the square of the change, and so it is weighed by that. Motion that is a
    power law from the frames on, and no other, cannot plead so: atoms in a melt have inertia and cages. In a run too
    short to start beyond two periods of the slowest vibrations such motion cannot plead a slow cage either: if its
    exponent is surely not one, and matters, the cage has to explain it at least as well; within one period the cage has
    to explain any motion better.

    Args:
        exponent: of the mean squared displacement at long times.
        stderr: its standard error.
        window_ps: first and last lag of the fit.
        duration_ps: length of the run.
        scale_free: see `LongTimes`.
    """
    away = abs(1 - exponent)
    change = away * float(np.log(window_ps[1] / window_ps[0]))
    sure = away > SIGMAS * stderr
    if change <= LARGEST_CHANGE and not (scale_free and sure):
        return LARGEST_ANOMALY * (LARGEST_CHANGE / max(change, SMALLEST_CHANGE)) ** 2
    if change <= LARGEST_CHANGE or not sure or duration_ps >= SHORTEST_SURE_PS:
        return LARGEST_ANOMALY
    if duration_ps < SHORTEST_SURE_PS / 2:
        return -LARGEST_ANOMALY
    return 0.0 if scale_free else LARGEST_ANOMALY


def halves_gate(first: DiffusivityEstimate, second: DiffusivityEstimate, whole: DiffusivityEstimate) -> GateOutcome:
    """Whether both halves of the run give one diffusivity, in a two-sided test at three standard errors.

    A half cannot know D better than the whole by the square root of two; a half in which little happened to happen
    claims so.
    """
    least = float(np.sqrt(2.0)) * whole.noise_cm2_per_s
    error = np.hypot(max(first.noise_cm2_per_s, least), max(second.noise_cm2_per_s, least))
    z = float((first.value_cm2_per_s - second.value_cm2_per_s) / error)
    return gate_of(
        "halves_agree",
        z,
        lower=-SIGMAS,
        upper=SIGMAS,
        message=f"D {first.value_cm2_per_s:.3g} and {second.value_cm2_per_s:.3g} cm2/s, {abs(z):.1f} sigma apart",
    )


@dataclass(frozen=True)
class Resolution:
    """Whether a run saw enough motion to state a diffusivity.

    Attributes:
        gates: number of jumps, and value over standard error.
        upper_bound_cm2_per_s: one-sided 95 % upper bound, to be stored where a gate fails.
    """

    gates: tuple[GateOutcome, GateOutcome]
    upper_bound_cm2_per_s: float

    @property
    def resolved(self) -> bool:
        """Whether both gates passed."""
        return all(gate.passed for gate in self.gates)


def resolution(estimate: DiffusivityEstimate, *, ions: int) -> Resolution:
    """Judge whether the displacement is resolved.

    The rise of the MSD over the run, 6 D t, is that of n = 6 N D t / a^2 jumps of length a = 3 A. With few jumps the
    run bounds D but does not measure it. Jumps are rare independent events: having seen n, the 95 % upper bound on
    their expected number is the Poisson one, chi2_0.95(2 n + 2) / 2, three for n = 0. The stored bound is the larger
    of that and of the estimate's own, because an MSD that stays flat looks precise and only shows that nothing
    jumped yet.
    """
    per_jump = jump_cm2_per_s(ions=ions, duration_ps=estimate.duration_ps)
    jumps = estimate.value_cm2_per_s / per_jump
    signal = estimate.value_cm2_per_s / estimate.noise_cm2_per_s
    bound = counted_jumps(jumps) * per_jump
    return Resolution(
        gates=(
            gate_of(
                "resolved", jumps, lower=FEWEST_JUMPS, message=f"displacement of {jumps:.1f} jumps of {JUMP_A:g} A"
            ),
            gate_of("signal", signal, lower=SMALLEST_SIGNAL, message=f"value {signal:.1f} times its standard error"),
        ),
        upper_bound_cm2_per_s=max(bound, estimate.upper_95),
    )


def framework_gate(found: Framework) -> GateOutcome:
    """Report what the framework did; both a glass and a melt are labelled, so it always passes."""
    if found.state is FrameworkState.ABSENT:
        return GateOutcome(name="framework", passed=True, value=0.0, message="no framework: every atom is mobile")
    return GateOutcome(
        name="framework",
        passed=True,
        value=found.ratio,
        message=f"framework {found.state.value}: moved {found.ratio:.2f} spacings, growth {found.growth:.2f}",
    )
