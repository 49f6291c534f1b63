"""Transport: displacements, mean squared displacement, diffusivity with covariance, gates on a label."""

from vitrion_workflows.transport.displacements import centre_of_mass, remove_drift, unwrap
from vitrion_workflows.transport.equilibration import equilibration, equilibration_end, statistical_inefficiency
from vitrion_workflows.transport.estimate import DiffusivityEstimate, diffusivity
from vitrion_workflows.transport.haven import Haven, haven_ratio
from vitrion_workflows.transport.label import TrajectoryAnalysis, analyse_trajectory, label_trajectory
from vitrion_workflows.transport.msd import mean_squared_displacements
from vitrion_workflows.transport.reading import read_trajectory

__all__ = [
    "DiffusivityEstimate",
    "Haven",
    "TrajectoryAnalysis",
    "analyse_trajectory",
    "centre_of_mass",
    "diffusivity",
    "equilibration",
    "equilibration_end",
    "haven_ratio",
    "label_trajectory",
    "mean_squared_displacements",
    "read_trajectory",
    "remove_drift",
    "statistical_inefficiency",
    "unwrap",
]
