"""Test of isotropic motion, from the directions that the ions deviate in."""

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.variance import (
    FEWEST_BLOCKS,
    NO_CORRELATION,
    Ratio,
    Variance,
    block_displacements,
    corrected_variance,
)

# Distinct ratios of a symmetric 3 x 3 matrix to its trace.
DEVIATIONS = 5
# Anisotropy itself looks like deviations in few directions: with three, 8 ions in a plane would be found (p < 0.01) in
# 0.48 of runs instead of 0.65; with five, 20 jumps on a cubic lattice would be so in 5.3 % of runs instead of 3.5 %.
FEWEST_DIMENSIONS = 4.0
# A single ion has no other to agree with.
SMALLEST_INDEPENDENT = 0.1
MOST_DEGREES_OF_FREEDOM = 1e6


def deviations(tensors: FloatArray) -> FloatArray:
    """Return the traceless part of symmetric tensors in five orthonormal components.

    The square of their length is the sum over all nine elements, and does not change when the axes are turned.

    Args:
        tensors: shape (..., 3, 3).

    Returns:
        Shape (..., 5), unit of the tensors.
    """
    (xx, xy, xz), (_, yy, yz), (_, _, zz) = np.moveaxis(tensors, (-2, -1), (0, 1))
    diagonal = ((xx - yy) / np.sqrt(2), (2 * zz - xx - yy) / np.sqrt(6))
    return np.stack([*diagonal, *(np.sqrt(2) * element for element in (xy, xz, yz))], axis=-1)


def directional_correlation(positions_A: FloatArray, *, block: int) -> Variance:
    """Measure how many ions share their direction of motion from block to block.

    `collective_ratio` measures the same of their speed. A temperature that drifts, or a tight thermostat, changes all
    squared displacements together and no direction: in melts of 32 to 108 ions the speeds of 1.5 ions go together and
    the directions of 1.1.

    Args:
        positions_A: shape (F, N, 3).
        block: shortest block, in frames.

    Returns:
        `collective` is the number of ions; one where the run has too few blocks.
    """
    moves, ions = block_displacements(positions_A, block=block), positions_A.shape[1]
    ratio = NO_CORRELATION
    if len(moves) >= FEWEST_BLOCKS and ions > 1:
        squares = deviations(moves[..., :, None] * moves[..., None, :])
        independent = float(squares.var(axis=0, ddof=1).sum())
        if independent > 0:
            joint = float(squares.sum(axis=1).var(axis=0, ddof=1).sum())
            ratio = Ratio(joint / independent, float(DEVIATIONS * (len(moves) - 1)))
    return corrected_variance(0.0, np.ones(ions), collective=ratio)


def isotropic_probability(ion_tensors_A2: FloatArray, *, correlation: Variance) -> float:
    """Return the probability that isotropic motion looks at least as anisotropic as this.

    Isotropic ions deviate from the sphere each in a direction of its own, however far each of them does. Of N vectors
    of lengths r_i and random directions in f dimensions, the square of the sum has the mean S2 = sum r_i^2 and the
    variance 2 (S2^2 - S4) / f, S4 = sum r_i^4: chi square with f / (1 - S4 / S2^2) degrees of freedom, divided by the
    number of ions that share their direction. The distribution of the ions' displacements does not enter: neither
    jumps nor ions of unequal speed are taken for anisotropy. With few ions the test is weak, with one it is void.

    f is five, or fewer where the deviations of different ions lie in a plane: tr C^2 of their covariance is the mean
    of (d_i . d_j)^2. Jumps along the axes of a cubic crystal leave two, those along its diagonals three; no fewer than
    four are counted. Where ions hop along cubic axes the probability is therefore two to four times too small: of
    1500 runs with 60 to 300 jumps 2.1 +- 0.4 % stand below 0.01 and 7 % below 0.05, with a dozen of jumps 4.5 and 11 %.

    Args:
        ion_tensors_A2: slope of each ion's <dr_a dr_b> in square Angstrom a frame, shape (N, 3, 3).
        correlation: from `directional_correlation`.
    """
    of_ions = deviations(ion_tensors_A2)
    lengths = (of_ions**2).sum(axis=1)
    second, fourth = float(lengths.sum()), float((lengths**2).sum())
    if not second > 0:
        return 1.0
    between_ions = float(((of_ions @ of_ions.T) ** 2).sum()) - fourth
    dimensions: float = DEVIATIONS
    if between_ions > 0:
        dimensions = min(max((second**2 - fourth) / between_ions, FEWEST_DIMENSIONS), DEVIATIONS)
    independent = max(1 - max(correlation.collective, 1.0) * fourth / second**2, SMALLEST_INDEPENDENT)
    ratio = float((of_ions.sum(axis=0) ** 2).sum()) / (second * correlation.collective)
    freedom = min(correlation.degrees_of_freedom, MOST_DEGREES_OF_FREEDOM)
    return float(stats.f.sf(ratio, dimensions / independent, freedom))
