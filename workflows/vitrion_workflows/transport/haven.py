"""Haven ratio: how much of the ions' motion is collective."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.transport.msd import mean_squared_displacements
from vitrion_workflows.transport.regression import Fit, straight_line

# One collective path is a single walker: in short runs its diffusivity is a rumour, better left out.
LARGEST_RELATIVE_STDERR = 0.6


@dataclass(frozen=True)
class Haven:
    """Ratio of tracer to collective diffusivity.

    Attributes:
        ratio: D_tracer / D_collective.
        relative_stderr: standard error over value; one collective trajectory makes it large in any short run.
    """

    ratio: float
    relative_stderr: float


def haven_ratio(displacements_A: FloatArray, fit: Fit) -> Haven | None:
    """Compare tracer with collective motion over the window of the tracer's fit.

    D_collective = lim |sum_i dr_i|^2 / (6 N t) is the diffusivity in the Nernst-Einstein relation for equal charges:
    conductivity follows from the tracer value divided by this ratio.

    Args:
        displacements_A: drift-corrected displacements of the mobile ions, shape (F, N, 3).
        fit: regression of the tracer.

    Returns:
        The ratio, or None where it is not known within 60 %, or nothing moves.
    """
    ions = displacements_A.shape[1]
    summed = displacements_A.sum(axis=1, keepdims=True) / np.sqrt(ions)
    msd = mean_squared_displacements(summed, largest_lag=int(fit.lags[-1]))
    collective = straight_line(msd, fit.lags, increments=len(displacements_A) - 1)
    if collective.slope_A2 <= 0 or fit.slope_A2 <= 0:
        return None
    relative = np.hypot(
        np.sqrt(collective.variance_A4) / collective.slope_A2,
        np.sqrt(fit.variance_A4) / fit.slope_A2,
    )
    if relative > LARGEST_RELATIVE_STDERR:
        return None
    return Haven(fit.slope_A2 / collective.slope_A2, float(relative))
