"""Diffusivity as a tensor: how fast ions go in which direction."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.covariance import msd_covariance
from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import DIMENSIONS, Fit
from vitrion_workflows.diffusivity.variance import anisotropy, inflated
from vitrion_workflows.transport.isotropy import isotropic_probability, moving_alike

# A direction along which nothing moves is still known no better than this share of the mean diffusivity.
SMALLEST_RELATIVE_STEP = 1e-6
Along = Callable[[FloatArray], tuple[FloatArray, float]]
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
        isotropic_p: probability that an isotropic material looks as anisotropic as this; one where the diffusivity
            itself is not known. Two to four times too small where ions hop along cubic axes (`isotropic_probability`).
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
    own slope and rattle, widened where ions differ (`inflated`); elements off the diagonal follow from those. A third
    of the variance along a direction is that of the trace, and grows as the scalar's does where ions move together;
    the rest, and elements off the diagonal, as far as their directions do (`moving_alike`). Whether the tensor is
    isotropic is judged by whether the ions' own agree in direction (`isotropic_probability`).

    Args:
        displacements_A: drift-corrected displacements of the ions, shape (F, N, 3).
        estimate: scalar diffusivity of the same displacements.
    """
    fit, to_value = estimate.fit, A2_PER_PS_IN_CM2_PER_S / (2 * estimate.frame_interval_ps)
    axes = np.eye(DIMENSIONS)
    along = partial(_along, displacements_A, fit)
    straight = [along(axis) for axis in axes]
    of_ions = _of_ions([slopes for slopes, _ in straight], along)
    tensor = of_ions.mean(axis=0)
    values, vectors = np.linalg.eigh(tensor)
    principal = vectors[:, ::-1].T
    alike = moving_alike(displacements_A, block=int(fit.lags[0]) // 2)
    together = (estimate.variance.collective + (DIMENSIONS - 1) * alike.collective) / DIMENSIONS
    beyond = _beyond_walks(displacements_A, estimate)
    errors = np.array([_error(slopes, theory) for slopes, theory in straight])
    per_freedom = float((errors**2).sum() / (2 * (np.diag(tensor) ** 2).sum())) if tensor.any() else 0.0
    oblique = (np.outer(errors, errors) / 2 + per_freedom * tensor**2) * alike.collective
    upright = np.array([_error(slopes, beyond * theory) for slopes, theory in straight]) * np.sqrt(together)
    on_principal = np.array([_error(slopes, beyond * theory) for slopes, theory in map(along, principal)])
    return DiffusivityTensor(
        tensor_cm2_per_s=tensor * to_value,
        stderr_cm2_per_s=np.where(axes > 0, np.diag(upright), np.sqrt(oblique)) * to_value,
        principal_cm2_per_s=values[::-1] * to_value,
        principal_stderr_cm2_per_s=on_principal * np.sqrt(together) * to_value,
        axes=principal,
        isotropic_p=1.0 if estimate.interval_68 is None else isotropic_probability(of_ions, alike=alike),
    )


def _of_ions(straight: list[FloatArray], along: Along) -> FloatArray:
    """Tensor of each ion from what it does along axes and the diagonals between them, shape (N, 3, 3)."""
    tensors = np.zeros((len(straight[0]), DIMENSIONS, DIMENSIONS))
    for axis, slopes in enumerate(straight):
        tensors[:, axis, axis] = slopes
    axes = np.eye(DIMENSIONS)
    for first, second in PAIRS:
        slopes, _ = along((axes[first] + axes[second]) / np.sqrt(2))
        mixed = slopes - (straight[first] + straight[second]) / 2
        tensors[:, first, second] = tensors[:, second, first] = mixed
    return tensors


def _beyond_walks(displacements: FloatArray, estimate: DiffusivityEstimate) -> float:
    """Factor by which jumps and unequal ions make the scalar less certain than a walk along the same axes would."""
    variance, lag = estimate.variance, int(estimate.fit.lags[0])
    unequal_axes = anisotropy(displacements, lag=lag, together=max(1.0, variance.collective))
    return variance.value / (variance.collective * estimate.fit.variance_A4 * unequal_axes)


def _along(displacements: FloatArray, fit: Fit, direction: FloatArray) -> tuple[FloatArray, float]:
    """Slope of each ion's squared displacement along a direction, in square Angstrom a frame.

    And the variance of their mean, for independent walkers that rattle.
    """
    msd = mean_squared_displacements((displacements @ direction)[:, :, None], largest_lag=int(fit.lags[-1]))[fit.lags]
    slope, intercept = fit.weights @ msd.mean(axis=1)
    covariance = msd_covariance(
        fit.lags,
        increments=len(displacements) - 1,
        step_variance_A2=max(slope, SMALLEST_RELATIVE_STEP * abs(fit.slope_A2)),
        rattle_variance_A2=max(intercept, 0.0) / 2,
    )
    return fit.weights[0] @ msd, float(fit.weights[0] @ covariance @ fit.weights[0]) / displacements.shape[1]


def _error(ion_slopes: FloatArray, theory: float) -> float:
    return float(np.sqrt(inflated(theory, ion_slopes, collective=(1.0, 0.0)).value))
