"""Mean squared displacement over all time origins, ion by ion."""

import numpy as np
from scipy import fft

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
