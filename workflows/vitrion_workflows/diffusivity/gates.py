"""Gates on a label: each a measured number against limits, with the sentence that says so."""

from dataclasses import dataclass

import numpy as np

from vitrion_workflows.diffusivity.censoring import JUMP_A, counted_jumps, jump_cm2_per_s
from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
from vitrion_workflows.diffusivity.window import LATEST_START, VIBRATION_PS
from vitrion_workflows.schemas.gate import GateOutcome, Measurement, gate_of, measurement_of

# A two-sided test that is wrong in three sound runs of a thousand: a label has a dozen tests to pass.
SIGMAS = 3.0
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


def straight_gate(estimate: DiffusivityEstimate) -> Measurement:
    """Whether the slope stands still from one window to the next, within 20 % or three standard errors.

    What it bends widens the interval in any case; where that leaves none, there is no slope to speak of.
    """
    start, value = estimate.fit_window_ps[0], estimate.value_cm2_per_s
    noise = SIGMAS * estimate.noise_cm2_per_s / value if value > 0 else 0.0
    told = f"still bends by {estimate.bend:.0%} at" if estimate.bend else "straight from"
    if estimate.interval_95 is None and value >= SMALLEST_SIGNAL * estimate.noise_cm2_per_s:
        message = f"MSD {told} {start:.3g} ps, but changes by too much to leave D an interval"
        return measurement_of("curvature", float("nan"), upper=LARGEST_BEND, message=message)
    return measurement_of(
        "curvature", estimate.bend, upper=max(LARGEST_BEND, noise), message=f"MSD {told} {start:.3g} ps"
    )


def exponent_gate(estimate: DiffusivityEstimate) -> Measurement:
    """Whether diffusion in a cage explains the whole motion as well as a power law without a plateau does."""
    return measurement_of(
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


def halves_gate(first: DiffusivityEstimate, second: DiffusivityEstimate, whole: DiffusivityEstimate) -> Measurement:
    """Whether both halves of the run give one diffusivity, in a two-sided test at three standard errors.

    A half cannot know D better than the whole by the square root of two; a half in which little happened to happen
    claims so.
    """
    least = float(np.sqrt(2.0)) * whole.noise_cm2_per_s
    error = np.hypot(max(first.noise_cm2_per_s, least), max(second.noise_cm2_per_s, least))
    z = float((first.value_cm2_per_s - second.value_cm2_per_s) / error)
    return measurement_of(
        "halves",
        z,
        lower=-SIGMAS,
        upper=SIGMAS,
        message=f"D {first.value_cm2_per_s:.3g} and {second.value_cm2_per_s:.3g} cm2/s, {abs(z):.1f} sigma apart",
    )


@dataclass(frozen=True)
class Resolution:
    """Whether a run saw enough motion to state a diffusivity.

    Attributes:
        gate: number of jumps, and value over standard error.
        upper_bound_cm2_per_s: one-sided 95 % upper bound, to be stored where the gate fails.
    """

    gate: GateOutcome
    upper_bound_cm2_per_s: float

    @property
    def resolved(self) -> bool:
        """True where both numbers lie above their limits."""
        return self.gate.passed


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
        gate=gate_of(
            "resolution",
            (
                measurement_of(
                    "n_jumps", jumps, lower=FEWEST_JUMPS, message=f"displacement of {jumps:.1f} jumps of {JUMP_A:g} A"
                ),
                measurement_of(
                    "signal_to_noise",
                    signal,
                    lower=SMALLEST_SIGNAL,
                    message=f"value {signal:.1f} times its standard error",
                ),
            ),
        ),
        upper_bound_cm2_per_s=max(bound, estimate.upper_95),
    )
