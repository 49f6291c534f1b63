"""A diffusivity with its gates: is the displacement resolved, and is the MSD linear?"""

from dataclasses import dataclass, field, fields
from functools import cached_property

import numpy as np
from scipy import stats

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES, DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.diffusivity.window import LATEST_START, VIBRATION_PS
from vitrion_workflows.schemas.gate import GateOutcome, Measurement, gate_of, measurement_of
from vitrion_workflows.schemas.label import LabelState

# A jump between neighbouring sites of an ion conductor.
JUMP_A = 3.0
# A two-sided test that is wrong in three sound runs of a thousand: a label has a dozen tests to pass.
SIGMAS = 3.0
# Twice the logarithm of a likelihood ratio: 3 is odds of 4.5 to 1 for a power law.
LARGEST_ANOMALY = 3.0
SHORTEST_CERTAIN_PS = VIBRATION_PS / LATEST_START
LARGEST_CURVATURE = 0.2
# Change of the slope over the window that a power law is refused for at once: exponents below 0.78 or above 1.22.
LARGEST_CHANGE = 0.3
# A smaller one cannot be detected.
SMALLEST_CHANGE = 0.02
# Fewer jumps bound a rate but do not measure it.
FEWEST_JUMPS = 10.0
SMALLEST_SIGNAL = 2.5


def poisson_upper_bound(jumps: float) -> float:
    """Return the 95 % upper bound on the expected number of jumps given the observed one: three for none."""
    return float(stats.chi2.ppf(0.95, 2 * jumps + 2)) / 2


def diffusivity_per_jump(*, ions: float, duration_ps: float) -> float:
    """Return the diffusivity in cm2/s that one jump of 3 A of one ion contributes to a run."""
    return A2_PER_PS_IN_CM2_PER_S * JUMP_A**2 / (2 * DIMENSIONS * ions * duration_ps)


def measure_curvature(estimate: DiffusivityEstimate) -> Measurement:
    """Compare the change of the slope from one window to the next with 20 % or three standard errors.

    Curvature widens the interval in any case; where no interval is left, the slope is undefined and the gate fails.
    """
    start, value = estimate.fit_window_ps[0], estimate.value_cm2_per_s
    noise = SIGMAS * estimate.noise_cm2_per_s / value if value > 0 else 0.0
    shape = f"slope still changes by {estimate.curvature:.0%} at" if estimate.curvature else "linear from"
    if estimate.interval_95 is None and value >= SMALLEST_SIGNAL * estimate.noise_cm2_per_s:
        message = f"MSD {shape} {start:.3g} ps, but D has no interval: its slope changes too much"
        return measurement_of("curvature", float("nan"), upper=LARGEST_CURVATURE, message=message)
    return measurement_of(
        "curvature", estimate.curvature, upper=max(LARGEST_CURVATURE, noise), message=f"MSD {shape} {start:.3g} ps"
    )


def measure_exponent(estimate: DiffusivityEstimate) -> Measurement:
    """Compare the evidence for a power law over diffusion in a cage with its limit."""
    return measurement_of(
        "exponent",
        estimate.anomaly,
        upper=_anomaly_limit(
            estimate.exponent,
            stderr=estimate.exponent_stderr,
            window_ps=estimate.fit_window_ps,
            duration_ps=estimate.duration_ps,
            scale_free=estimate.scale_free,
        ),
        message=describe_exponent(estimate.exponent, stderr=estimate.exponent_stderr, evidence=estimate.anomaly),
    )


def describe_exponent(exponent: float, *, stderr: float, evidence: float) -> str:
    """Describe the exponent of the best power law, and which model the evidence favours.

    Args:
        exponent: of the power law that fits best.
        stderr: its standard error.
        evidence: against diffusion, see `DiffusivityEstimate`.
    """
    favoured = "the power law" if evidence > 0 else "diffusion"
    return (
        f"exponent of the best power law {exponent:.2f} +- {stderr:.2f}; {favoured} is favoured by "
        f"{abs(evidence):.1f} in twice the log likelihood"
    )


def _anomaly_limit(
    exponent: float, *, stderr: float, window_ps: tuple[float, float], duration_ps: float, scale_free: bool
) -> float:
    """Return the greatest evidence against diffusion that a run may have.

    A power law is refused where it changes the slope over the window by three tenths and more. Where it changes less,
    D is nearly the same, and its interval is widened by the change; melts of many ions show a slow relaxation long
    before it matters. Evidence grows with the square of the change, and so the limit is divided by that. A pure power
    law down to the frame interval gets no such allowance: melts show ballistic motion and caging. In a run too short to
    start beyond two periods of the slowest vibrations such motion may not be a slow cage either: if its exponent
    differs from one by three standard errors, and the change matters, the cage has to explain it at least as well;
    within one period the cage has to explain any motion better.

    Args:
        exponent: of the mean squared displacement at long times.
        stderr: its standard error.
        window_ps: first and last lag of the fit.
        duration_ps: length of the run.
        scale_free: see `LongTimeMotion`.
    """
    deviation = abs(1 - exponent)
    change = deviation * float(np.log(window_ps[1] / window_ps[0]))
    significant = deviation > SIGMAS * stderr
    if change <= LARGEST_CHANGE and not (scale_free and significant):
        return LARGEST_ANOMALY * (LARGEST_CHANGE / max(change, SMALLEST_CHANGE)) ** 2
    if change <= LARGEST_CHANGE or not significant or duration_ps >= SHORTEST_CERTAIN_PS:
        return LARGEST_ANOMALY
    if duration_ps < SHORTEST_CERTAIN_PS / 2:
        return -LARGEST_ANOMALY
    return 0.0 if scale_free else LARGEST_ANOMALY


def compare_halves(first: DiffusivityEstimate, second: DiffusivityEstimate, whole: DiffusivityEstimate) -> Measurement:
    """Compare the diffusivities of both halves of the run in a two-sided test at three standard errors.

    The error of a half is at least that of the whole times the square root of two: a half in which few jumps happened
    to occur states a smaller one. Each half is fitted in a window of its own (`choose_window`).
    """
    least = float(np.sqrt(2.0)) * whole.noise_cm2_per_s
    error = np.hypot(max(first.noise_cm2_per_s, least), max(second.noise_cm2_per_s, least))
    z = float((first.value_cm2_per_s - second.value_cm2_per_s) / error)
    return measurement_of(
        "halves",
        z,
        lower=-SIGMAS,
        upper=SIGMAS,
        message=f"D {_fitted(first)} and {_fitted(second)}, {abs(z):.1f} sigma apart",
    )


def _fitted(half: DiffusivityEstimate) -> str:
    first, last = half.fit_window_ps
    return f"{half.value_cm2_per_s:.3g} cm2/s (fitted at {first:.3g} to {last:.3g} ps)"


@dataclass(frozen=True)
class Resolution:
    """Resolution of the displacement: enough motion to state a diffusivity, or an upper bound.

    Attributes:
        gate: number of jumps, and value over standard error.
        upper_bound_cm2_per_s: one-sided 95 % upper bound, to be stored where the gate fails.
    """

    gate: GateOutcome
    upper_bound_cm2_per_s: float

    @property
    def resolved(self) -> bool:
        """True if both numbers lie above their limits."""
        return self.gate.passed


def resolution(estimate: DiffusivityEstimate, *, ions: int) -> Resolution:
    """Test whether the displacement is resolved.

    The rise of the MSD over the run, 6 D t, is that of n = 6 N D t / a^2 jumps of length a = 3 A. With few jumps the
    run bounds D but does not measure it. Jumps are rare independent events: with n observed, the 95 % upper bound on
    their expected number is the Poisson one, chi2_0.95(2 n + 2) / 2, three for n = 0. The stored bound is the larger
    of that and of the estimate's own, because a flat MSD looks precise although it only shows that no ion has
    jumped yet.
    """
    per_jump = diffusivity_per_jump(ions=ions, duration_ps=estimate.duration_ps)
    jumps = estimate.value_cm2_per_s / per_jump
    signal = estimate.value_cm2_per_s / estimate.noise_cm2_per_s
    bound = poisson_upper_bound(jumps) * per_jump
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


@dataclass(frozen=True, eq=False)
class Diffusivity(DiffusivityEstimate):
    """An estimate with the gates `resolution` and `linearity`.

    Errors of the displacements themselves show only in the trajectory (`analyse_trajectory`).

    Attributes:
        displacements_A: input of the estimate, shape (F, N, 3).
    """

    displacements_A: FloatArray = field(repr=False)

    @property
    def value(self) -> float:
        """Tracer diffusivity in cm2/s."""
        return self.value_cm2_per_s

    @property
    def interval(self) -> tuple[float, float] | None:
        """95 % interval in cm2/s; None where the value is below two standard errors."""
        return self.interval_95

    @cached_property
    def resolution(self) -> Resolution:
        """Number of jumps and signal to noise, with the upper bound to state where they are too small."""
        return resolution(self, ions=self.displacements_A.shape[1])

    @cached_property
    def gates(self) -> tuple[GateOutcome, ...]:
        """The gate `resolution` and, where the displacement is resolved, `linearity`."""
        return (self.resolution.gate, *([self._linearity()] if self.resolution.resolved else []))

    @property
    def state(self) -> LabelState:
        """Censored where the displacement is not resolved, rejected where the MSD is not linear, else accepted."""
        if not self.resolution.resolved:
            return LabelState.CENSORED
        return LabelState.ACCEPTED if all(gate.passed for gate in self.gates) else LabelState.REJECTED

    def _linearity(self) -> GateOutcome:
        measurements = [measure_curvature(self), measure_exponent(self)]
        half = len(self.displacements_A) // 2
        if half >= FEWEST_FRAMES:
            parts = (self.displacements_A[: half + 1], self.displacements_A[half:])
            first, second = (estimate_diffusivity(part, self.frame_interval_ps) for part in parts)
            measurements.append(compare_halves(first, second, self))
        return gate_of("linearity", measurements)


def diffusivity(displacements_A: FloatArray, frame_interval_ps: float) -> Diffusivity:
    """Estimate the tracer diffusivity of a set of ions, with its interval and gates.

    Example:
        >>> import numpy as np
        >>> walk = np.cumsum(np.random.default_rng(0).normal(scale=0.1, size=(2000, 20, 3)), axis=0)
        >>> result = diffusivity(walk, frame_interval_ps=0.01)  # D = 0.1^2 / (2 * 0.01) A2/ps = 5e-5 cm2/s
        >>> result.state.value, all(gate.passed for gate in result.gates)
        ('accepted', True)

    Args:
        displacements_A: unwrapped drift-corrected positions or displacements of the mobile ions, shape (F, N, 3).
        frame_interval_ps: time between frames.

    Raises:
        InputError: as `estimate_diffusivity`.
    """
    estimate = estimate_diffusivity(displacements_A, frame_interval_ps)
    values = {attribute.name: getattr(estimate, attribute.name) for attribute in fields(DiffusivityEstimate)}
    return Diffusivity(**values, displacements_A=displacements_A)
