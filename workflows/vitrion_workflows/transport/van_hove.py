"""Self-part of the van Hove function, and the non-Gaussian parameter."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.diffusivity.regression import fit_lags
from vitrion_workflows.diffusivity.variance import FEWEST_IONS

LAGS_IN_TABLE = 24
BINS = 80
# Origins beyond this many overlap so much that they add time, not information.
MOST_ORIGINS = 500


@dataclass(frozen=True, eq=False)
class VanHove:
    """Distribution of the distance that ions travel in given times.

    Attributes:
        r_A: middle of each shell, shape (B,).
        lag_ps: shape (L,).
        density_per_A: 4 pi r^2 G_s(r, t), which integrates to one over r, shape (L, B).
    """

    r_A: FloatArray
    lag_ps: FloatArray
    density_per_A: FloatArray


@dataclass(frozen=True, eq=False)
class NonGaussian:
    """alpha_2(t) = 3 <r^4> / (5 <r^2>^2) - 1 (Rahman, Phys. Rev. 136, A405, 1964): zero for Gaussian displacements.

    Attributes:
        lag_ps: shape (L,).
        alpha2: shape (L,); NaN at a lag over which no ion moved, as between repeated frames.
        stderr: from the scatter over ions, shape (L,); NaN for fewer than four ions.
    """

    lag_ps: FloatArray
    alpha2: FloatArray
    stderr: FloatArray

    @property
    def peak(self) -> tuple[float, float]:
        """Greatest value and its lag in ps, where ions differ most."""
        best = int(np.nanargmax(self.alpha2))
        return float(self.alpha2[best]), float(self.lag_ps[best])


def van_hove(
    displacements_A: FloatArray, frame_interval_ps: float, *, lags: IntArray, cutoff_A: float | None = None
) -> VanHove:
    """Compute the self-part of the van Hove function (Phys. Rev. 95, 249, 1954), G_s(r, t) = <delta(r - |dr(t)|)>.

    For Brownian motion 4 pi r^2 G_s is the Maxwell distribution of scale sqrt(2 D t); ions that jump between sites
    show a peak at each distance of a site.

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        frame_interval_ps: time between frames.
        lags: in frames, shape (L,), each between 1 and F - 1.
        cutoff_A: end of the distances; the farthest displacement when None.

    Raises:
        InputError: a lag outside the run, or ions that never move.
    """
    _check_lags(lags, len(displacements_A))
    distances = [np.sqrt(_squares(displacements_A, lag)) for lag in lags.tolist()]
    end = cutoff_A if cutoff_A is not None else max(float(lengths.max()) for lengths in distances)
    if not end > 0:
        raise InputError("no ion moves in this trajectory: its frames are copies of each other")
    edges = np.linspace(0.0, end, BINS + 1)
    # Distances beyond the cutoff still count in the total.
    density = [np.histogram(lengths, bins=edges)[0] / (lengths.size * edges[1]) for lengths in distances]
    return VanHove(
        r_A=(edges[1:] + edges[:-1]) / 2,
        lag_ps=lags.astype(np.float64) * frame_interval_ps,
        density_per_A=np.array(density),
    )


def non_gaussian(displacements_A: FloatArray, frame_interval_ps: float, *, lags: IntArray | None = None) -> NonGaussian:
    """Compute the non-Gaussian parameter against lag.

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        frame_interval_ps: time between frames.
        lags: in frames; spaced evenly in the logarithm up to half the run when None.

    Raises:
        InputError: a lag outside the run, or ions that never move.
    """
    chosen = fit_lags(1, max(1, (len(displacements_A) - 1) // 2), count=LAGS_IN_TABLE) if lags is None else lags
    _check_lags(chosen, len(displacements_A))
    values = np.array([_alpha2(_squares(displacements_A, lag)) for lag in chosen.tolist()])
    if np.isnan(values[:, 0]).all():
        raise InputError("no ion moves in this trajectory: its frames are copies of each other")
    return NonGaussian(lag_ps=chosen.astype(np.float64) * frame_interval_ps, alpha2=values[:, 0], stderr=values[:, 1])


def _alpha2(squares: FloatArray) -> tuple[float, float]:
    second, fourth = squares.mean(axis=0), (squares**2).mean(axis=0)
    if not second.any():
        return float("nan"), float("nan")
    ions = len(second)
    ratio = 3 / 5 * fourth.mean() / second.mean() ** 2
    if ions < FEWEST_IONS:
        return float(ratio - 1), float("nan")
    # Delta method: a ratio of means over ions is as uncertain as the mean of its linear part.
    linear = ratio * (fourth / fourth.mean() - 2 * second / second.mean())
    return float(ratio - 1), float(linear.std(ddof=1) / np.sqrt(ions))


def _squares(displacements: FloatArray, lag: int) -> FloatArray:
    """Return squared displacements over a lag in square Angstrom, shape (origins, N)."""
    every = max(1, (len(displacements) - lag) // MOST_ORIGINS)
    moves = displacements[lag::every] - displacements[: len(displacements) - lag : every]
    squares: FloatArray = np.einsum("fnd,fnd->fn", moves, moves)
    return squares


def _check_lags(lags: IntArray, frames: int) -> None:
    if not len(lags) or lags.min() < 1 or lags.max() >= frames:
        raise InputError(f"lags must lie between 1 and {frames - 1} frames in a run of {frames}")
