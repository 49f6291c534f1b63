"""Haven ratio: tracer over collective diffusivity."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
from vitrion_workflows.diffusivity.gates import resolution
from vitrion_workflows.transport.collective import CollectiveDiffusivity, collective_diffusivity

# One collective path is a single walker: in short runs its diffusivity is too uncertain to state.
LARGEST_RELATIVE_STDERR = 0.6


@dataclass(frozen=True)
class Haven:
    """Ratio of tracer to collective diffusivity.

    Attributes:
        ratio: H_R = D_tracer / D_sigma: one for independent ions, below one where they drag each other along, one
            over n for ions in rigid groups of n.
        relative_stderr: standard error over value; one collective trajectory makes it large in any short run.
        interval_68: of the ratio.
        interval_95: as above.
    """

    ratio: float
    relative_stderr: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]


def haven_ratio(displacements_A: FloatArray, estimate: DiffusivityEstimate) -> Haven | None:
    """Compute the Haven ratio D_tracer / D_sigma of equal charges (Murch, Solid State Ionics 7, 177, 1982).

    D_sigma = lim |sum_i dr_i|^2 / (6 N t) is the diffusivity in the Nernst-Einstein relation: conductivity follows
    from the tracer value divided by this ratio. The sum is taken relative to the other atoms, which hold the
    balancing charge: relative to the centre of mass of all, the ions' own recoil would hide a part of it.

    Args:
        displacements_A: displacements of the ions from the others' centre of mass (`in_host_frame`), shape (F, N, 3).
        estimate: tracer diffusivity of the same ions.

    Returns:
        The ratio, exactly one for a single ion, or None where its error exceeds 60 %, or too few jumps were observed
        to state a diffusivity.
    """
    ions = displacements_A.shape[1]
    if ions == 1:
        return Haven(1.0, 0.0, (1.0, 1.0), (1.0, 1.0))
    collective = collective_diffusivity(displacements_A, np.ones(ions), estimate.frame_interval_ps)
    return haven_from_estimates(collective, estimate, ions=ions)


def haven_from_estimates(
    collective: CollectiveDiffusivity, estimate: DiffusivityEstimate, *, ions: int
) -> Haven | None:
    """Compute the Haven ratio from a collective and a tracer diffusivity of the same ions.

    Args:
        collective: collective diffusivity.
        estimate: tracer diffusivity.
        ions: number of ions.

    Returns:
        The ratio, or None where its error exceeds 60 %, or too few jumps were observed to state a diffusivity.
    """
    if not resolution(estimate, ions=ions).resolved:
        return None
    return haven_from_values(estimate.value_cm2_per_s, estimate.stderr_cm2_per_s, collective)


def haven_from_values(
    value_cm2_per_s: float, stderr_cm2_per_s: float, collective: CollectiveDiffusivity
) -> Haven | None:
    """Compute the ratio of a tracer diffusivity to a collective one, each with its error.

    Both are averages of squared displacements, gamma distributed with shapes k = (value / error)^2; a ratio of such
    is F distributed with 2 k degrees of freedom each, which gives the intervals. That both come from the same ions is
    neglected; the collective value, of one walker, makes nearly all of the error.

    Args:
        value_cm2_per_s: tracer diffusivity.
        stderr_cm2_per_s: its statistical error.
        collective: of the same ions.

    Returns:
        The ratio, or None where its error exceeds 60 %, or nothing moves.
    """
    if value_cm2_per_s <= 0 or collective.value_cm2_per_s <= 0:
        return None
    if stderr_cm2_per_s <= 0:
        raise InputError("a Haven ratio needs a tracer diffusivity with its error: state its standard error")
    tracer_shape = (value_cm2_per_s / stderr_cm2_per_s) ** 2
    collective_shape = (collective.value_cm2_per_s / collective.stderr_cm2_per_s) ** 2
    relative = float(np.hypot(tracer_shape**-0.5, collective_shape**-0.5))
    if relative > LARGEST_RELATIVE_STDERR:
        return None
    ratio = value_cm2_per_s / collective.value_cm2_per_s

    def bounds(tail: float) -> tuple[float, float]:
        distribution = stats.f(2 * tracer_shape, 2 * collective_shape)
        return ratio / float(distribution.isf(tail)), ratio / float(distribution.ppf(tail))

    return Haven(ratio, relative, bounds(float(stats.norm.sf(1.0))), bounds(0.025))
