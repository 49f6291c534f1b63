"""Ordinary least squares, as most published diffusivities are fitted: for comparison and reproduction."""

import numpy as np

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import DIMENSIONS


def single_origin_fit(displacements_A: FloatArray, frame_interval_ps: float) -> float:
    """Fit a line with intercept to the squared displacement from the first frame and return D in cm2/s.

    pymatgen's DiffusionAnalyzer does so with ``smoothed=False`` (Ong et al., Energy Environ. Sci. 6, 148, 2013). It
    gives no meaningful error: the displacement from one origin is a single path.

    Args:
        displacements_A: drift-corrected displacements of the mobile ions, shape (F, N, 3).
        frame_interval_ps: time between frames.
    """
    squares = (displacements_A**2).sum(axis=2).mean(axis=1)
    return _diffusivity(frame_interval_ps * np.arange(len(squares), dtype=np.float64), squares)


def ols_fit(displacements_A: FloatArray, frame_interval_ps: float, *, window_ps: tuple[float, float]) -> float:
    """Fit a line with intercept to the multi-origin MSD over a given window and return D in cm2/s.

    Args:
        displacements_A: drift-corrected displacements of the mobile ions, shape (F, N, 3).
        frame_interval_ps: time between frames.
        window_ps: first and last lag.

    Raises:
        InputError: fewer than two lags lie in the window.
    """
    first, last = (round(edge / frame_interval_ps) for edge in window_ps)
    if not 0 <= first < last < len(displacements_A):
        raise InputError(f"window {window_ps[0]:g} to {window_ps[1]:g} ps holds fewer than two lags: widen it")
    msd = mean_squared_displacements(displacements_A, largest_lag=last).mean(axis=1)
    return _diffusivity(frame_interval_ps * np.arange(first, last + 1, dtype=np.float64), msd[first:])


def _diffusivity(times_ps: FloatArray, msd_A2: FloatArray) -> float:
    slope = float(np.polynomial.polynomial.polyfit(times_ps, msd_A2, 1)[1])
    return slope / (2 * DIMENSIONS) * A2_PER_PS_IN_CM2_PER_S
