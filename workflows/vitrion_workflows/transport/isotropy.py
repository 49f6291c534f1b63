"""Is motion the same in all directions? Judged by the noise of directions, which is not the noise of speed."""

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.variance import FEWEST_BLOCKS, MOST_BLOCKS, Variance, inflated

# Distinct ratios of a symmetric 3 x 3 matrix to its trace.
DEVIATIONS = 5
# Anisotropy itself looks like deviations in few directions: with three, 8 ions in a plane would be found (p < 0.01) in
# 0.48 of runs instead of 0.65; with five, 20 jumps on a cubic lattice would be so in 5.3 % of runs instead of 3.5 %.
FEWEST_DIMENSIONS = 4.0
# One ion has no other to agree with: its sum is what it is.
SMALLEST_INDEPENDENT = 0.1
CERTAIN = 1e6


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


def isotropic_probability(ion_tensors_A2: FloatArray, *, alike: Variance) -> float:
    """Probability that isotropic motion looks as anisotropic as this.

    Isotropic ions deviate from the sphere each in a direction of its own, however far each of them does. Of N vectors
    of lengths r_i and random directions in f dimensions, the square of the sum has the mean S2 = sum r_i^2 and the
    variance 2 (S2^2 - S4) / f, S4 = sum r_i^4: chi square with f / (1 - S4 / S2^2) degrees of freedom, divided by the
    number of ions that choose their direction as one. No law of the ions' displacements enters: neither jumps nor ions
    of unequal speed are taken for anisotropy. Few ions can tell little, and one alone nothing.

    f is five, or fewer where the deviations of different ions lie in a plane: tr C^2 of their covariance is the mean
    of (d_i . d_j)^2. Jumps along the axes of a cubic crystal leave two, those along its diagonals three; no fewer than
    four are counted. Where ions hop along cubic axes the probability is therefore two to four times too small: of
    1500 runs with 60 to 300 jumps 2.1 +- 0.4 % stand below 0.01 and 7 % below 0.05, with a dozen of jumps 4.5 and 11 %.

    Args:
        ion_tensors_A2: slope of each ion's <dr_a dr_b>, shape (N, 3, 3).
        alike: from `moving_alike`.
    """
    each = deviations(ion_tensors_A2)
    lengths = (each**2).sum(axis=1)
    second, fourth = float(lengths.sum()), float((lengths**2).sum())
    if not second > 0:
        return 1.0
    alone = second**2 - fourth
    shared = float(((each @ each.T) ** 2).sum()) - fourth
    dimensions = min(max(alone / shared, FEWEST_DIMENSIONS), DEVIATIONS) if shared > 0 else DEVIATIONS
    independent = max(1 - max(alike.collective, 1.0) * fourth / second**2, SMALLEST_INDEPENDENT)
    ratio = float((each.sum(axis=0) ** 2).sum()) / (second * alike.collective)
    return float(stats.f.sf(ratio, dimensions / independent, min(alike.freedom, CERTAIN)))
