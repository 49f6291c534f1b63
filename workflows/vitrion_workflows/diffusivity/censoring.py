"""What a run that saw too little bounds: jumps that were counted, and noise."""

from scipy import stats

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_workflows.diffusivity.regression import DIMENSIONS

# A jump between neighbouring sites of an ion conductor.
JUMP_A = 3.0


def counted_jumps(jumps: float) -> float:
    """95 % upper bound on the expected number of jumps where so many were seen (Poisson): three for none."""
    return float(stats.chi2.ppf(0.95, 2 * jumps + 2)) / 2


def jump_cm2_per_s(*, ions: float, duration_ps: float) -> float:
    """Diffusivity that one jump of one ion makes in a run of so many ions and that length."""
    return A2_PER_PS_IN_CM2_PER_S * JUMP_A**2 / (2 * DIMENSIONS * ions * duration_ps)
