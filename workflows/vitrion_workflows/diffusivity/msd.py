"""Mean squared displacement over all time origins, ion by ion, and ordinary fits of it for comparison."""

import numpy as np
from scipy import fft

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray


def mean_squared_displacements(positions_A: FloatArray, *, largest_lag: int | None = None) -> FloatArray:
    """Compute the mean squared displacement of each ion, averaged over every time origin.

    With F frames, the value at lag n is the mean over the F - n origins i of |r(i + n) - r(i)|^2. It splits into
    squared norms, summed recursively, and an autocorrelation, which a Fourier transform gives for all lags at once
    in O(F log F) (Kneller, Keiner, Kneller and Schiller, Comput. Phys. Commun. 91, 191, 1995).

    Args:
        positions_A: unwrapped positions or displacements, shape (F, N, 3).
        largest_lag: last lag, in frames; F - 1 when None.

    Returns:
        Shape (largest_lag + 1, N), in square Angstrom; row 0 is zero.
    """
    frames, ions, _ = positions_A.shape
    last = frames - 1 if largest_lag is None else min(largest_lag, frames - 1)
    # Centring keeps the difference of two large numbers small.
    centred = np.ascontiguousarray((positions_A - positions_A.mean(axis=0)).transpose(1, 2, 0))
    products = lagged_products(centred, largest_lag=last)
    norms = (centred**2).sum(axis=1)
    running = np.concatenate([np.zeros((ions, 1)), np.cumsum(norms, axis=1)], axis=1)
    lags = np.arange(last + 1)
    squares = running[:, frames - lags] + running[:, [frames]] - running[:, lags]
    values: FloatArray = ((squares - 2 * products) / (frames - lags)).T
    values[0] = 0.0
    return np.maximum(values, 0.0)


def lagged_products(series: FloatArray, *, largest_lag: int) -> FloatArray:
    """Return the sum over origins i of x(i) . x(i + lag) of vectors x, by Fourier transform.

    Args:
        series: any unit, contiguous, shape (N, 3, F).
        largest_lag: last lag, in frames.

    Returns:
        Shape (N, largest_lag + 1), square of the unit.
    """
    size = fft.next_fast_len(2 * series.shape[-1], real=True)
    spectrum = fft.rfft(series, n=size, axis=-1)
    # The transform is linear, so one inverse serves the three components.
    power = (spectrum.real**2 + spectrum.imag**2).sum(axis=1)
    products: FloatArray = fft.irfft(power, n=size, axis=-1)[:, : largest_lag + 1]
    return products


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
