"""The plain straight line that most published diffusivities are, for comparison and for reproducing them."""

import numpy as np

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import DIMENSIONS


def single_origin_fit(displacements_A: FloatArray, frame_interval_ps: float) -> float:
    """Ordinary least squares with intercept on the squared displacement from the first frame.

    What pymatgen's DiffusionAnalyzer does with ``smoothed=False`` (Ong et al., Energy Environ. Sci. 6, 148, 2013). It
    has no honest error: the displacement from one origin is a single path.

    Args:
        displacements_A: drift-corrected displacements of the mobile ions, shape (F, N, 3).
        frame_interval_ps: time between frames.

    Returns:
        D in cm2/s.
    """
    squares = (displacements_A**2).sum(axis=2).mean(axis=1)
    return _slope(frame_interval_ps * np.arange(len(squares), dtype=np.float64), squares)


def plain_fit(
    displacements_A: FloatArray,
    frame_interval_ps: float,
    *,
    window_ps: tuple[float, float],
) -> float:
    """Ordinary least squares with intercept on the multi-origin MSD over a given window.

    Args:
        displacements_A: drift-corrected displacements of the mobile ions, shape (F, N, 3).
        frame_interval_ps: time between frames.
        window_ps: first and last lag.

    Returns:
        D in cm2/s.

    Raises:
        InputError: fewer than two lags lie in the window.
    """
    first, last = (round(edge / frame_interval_ps) for edge in window_ps)
    if not 0 <= first < last < len(displacements_A):
        raise InputError(f"window {window_ps[0]:g} to {window_ps[1]:g} ps holds no two lags of this run")
    msd = mean_squared_displacements(displacements_A, largest_lag=last).mean(axis=1)
    return _slope(frame_interval_ps * np.arange(first, last + 1, dtype=np.float64), msd[first:])


def _slope(times: FloatArray, values: FloatArray) -> float:
    slope = float(np.polynomial.polynomial.polyfit(times, values, 1)[1])
    return slope / (2 * DIMENSIONS) * A2_PER_PS_IN_CM2_PER_S
