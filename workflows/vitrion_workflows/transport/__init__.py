"""Transport: displacements, mean squared displacement, diffusivity with covariance, gates on a label."""

from vitrion_workflows.transport.arrhenius import (
    ArrheniusFit,
    ArrheniusPoint,
    ArrheniusPrediction,
    ConductivityPrediction,
    Curvature,
    fit_arrhenius,
)
from vitrion_workflows.transport.collective import CollectiveDiffusivity, collective_diffusivity, in_host_frame
from vitrion_workflows.transport.conductivity import (
    ChargeCarriers,
    Conductivity,
    charges_of,
    collective_conductivity,
    nernst_einstein,
)
from vitrion_workflows.transport.displacements import centre_of_mass, remove_drift, unwrap
from vitrion_workflows.transport.equilibration import equilibration, equilibration_end, statistical_inefficiency
from vitrion_workflows.transport.estimate import DiffusivityEstimate, estimate_diffusivity
from vitrion_workflows.transport.haven import Haven, haven_ratio
from vitrion_workflows.transport.label import (
    TrajectoryAnalysis,
    TrajectoryState,
    analyse_trajectory,
    label_trajectory,
)
from vitrion_workflows.transport.msd import mean_squared_displacements
from vitrion_workflows.transport.plain import plain_fit, single_origin_fit
from vitrion_workflows.transport.reading import read_trajectory
from vitrion_workflows.transport.tensor import DiffusivityTensor, diffusivity_tensor
from vitrion_workflows.transport.van_hove import NonGaussian, VanHove, non_gaussian, van_hove
from vitrion_workflows.transport.velocity import GreenKubo, VelocityCorrelation, green_kubo, velocity_correlation
from vitrion_workflows.transport.verdict import Diffusivity, diffusivity

__all__ = [
    "ArrheniusFit",
    "ArrheniusPoint",
    "ArrheniusPrediction",
    "ChargeCarriers",
    "CollectiveDiffusivity",
    "Conductivity",
    "ConductivityPrediction",
    "Curvature",
    "Diffusivity",
    "DiffusivityEstimate",
    "DiffusivityTensor",
    "GreenKubo",
    "Haven",
    "NonGaussian",
    "TrajectoryAnalysis",
    "TrajectoryState",
    "VanHove",
    "VelocityCorrelation",
    "analyse_trajectory",
    "centre_of_mass",
    "charges_of",
    "collective_conductivity",
    "collective_diffusivity",
    "diffusivity",
    "diffusivity_tensor",
    "equilibration",
    "equilibration_end",
    "estimate_diffusivity",
    "fit_arrhenius",
    "green_kubo",
    "haven_ratio",
    "in_host_frame",
    "label_trajectory",
    "mean_squared_displacements",
    "nernst_einstein",
    "non_gaussian",
    "plain_fit",
    "read_trajectory",
    "remove_drift",
    "single_origin_fit",
    "statistical_inefficiency",
    "unwrap",
    "van_hove",
    "velocity_correlation",
]
