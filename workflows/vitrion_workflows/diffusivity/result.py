"""A diffusivity together with what speaks for and against it."""

from dataclasses import dataclass, field, fields
from functools import cached_property

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES, DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.diffusivity.gates import Resolution, exponent_gate, halves_gate, resolution, straight_gate
from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.schemas.label import LabelState


@dataclass(frozen=True, eq=False)
class Diffusivity(DiffusivityEstimate):
    """An estimate that was judged: is there a signal, and is the motion diffusion?

    Whether the displacements are what they are said to be, only a trajectory can show (`analyse_trajectory`).

    Attributes:
        displacements_A: what it was estimated from, shape (F, N, 3).
    """

    displacements_A: FloatArray = field(repr=False)

    @property
    def value(self) -> float:
        """The tracer diffusivity in cm2/s."""
        return self.value_cm2_per_s

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval in cm2/s; None where nothing is resolved."""
        return self.interval_95

    @cached_property
    def resolution(self) -> Resolution:
        """Whether enough motion was seen, and the upper bound to state if not."""
        return resolution(self, ions=self.displacements_A.shape[1])

    @cached_property
    def gates(self) -> tuple[GateOutcome, ...]:
        """The gate `resolution` and, where the displacement is resolved, `linearity`."""
        return (self.resolution.gate, *([self._linearity()] if self.resolution.resolved else []))

    @property
    def state(self) -> LabelState:
        """Censored where nothing is resolved, rejected where the motion is no steady diffusion, else accepted."""
        if not self.resolution.resolved:
            return LabelState.CENSORED
        return LabelState.ACCEPTED if all(gate.passed for gate in self.gates) else LabelState.REJECTED

    def _linearity(self) -> GateOutcome:
        measurements = [straight_gate(self), exponent_gate(self)]
        half = len(self.displacements_A) // 2
        if half >= FEWEST_FRAMES:
            parts = (self.displacements_A[: half + 1], self.displacements_A[half:])
            first, second = (estimate_diffusivity(part, self.frame_interval_ps) for part in parts)
            measurements.append(halves_gate(first, second, self))
        return gate_of("linearity", measurements)


def diffusivity(displacements_A: FloatArray, frame_interval_ps: float) -> Diffusivity:
    """Tracer diffusivity of a set of ions, with its interval and gates.

    Example:
        >>> import numpy as np
        >>> walk = np.cumsum(np.random.default_rng(0).normal(scale=0.1, size=(2000, 20, 3)), axis=0)
        >>> found = diffusivity(walk, frame_interval_ps=0.01)  # D = 0.1^2 / (2 * 0.01) A2/ps = 5e-5 cm2/s
        >>> found.state.value, all(gate.passed for gate in found.gates)
        ('accepted', True)

    Args:
        displacements_A: unwrapped drift-corrected positions or displacements of the mobile ions, shape (F, N, 3).
        frame_interval_ps: time between frames.

    Raises:
        InputError: as `estimate_diffusivity`.
    """
    estimate = estimate_diffusivity(displacements_A, frame_interval_ps)
    known = {one.name: getattr(estimate, one.name) for one in fields(DiffusivityEstimate)}
    return Diffusivity(**known, displacements_A=displacements_A)
