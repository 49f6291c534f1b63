"""Transport: displacements, mean squared displacement, diffusivity with covariance, gates on a label."""

from vitrion_workflows.transport.arrhenius import ArrheniusFit, ArrheniusPoint, ArrheniusPrediction, fit_arrhenius
from vitrion_workflows.transport.displacements import centre_of_mass, remove_drift, unwrap
from vitrion_workflows.transport.equilibration import equilibration, equilibration_end, statistical_inefficiency
from vitrion_workflows.transport.estimate import DiffusivityEstimate, diffusivity
from vitrion_workflows.transport.haven import Haven, haven_ratio
from vitrion_workflows.transport.label import TrajectoryAnalysis, analyse_trajectory, label_trajectory
from vitrion_workflows.transport.msd import mean_squared_displacements
from vitrion_workflows.transport.plain import plain_fit, single_origin_fit
from vitrion_workflows.transport.reading import read_trajectory

__all__ = [
    "ArrheniusFit",
    "ArrheniusPoint",
    "ArrheniusPrediction",
    "DiffusivityEstimate",
    "Haven",
    "TrajectoryAnalysis",
    "analyse_trajectory",
    "centre_of_mass",
    "diffusivity",
    "equilibration",
    "equilibration_end",
    "fit_arrhenius",
    "haven_ratio",
    "label_trajectory",
    "mean_squared_displacements",
    "plain_fit",
    "read_trajectory",
    "remove_drift",
    "single_origin_fit",
    "statistical_inefficiency",
    "unwrap",
]
