"""A diffusivity with its gates."""

from dataclasses import dataclass, field, fields
from functools import cached_property

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES, DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.diffusivity.gates import (
    Resolution,
    compare_halves,
    measure_curvature,
    measure_exponent,
    resolution,
)
from vitrion_workflows.schemas.gate import GateOutcome, gate_of
from vitrion_workflows.schemas.label import LabelState


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
