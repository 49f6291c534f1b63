"""Is motion the same in all directions? Judged by the noise of directions, which is not the noise of speed."""

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray
from vitrion_workflows.transport.variance import (
    FEWEST_BLOCKS,
    FEWEST_IONS,
    LEAST_APART,
    MOST_BLOCKS,
    Variance,
    inflated,
)

# Distinct ratios of a symmetric 3 x 3 matrix to its trace.
DEVIATIONS = 5


def deviations(tensors: FloatArray) -> FloatArray:
    """What symmetric tensors have beyond a third of their trace, in five orthonormal components.

    The square of their length is the sum over all nine elements, and does not change when the axes are turned.

    Args:
        tensors: shape (..., 3, 3).

    Returns:
        Shape (..., 5).
    """
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = np.moveaxis(tensors, (-2, -1), (0, 1))
    upright = ((xx - yy) / np.sqrt(2), (2 * zz - xx - yy) / np.sqrt(6))
    return np.stack([*upright, *(np.sqrt(2) * one for one in (xy, xz, yz))], axis=-1)


def moving_alike(positions_A: FloatArray, *, block: int) -> Variance:
    """How many ions choose their direction as one, from block to block; `collective_excess` asks it of their speed.

    A temperature that wanders, or is held too firmly, changes all squared displacements together and no direction: in
    melts of 32 to 108 ions the speeds of 1.5 ions go together and the directions of 1.1.

    Args:
        positions_A: shape (F, N, 3).
        block: shortest block, in frames.

    Returns:
        The factor is `collective`, known with `freedom`; one where the run has too few blocks to say.
    """
    frames, ions = len(positions_A) - 1, positions_A.shape[1]
    length = max(block, frames // MOST_BLOCKS, 1)
    blocks = frames // length
    found = (1.0, 0.0)
    if blocks >= FEWEST_BLOCKS and ions > 1:
        moves = np.diff(positions_A[: blocks * length + 1 : length], axis=0)
        squares = deviations(moves[..., :, None] * moves[..., None, :])
        apart = float(squares.var(axis=0, ddof=1).sum())
        if apart > 0:
            found = float(squares.sum(axis=1).var(axis=0, ddof=1).sum()) / apart, float(DEVIATIONS * (blocks - 1))
    return inflated(0.0, np.ones(ions), collective=found)


def isotropic_probability(ion_tensors_A2: FloatArray, *, alike: Variance, relative_variance: float) -> float:
    """Probability that isotropic motion looks as anisotropic as this.

    The mean of the ions' tensors has a deviation whose square is compared with its own noise, the scatter of the ions'
    deviations over their number, times the number of ions that choose their direction as one: F distributed with five
    degrees of freedom and those of the noise. These are 2 m^2 / s^2 of N squares of mean m and variance s^2, 5 N for
    Gaussian ones, and fewer where jumps are rare or ions unequal. Where fewer than four ions, or groups of more than
    half of them, leave no scatter to see, the noise is that of a Wishart matrix (John, Biometrika 58, 123, 1971), and
    anisotropy must be plainer than the probability says.

    Args:
        ion_tensors_A2: slope of each ion's <dr_a dr_b>, shape (N, 3, 3).
        alike: from `moving_alike`.
        relative_variance: of the trace of their mean, for independent Brownian ions.
    """
    each = deviations(ion_tensors_A2)
    ions, mean = len(each), each.mean(axis=0)
    rest = ((each - mean) ** 2).sum(axis=1)
    apart = 1 - (alike.collective - 1) / max(ions - 1, 1)
    if ions >= FEWEST_IONS and apart >= LEAST_APART and rest.any():
        noise = float(rest.sum()) / (ions - 1) / ions / min(apart, 1.0)
        unknown = max(float(rest.var(ddof=1)) / (2 * ions * float(rest.mean()) ** 2), 1 / (DEVIATIONS * (ions - 1)))
        freedom = 1 / (unknown * max(alike.collective, 1.0) + 1 / alike.freedom)
    else:
        third = float(np.trace(ion_tensors_A2.mean(axis=0))) / 3
        noise = 3 * DEVIATIONS * relative_variance * third**2
        # It goes with the square of the mean, which is itself uncertain by twice its relative error.
        freedom = 1 / (2 * relative_variance + 1 / alike.freedom)
    if not noise > 0:
        return 1.0
    ratio = float(mean @ mean) / (noise * alike.collective)
    return float(stats.f.sf(ratio, DEVIATIONS, freedom))
