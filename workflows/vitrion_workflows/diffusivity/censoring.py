"""What a run that saw too little bounds: jumps that were counted, and noise."""

from scipy import stats

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_workflows.diffusivity.regression import DIMENSIONS
from vitrion_workflows.schemas.gate import GateOutcome

GATE = "bound"
# A jump between neighbouring sites of an ion conductor.
JUMP_A = 3.0


def counted_jumps(jumps: float) -> float:
    """95 % upper bound on the expected number of jumps where so many were seen (Poisson): three for none."""
    return float(stats.chi2.ppf(0.95, 2 * jumps + 2)) / 2


def jump_cm2_per_s(*, ions: float, duration_ps: float) -> float:
    """Diffusivity that one jump of one ion makes in a run of so many ions and that length."""
    return A2_PER_PS_IN_CM2_PER_S * JUMP_A**2 / (2 * DIMENSIONS * ions * duration_ps)


def bound_gate(bound_cm2_per_s: float, *, jumps: float, ions: int, duration_ps: float) -> GateOutcome:
    """Report what sets the bound of a censored label, counting or noise; no bound is wrong, so it always passes.

    Args:
        bound_cm2_per_s: as stored.
        jumps: that were seen.
        ions: that could have jumped.
        duration_ps: of what was analysed.
    """
    ratio = bound_cm2_per_s / (counted_jumps(jumps) * jump_cm2_per_s(ions=ions, duration_ps=duration_ps))
    return GateOutcome(
        name=GATE,
        passed=True,
        value=ratio,
        message=f"bound {ratio:.2f} times that of counting the {jumps:.2g} jumps that were seen",
    )
