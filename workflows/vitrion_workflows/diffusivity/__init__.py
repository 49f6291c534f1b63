"""Tracer diffusivity from displacements: mean squared displacement, covariance, fit window, interval, censoring."""

from vitrion_workflows.diffusivity.estimate import DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.diffusivity.gates import Diffusivity, diffusivity
from vitrion_workflows.diffusivity.msd import mean_squared_displacements, ols_fit, single_origin_fit

__all__ = [
    "Diffusivity",
    "DiffusivityEstimate",
    "diffusivity",
    "estimate_diffusivity",
    "mean_squared_displacements",
    "ols_fit",
    "single_origin_fit",
]
