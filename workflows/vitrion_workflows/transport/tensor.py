"""Diffusivity as a tensor: how fast ions go in which direction."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray
from vitrion_workflows.transport.covariance import msd_covariance
from vitrion_workflows.transport.estimate import CM2_PER_S, DiffusivityEstimate
from vitrion_workflows.transport.msd import mean_squared_displacements
from vitrion_workflows.transport.regression import DIMENSIONS
from vitrion_workflows.transport.variance import anisotropy, inflated

# Distinct ratios of a symmetric 3 x 3 matrix to its trace.
DEVIATIONS = 5
# A direction along which nothing moves is still known no better than this share of the mean diffusivity.
SMALLEST_RELATIVE_STEP = 1e-6
PAIRS = ((0, 1), (0, 2), (1, 2))


@dataclass(frozen=True, eq=False)
class DiffusivityTensor:
    """D_ab = lim <dr_a dr_b> / (2 t) in Cartesian axes; a third of its trace is the tracer diffusivity.

    Attributes:
        tensor_cm2_per_s: symmetric, shape (3, 3).
        stderr_cm2_per_s: of each element, shape (3, 3).
        principal_cm2_per_s: eigenvalues, greatest first, shape (3,). Of an isotropic material they still differ, by
            about their errors: read them only where `isotropic_p` is small.
        principal_stderr_cm2_per_s: shape (3,).
        axes: unit vectors of the principal directions as rows, shape (3, 3); the sign of each is arbitrary.
        isotropic_p: probability that an isotropic material looks as anisotropic as this.
    """

    tensor_cm2_per_s: FloatArray
    stderr_cm2_per_s: FloatArray
    principal_cm2_per_s: FloatArray
    principal_stderr_cm2_per_s: FloatArray
    axes: FloatArray
    isotropic_p: float


def diffusivity_tensor(displacements_A: FloatArray, estimate: DiffusivityEstimate) -> DiffusivityTensor:
    """Tensor of a set of ions, read over the lags and with the weights of their scalar diffusivity.

    The mean squared displacement along a unit vector u is u' M u; along the three axes and the three diagonals
    between them it gives all six elements of M, so that every element is the same linear function of its lags that
    the scalar is of its own, and a third of the trace equals the scalar. The cell's shape does not enter.

    A fitted tensor of Gaussian displacements has the moments of a Wishart matrix with nu degrees of freedom,
    Var(D_ab) = (D_aa D_bb + D_ab^2) / nu (Anderson, Multivariate Statistical Analysis, chapter 7). Along each axis
    and principal direction the variance comes from the covariance of overlapping displacements with that direction's
    own slope and rattle, widened where ions differ (`inflated`) or move together; elements off the diagonal follow
    from those. Isotropy is tested by nu/2 tr[(3 D / tr D - 1)^2], chi square with five degrees of freedom (John,
    Biometrika 58, 123, 1971), with nu from the error of the scalar.

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        estimate: scalar diffusivity of the same displacements.
    """
    to_value = CM2_PER_S / (2 * estimate.frame_interval_ps)
    axes = np.eye(DIMENSIONS)
    straight = [_along(displacements_A, axis, estimate) for axis in axes]
    tensor = np.diag([slope for slope, _ in straight])
    for first, second in PAIRS:
        slope, _ = _along(displacements_A, (axes[first] + axes[second]) / np.sqrt(2), estimate)
        tensor[first, second] = tensor[second, first] = slope - (tensor[first, first] + tensor[second, second]) / 2
    values, vectors = np.linalg.eigh(tensor)
    principal = vectors[:, ::-1].T
    errors = np.array([error for _, error in straight])
    freedom = wishart_freedom(displacements_A, estimate)
    shared = np.outer(errors, errors) / 2
    shared += np.where(np.eye(DIMENSIONS, dtype=bool), shared, tensor**2 / freedom if freedom else shared)
    mean = np.trace(tensor) / DIMENSIONS
    deviation = tensor / mean - axes if mean > 0 else np.zeros_like(tensor)
    return DiffusivityTensor(
        tensor_cm2_per_s=tensor * to_value,
        stderr_cm2_per_s=np.sqrt(shared) * to_value,
        principal_cm2_per_s=values[::-1] * to_value,
        principal_stderr_cm2_per_s=np.array([_along(displacements_A, axis, estimate)[1] for axis in principal])
        * to_value,
        axes=principal,
        isotropic_p=float(stats.chi2.sf(freedom / 2 * (deviation**2).sum(), DEVIATIONS)),
    )


def wishart_freedom(displacements_A: FloatArray, estimate: DiffusivityEstimate) -> float:
    """Number of independent three-dimensional displacements as uncertain as the estimate.

    A trace of n of them has the relative variance 2 tr D^2 / (n (tr D)^2), which is 2/3 of `anisotropy` over n.
    """
    unequal_axes = anisotropy(
        displacements_A, lag=int(estimate.fit.lags[0]), together=max(1.0, estimate.variance.collective)
    )
    return 2 / 3 * unequal_axes * (estimate.value_cm2_per_s / estimate.noise_cm2_per_s) ** 2


def _along(displacements: FloatArray, direction: FloatArray, estimate: DiffusivityEstimate) -> tuple[float, float]:
    """Slope of the mean squared displacement along a direction, in square Angstrom a frame, and its error."""
    fit = estimate.fit
    ions = displacements.shape[1]
    msd = mean_squared_displacements((displacements @ direction)[:, :, None], largest_lag=int(fit.lags[-1]))[fit.lags]
    slope, intercept = fit.weights @ msd.mean(axis=1)
    covariance = msd_covariance(
        fit.lags,
        increments=len(displacements) - 1,
        step_variance_A2=max(slope, SMALLEST_RELATIVE_STEP * abs(fit.slope_A2)),
        rattle_variance_A2=max(intercept, 0.0) / 2,
    )
    theory = float(fit.weights[0] @ covariance @ fit.weights[0]) / ions
    variance = inflated(theory, fit.weights[0] @ msd, collective=(1.0, 0.0)).value * estimate.variance.collective
    return float(slope), float(np.sqrt(variance))
