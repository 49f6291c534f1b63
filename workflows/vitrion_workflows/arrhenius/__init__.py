"""Arrhenius lines: Bayesian fit of diffusivities against temperature, posterior and extrapolation."""

from vitrion_workflows.arrhenius.fit import (
    ArrheniusFit,
    ArrheniusPoint,
    ArrheniusPrediction,
    ConductivityPrediction,
    fit_arrhenius,
)
from vitrion_workflows.arrhenius.posterior import Curvature

__all__ = [
    "ArrheniusFit",
    "ArrheniusPoint",
    "ArrheniusPrediction",
    "ConductivityPrediction",
    "Curvature",
    "fit_arrhenius",
]
