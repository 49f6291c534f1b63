"""Upper bound of a diffusivity from the number of observed jumps."""

from scipy import stats

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_workflows.diffusivity.regression import DIMENSIONS

# A jump between neighbouring sites of an ion conductor.
JUMP_A = 3.0


def poisson_upper_bound(jumps: float) -> float:
    """Return the 95 % upper bound on the expected number of jumps given the observed one: three for none."""
    return float(stats.chi2.ppf(0.95, 2 * jumps + 2)) / 2


def diffusivity_per_jump(*, ions: float, duration_ps: float) -> float:
    """Return the diffusivity in cm2/s that one jump of 3 A of one ion contributes to a run."""
    return A2_PER_PS_IN_CM2_PER_S * JUMP_A**2 / (2 * DIMENSIONS * ions * duration_ps)
