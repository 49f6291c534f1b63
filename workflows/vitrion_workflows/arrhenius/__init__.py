"""Arrhenius lines: Bayesian fit of diffusivities against temperature, posterior and extrapolation."""

from vitrion_workflows.arrhenius.curvature import Curvature
from vitrion_workflows.arrhenius.fit import ArrheniusFit, ArrheniusPoint, fit_arrhenius
from vitrion_workflows.arrhenius.prediction import ArrheniusPrediction, ConductivityPrediction

__all__ = [
    "ArrheniusFit",
    "ArrheniusPoint",
    "ArrheniusPrediction",
    "ConductivityPrediction",
    "Curvature",
    "fit_arrhenius",
]
