"""Diffusion tensor, and the test of isotropic motion."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy import stats

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import Fit, msd_covariance
from vitrion_workflows.diffusivity.variance import (
    FEWEST_BLOCKS,
    NO_CORRELATION,
    Ratio,
    Variance,
    anisotropy_factor,
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
# Smallest diffusivity along a direction in the theory of its error, relative to the mean diffusivity.
SMALLEST_RELATIVE_STEP = 1e-6
PAIRS = ((0, 1), (0, 2), (1, 2))


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


@dataclass(frozen=True, eq=False)
class _Slopes:
    """Slopes of squared displacements along a direction in square Angstrom a frame, of each ion, shape (N,).

    With the variance of their mean for independent walkers that rattle.
    """

    ions_A2: FloatArray
    theory_A4: float

    def stderr_A2(self, widening: float = 1.0) -> float:
        return float(np.sqrt(corrected_variance(widening * self.theory_A4, self.ions_A2).value))


Along = Callable[[FloatArray], _Slopes]


@dataclass(frozen=True, eq=False)
class DiffusivityTensor:
    """D_ab = lim <dr_a dr_b> / (2 t) in Cartesian axes; a third of its trace is the tracer diffusivity.

    Attributes:
        tensor_cm2_per_s: symmetric, shape (3, 3).
        stderr_cm2_per_s: of each element, shape (3, 3).
        principal_cm2_per_s: eigenvalues, greatest first, shape (3,). Of an isotropic material they still differ, by
            about their errors: use them only where `isotropic_p` is small.
        principal_stderr_cm2_per_s: shape (3,).
        axes: unit vectors of the principal directions as rows, shape (3, 3); the sign of each is arbitrary.
        isotropic_p: probability that an isotropic material looks as anisotropic as this; one where the diffusivity
            itself is not resolved. Two to four times too small for hops along cubic axes (`isotropic_probability`).
    """

    tensor_cm2_per_s: FloatArray
    stderr_cm2_per_s: FloatArray
    principal_cm2_per_s: FloatArray
    principal_stderr_cm2_per_s: FloatArray
    axes: FloatArray
    isotropic_p: float


def diffusivity_tensor(displacements_A: FloatArray, estimate: DiffusivityEstimate) -> DiffusivityTensor:
    """Estimate the tensor of a set of ions, with the lags and weights of their scalar diffusivity.

    The mean squared displacement along a unit vector u is u' M u; along the three axes and the three diagonals
    between them it gives all six elements of M, so that every element is the same linear function of its lags that
    the scalar is of its own, and a third of the trace equals the scalar. The cell's shape does not enter.

    A fitted tensor of Gaussian displacements has the moments of a Wishart matrix with nu degrees of freedom,
    Var(D_ab) = (D_aa D_bb + D_ab^2) / nu (Anderson, Multivariate Statistical Analysis, chapter 7). Along each axis
    and principal direction the variance comes from the covariance of overlapping displacements with that direction's
    own slope and rattle, widened where ions differ (`corrected_variance`); elements off the diagonal follow from those.
    A third of the variance along a direction is that of the trace, and grows as the scalar's does where ions move
    together; the rest, and elements off the diagonal, as far as their directions are correlated
    (`directional_correlation`). The test of isotropy asks whether the ions' own tensors agree in direction
    (`isotropic_probability`).

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        estimate: scalar diffusivity of the same displacements.
    """
    fit, to_value = estimate.fit, A2_PER_PS_IN_CM2_PER_S / (2 * estimate.frame_interval_ps)
    along = partial(_slopes_along, displacements_A, fit)
    on_axes = [along(axis) for axis in np.eye(DIMENSIONS)]
    ion_tensors = _ion_tensors([slopes.ions_A2 for slopes in on_axes], along)
    tensor = ion_tensors.mean(axis=0)
    values, vectors = np.linalg.eigh(tensor)
    axes = vectors[:, ::-1].T
    correlation = directional_correlation(displacements_A, block=int(fit.lags[0]) // 2)
    correlated = (estimate.variance.collective + (DIMENSIONS - 1) * correlation.collective) / DIMENSIONS
    widening = _widening(displacements_A, estimate)
    errors = np.array([slopes.stderr_A2() for slopes in on_axes])
    per_freedom = float((errors**2).sum() / (2 * (np.diag(tensor) ** 2).sum())) if tensor.any() else 0.0
    off_diagonal = np.sqrt((np.outer(errors, errors) / 2 + per_freedom * tensor**2) * correlation.collective)
    diagonal = np.array([slopes.stderr_A2(widening) for slopes in on_axes]) * np.sqrt(correlated)
    principal = np.array([along(axis).stderr_A2(widening) for axis in axes]) * np.sqrt(correlated)
    isotropic_p = 1.0 if estimate.interval_68 is None else isotropic_probability(ion_tensors, correlation=correlation)
    return DiffusivityTensor(
        tensor_cm2_per_s=tensor * to_value,
        stderr_cm2_per_s=np.where(np.eye(DIMENSIONS) > 0, np.diag(diagonal), off_diagonal) * to_value,
        principal_cm2_per_s=values[::-1] * to_value,
        principal_stderr_cm2_per_s=principal * to_value,
        axes=axes,
        isotropic_p=isotropic_p,
    )


def _ion_tensors(on_axes: list[FloatArray], along: Along) -> FloatArray:
    """Return the tensor of each ion from its slopes along axes and the diagonals between them, shape (N, 3, 3)."""
    tensors = np.zeros((len(on_axes[0]), DIMENSIONS, DIMENSIONS))
    for axis, slopes in enumerate(on_axes):
        tensors[:, axis, axis] = slopes
    axes = np.eye(DIMENSIONS)
    for first, second in PAIRS:
        slopes = along((axes[first] + axes[second]) / np.sqrt(2)).ions_A2
        mixed = slopes - (on_axes[first] + on_axes[second]) / 2
        tensors[:, first, second] = tensors[:, second, first] = mixed
    return tensors


def _widening(displacements: FloatArray, estimate: DiffusivityEstimate) -> float:
    """Return the variance of the scalar over that of a walk along the same axes: jumps and unequal ions."""
    variance, lag = estimate.variance, int(estimate.fit.lags[0])
    anisotropy = anisotropy_factor(displacements, lag=lag, correlated_ions=max(1.0, variance.collective))
    return variance.value / (variance.collective * estimate.fit.variance_A4 * anisotropy)


def _slopes_along(displacements: FloatArray, fit: Fit, direction: FloatArray) -> _Slopes:
    msd = mean_squared_displacements((displacements @ direction)[:, :, None], largest_lag=int(fit.lags[-1]))[fit.lags]
    slope, intercept = fit.weights @ msd.mean(axis=1)
    covariance = msd_covariance(
        fit.lags,
        increments=len(displacements) - 1,
        step_variance_A2=max(slope, SMALLEST_RELATIVE_STEP * abs(fit.slope_A2)),
        rattle_variance_A2=max(intercept, 0.0) / 2,
    )
    return _Slopes(fit.weights[0] @ msd, float(fit.weights[0] @ covariance @ fit.weights[0]) / displacements.shape[1])
