"""Trajectories: readers, unwrapping and displacements."""

from vitrion_workflows.trajectories.displacements import centre_of_mass, remove_drift, unwrap
from vitrion_workflows.trajectories.reading import read_trajectory
from vitrion_workflows.trajectories.trajectory import Trajectory

__all__ = [
    "Trajectory",
    "centre_of_mass",
    "read_trajectory",
    "remove_drift",
    "unwrap",
]
