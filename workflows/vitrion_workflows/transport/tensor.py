"""Diffusivity tensor."""

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
from vitrion_workflows.diffusivity.variance import anisotropy_factor, corrected_variance
from vitrion_workflows.transport.isotropy import directional_correlation, isotropic_probability

# Smallest diffusivity along a direction in the theory of its error, relative to the mean diffusivity.
SMALLEST_RELATIVE_STEP = 1e-6
PAIRS = ((0, 1), (0, 2), (1, 2))


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
