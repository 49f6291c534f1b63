"""Arrhenius lines: Bayesian fit of diffusivities against temperature, posterior and extrapolation."""

from vitrion_workflows.arrhenius.fit import (
    ArrheniusFit,
    ArrheniusPoint,
    ArrheniusPrediction,
    ConductivityPrediction,
    Curvature,
    fit_arrhenius,
)

__all__ = [
    "ArrheniusFit",
    "ArrheniusPoint",
    "ArrheniusPrediction",
    "ConductivityPrediction",
    "Curvature",
    "fit_arrhenius",
]
