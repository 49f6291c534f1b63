"""Is a mean over ions as certain as independent Brownian ions would make it? What the ions show corrects it."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.system import FloatArray

# Below this many ions their scatter says nothing.
FEWEST_IONS = 4
# Where more than half of all ions move as one, their scatter tells no more of what it would be.
LEAST_APART = 0.5
FEWEST_BLOCKS = 8
MOST_BLOCKS = 64


@dataclass(frozen=True)
class Variance:
    """Variance of a mean over ions.

    Attributes:
        value: the variance.
        freedom: its degrees of freedom; infinite as far as it rests on theory.
        heterogeneity: factor by which ions differ more, or less, than Brownian ones would.
        collective: factor by which the sum over ions fluctuates more, or less, than independent ions would.
    """

    value: float
    freedom: float
    heterogeneity: float
    collective: float


def inflated(
    theory: float,
    ion_values: FloatArray,
    *,
    collective: tuple[float, float],
    jumps: tuple[float, float] = (0.0, float("inf")),
) -> Variance:
    """Variance from theory, corrected by what the ions themselves show.

    The estimate is the mean over N ions of values linear in each ion's MSD, so that scatter / N estimates its variance
    without any model, whatever cages, rare hops or unequal sites do, as long as ions are independent; how far they
    are not is measured by `collective_excess`. Both ratios R to theory scatter by s = sqrt(2 / nu) when nothing is
    amiss. Their excess R - 1 is taken on as far as it stands out from that (`standing_out`), whatever its sign: taking
    only what is above theory would take the upper half of its noise, and overstate every error.

    Ions of which k move as one scatter less about their own mean than from one run to the next, by the factor
    1 - (k - 1) / (N - 1); so the scatter is divided by it.

    Args:
        theory: variance of the mean for independent Brownian ions.
        ion_values: value of each ion, shape (N,); the estimate is their mean.
        collective: ratio and degrees of freedom from `collective_excess`.
        jumps: what jumps add to the theory, and the degrees of freedom of that.

    Returns:
        Variance with Satterthwaite's degrees of freedom: those of its parts, weighted by the square of their share.
    """
    ions = len(ion_values)
    heterogeneity, share_of_ions = 1.0, 0.0
    share_of_jumps = (jumps[0] / (theory + jumps[0])) ** 2 / jumps[1] if jumps[0] > 0 else 0.0
    theory += jumps[0]
    together, share_of_blocks = _correction(*collective)
    if ions >= FEWEST_IONS and theory > 0:
        apart = 1 - (together - 1) / (ions - 1)
        scatter = float(ion_values.var(ddof=1)) / min(max(apart, LEAST_APART), 1.0)
        # A sum of few squares is skewed; its variance is known less well than a Gaussian's (gamma: kurtosis 6 / shape).
        shape = max(float(ion_values.mean()) ** 2 / scatter, 1 / ions) if scatter > 0 else np.inf
        heterogeneity, share_of_ions = _correction(scatter / ions / theory, (ions - 1) / (1 + 3 / shape))
    spread = share_of_jumps + share_of_ions + share_of_blocks
    return Variance(
        value=theory * heterogeneity * together,
        freedom=1 / spread if spread > 0 else float("inf"),
        heterogeneity=heterogeneity,
        collective=together,
    )


def _correction(ratio: float, freedom: float) -> tuple[float, float]:
    """Factor to correct by, and the squared share of it that rests on the data over its degrees of freedom."""
    if not freedom > 0:
        return 1.0, 0.0
    excess = ratio - 1
    taken = excess * standing_out(excess * float(np.sqrt(freedom / 2)))
    share = taken / (1 + taken)
    return 1 + taken, share**2 / freedom


def standing_out(sigmas: float) -> float:
    """Share of a deviation that is taken for real: 1 - 1 / z^2, and nothing of less than one sigma.

    The mean square of a deviation is that of its noise and that of what is behind it; the share is the second over both
    (James and Stein, Proc. 4th Berkeley Symp. 1, 361, 1961, positive part).
    """
    return max(0.0, 1 - 1 / float(sigmas) ** 2) if sigmas else 0.0


def anisotropy(positions_A: FloatArray, *, lag: int, together: float) -> float:
    """Factor by which squared displacements scatter more for not being the same in all directions.

    With S the tensor <d d> of displacements, Gaussian ones have Var |d|^2 = 2 tr S^2, where isotropic ones have
    2 (tr S)^2 / 3: the factor is 3 tr S^2 / (tr S)^2, three for channels. Of n isotropic displacements it would be
    1 + 10 / (3 n), the five components of their noise; that is taken off.

    Args:
        positions_A: shape (F, N, 3).
        lag: beyond the cage, in frames.
        together: number of ions that move as one, at least 1.
    """
    moves = (positions_A[lag:] - positions_A[:-lag]).reshape(-1, 3)
    tensor = moves.T @ moves
    independent = 1.5 * (len(positions_A) - 1) / lag * positions_A.shape[1] / together
    factor = 3 * float((tensor**2).sum()) / float(np.trace(tensor)) ** 2
    return float(max(1.0, factor - 10 / (3 * independent)))


def jump_rate_A4(positions_A: FloatArray, *, lag: int, anisotropic: float = 1.0) -> tuple[float, float]:
    """Fourth cumulant of the motion, a frame: what squared displacements scatter more than those of a Gaussian walk.

    A walk of independent steps, jumps of length l at rate g among them, has <q^2> = (5/3) <q>^2 + K n for the squared
    displacement q over n frames, K = g l^4 a frame; no Gaussian vibration adds to it. The mean <q>^2 is taken ion by
    ion, so that unequal ions do not look like jumps, and is corrected for its own variance, that of windows which
    overlap: (2/3)(2n / 3T) <q>^2 + K n (n / T).

    Args:
        positions_A: shape (F, N, 3).
        lag: n, in frames, beyond the cage.
        anisotropic: from `anisotropy`; five thirds above are 1 + 2/3 of it.

    Returns:
        K in A^4 a frame, not below zero and taken on as far as it stands out from its own noise, and the degrees of
        freedom with which it is known.
    """
    frames, ions = len(positions_A) - 1, positions_A.shape[1]
    if ions < FEWEST_IONS:
        return 0.0, float("inf")
    squares = ((positions_A[lag:] - positions_A[:-lag]) ** 2).sum(axis=2)
    square = 1 + 2 * anisotropic / 3
    gaussian = 1 + (square - 1) * 2 * lag / (3 * frames)
    each = (squares**2).mean(axis=0) - square * squares.mean(axis=0) ** 2 / gaussian
    each /= lag * (1 - square * lag / frames / gaussian)
    rate, noise = float(each.mean()), float(each.var(ddof=1)) / ions
    if rate <= 0 or noise <= 0:  # ions that move as one body have no scatter to judge it by
        return 0.0, float("inf")
    return rate * standing_out(rate / float(np.sqrt(noise))), 2 * rate**2 / noise


def collective_excess(positions_A: FloatArray, *, block: int) -> tuple[float, float]:
    """How much more the summed squared displacement fluctuates from block to block than independent ions allow.

    The run is cut into blocks of equal length that do not overlap. With q_i(b) the squared displacement of ion i over
    block b, the ratio Var_b(sum_i q_i) / sum_i Var_b(q_i) is one for independent ions, k for ions that move in groups
    of k, and larger than one as well when the temperature wanders.

    Args:
        positions_A: shape (F, N, 3).
        block: shortest block, in frames.

    Returns:
        The ratio and its degrees of freedom; (1, 0) where the run has too few blocks to say.
    """
    frames = len(positions_A) - 1
    length = max(block, frames // MOST_BLOCKS, 1)
    blocks = frames // length
    if blocks < FEWEST_BLOCKS or positions_A.shape[1] == 1:
        return 1.0, 0.0
    moves = np.diff(positions_A[: blocks * length + 1 : length], axis=0)
    squares = (moves**2).sum(axis=2)
    apart = float(squares.var(axis=0, ddof=1).sum())
    if apart == 0:
        return 1.0, 0.0
    return float(squares.sum(axis=1).var(ddof=1)) / apart, float(blocks - 1)
