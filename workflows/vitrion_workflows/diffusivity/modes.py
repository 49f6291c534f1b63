"""Sine modes of the ions' velocities: an estimate of the velocity spectrum with independent noise."""

from dataclasses import dataclass

import numpy as np
from scipy import fft

from vitrion_models.system import FloatArray

# Half of the modes stays clear of the frames' own resolution; fewer than eight are not informative.
LARGEST_SHARE = 1 / 2
FEWEST_MODES = 8
SINGLE_MODES = 10
BINS = 32


@dataclass(frozen=True, eq=False)
class BinnedModes:
    """Modes in bins that widen with frequency.

    Attributes:
        omega_per_ps: mean angular frequency of each bin in 1/ps, shape (B,).
        counts: modes in each bin, shape (B,).
        powers_A2: mean square of each ion in square Angstrom, shape (B, N).
    """

    omega_per_ps: FloatArray
    counts: FloatArray
    powers_A2: FloatArray

    @property
    def mean_A2(self) -> FloatArray:
        """Mean over ions in square Angstrom, shape (B,)."""
        mean: FloatArray = self.powers_A2.mean(axis=1)
        return mean

    @property
    def ions(self) -> int:
        """Number of ions."""
        return int(self.powers_A2.shape[1])


def velocity_modes(displacements_A: FloatArray, frame_interval_ps: float) -> tuple[FloatArray, FloatArray]:
    """Project each ion's steps on sine modes, y_p = sqrt(2 / (T + 1)) sum_n v(n) sin(pi p n / (T + 1)).

    The transform is orthogonal, so that the modes of a free walk are independent, and each vanishes at both ends of
    the run, so that a rattle does not leak into the slow modes as it does into a Fourier series. The square of mode p
    estimates the velocity spectrum, the transform of the velocity autocorrelation, at omega = pi p / (T + 1) dt.

    Args:
        displacements_A: shape (F, N, 3).
        frame_interval_ps: time between frames.

    Returns:
        Angular frequencies in 1/ps, shape (P,), and the mean square over three dimensions, shape (P, N), in square
        Angstrom, of the lower half of the modes.
    """
    count = len(displacements_A) - 1
    # A few steps at the end are left out where the transform of all would be slow.
    while fft.next_fast_len(2 * (count + 1), real=True) != 2 * (count + 1):
        count -= 1
    last = min(count, max(FEWEST_MODES, int(LARGEST_SHARE * count)))
    # With 2 sin(omega dt / 2) / dt for omega, the spectrum of a rattle sampled at frames is a Lorentzian exactly.
    half_turn = np.pi * np.arange(1, last + 1) / (2 * (count + 1))
    omega = 2 * np.sin(half_turn) / frame_interval_ps
    steps = np.ascontiguousarray(np.diff(displacements_A[: count + 1], axis=0).transpose(1, 2, 0))
    squares = (fft.dst(steps, type=1, norm="ortho")[:, :, :last] ** 2).mean(axis=1)
    return omega, squares.T


def bin_modes(omega_per_ps: FloatArray, squares_A2: FloatArray) -> BinnedModes:
    """Average modes in at most 32 bins: the first ten alone, the others in bins that widen with frequency.

    Args:
        omega_per_ps: angular frequencies in 1/ps, shape (P,).
        squares_A2: in square Angstrom, shape (P, N).
    """
    edges = np.arange(len(omega_per_ps))
    if len(omega_per_ps) > BINS:
        wide = np.geomspace(SINGLE_MODES, len(omega_per_ps), BINS - SINGLE_MODES + 1)[:-1]
        edges = np.unique(np.concatenate([np.arange(SINGLE_MODES), np.round(wide).astype(np.int64)]))
    counts = np.diff(np.append(edges, len(omega_per_ps))).astype(np.float64)
    return BinnedModes(
        omega_per_ps=np.add.reduceat(omega_per_ps, edges) / counts,
        counts=counts,
        powers_A2=np.add.reduceat(squares_A2, edges, axis=0) / counts[:, None],
    )
