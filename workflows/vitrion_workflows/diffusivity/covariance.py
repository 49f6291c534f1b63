"""Covariance of the multi-origin mean squared displacement of a Brownian ion that also rattles."""

import numpy as np

from vitrion_models.system import FloatArray, IntArray


def msd_covariance(
    lags: IntArray, *, increments: int, step_variance_A2: float, rattle_variance_A2: float
) -> FloatArray:
    r"""Compute the covariance of mean squared displacements at two lags, for one ion and one dimension.

    Model: x(i) = walk with independent Gaussian increments of variance s^2 = 2 D dt, plus an independent Gaussian
    rattle of variance v in each frame. With T increments, the mean squared displacement at lag n averages
    M_n = T - n + 1 overlapping displacements. Two Gaussian displacements of covariance c have squares of covariance
    2 c^2 (Isserlis), hence

        cov(n, m) = 2 / (M_n M_m) * sum_k count(k) c_nm(k)^2,      c_nm(k) = s^2 o(k) + v e(k),

    where k is the offset of the origins, count(k) the number of origin pairs with that offset, o(k) the number of
    increments that both displacements share, and e(k) = +1 for each shared end point of like sign (k = 0, k = n - m),
    -1 for each of unlike sign (k = n, k = -m). All three are piecewise linear in k, so the sum closes. For n <= m:

        sum count o^2  = (m - n + 1)(T - m + 1) n^2 + 2 [G(n - 1) - G(max(0, m + n - T - 1))]
        G(p)           = (T - m - n + 1) Q2(p) + Q3(p),   Q2, Q3: sums of squares and cubes of 1..p
        sum count o e  = 2 n (T - m + 1)
        sum count e^2  = 2 (T - m + 1) (1 + [n = m]) + 2 max(0, T - m - n + 1)

    The first line is the covariance of Qian, Sheetz and Elson (Biophys. J. 60, 910, 1991), the others are those of
    Michalet (Phys. Rev. E 82, 041914, 2010) for a walk observed with localisation noise. Being the exact covariance of
    distinct quadratic forms of one Gaussian vector, the matrix is positive definite by construction.

    Args:
        lags: in frames, shape (L,), between 1 and `increments`.
        increments: T, frames less one.
        step_variance_A2: s^2, variance of one increment of the walk.
        rattle_variance_A2: v, variance of the rattle.

    Returns:
        Shape (L, L), in Angstrom to the fourth.
    """
    short = np.minimum.outer(lags, lags).astype(np.float64)
    long = np.maximum.outer(lags, lags).astype(np.float64)
    origins = increments - long + 1
    beyond = increments - long - short + 1
    walk = (long - short + 1) * origins * short**2
    walk += 2 * (_ramp(short - 1, beyond) - _ramp(np.maximum(0.0, -beyond), beyond))
    mixed = 2 * short * origins
    rattle = 2 * origins * (1 + (short == long)) + 2 * np.maximum(0.0, beyond)
    pairs = origins * (increments - short + 1)
    s2, v = step_variance_A2, rattle_variance_A2
    covariance: FloatArray = 2 * (s2**2 * walk + 2 * s2 * v * mixed + v**2 * rattle) / pairs
    return covariance


def _ramp(top: FloatArray, offset: FloatArray) -> FloatArray:
    """Return the sum over u = 1..top of (offset + u) u^2."""
    squares = top * (top + 1) * (2 * top + 1) / 6
    cubes = (top * (top + 1) / 2) ** 2
    total: FloatArray = offset * squares + cubes
    return total
