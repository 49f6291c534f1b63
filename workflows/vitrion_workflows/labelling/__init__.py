"""One label: the labelling task, the stopping rule and the label record of a trajectory."""

from vitrion_workflows.labelling.analysis import TrajectoryAnalysis, TrajectoryState, analyse_trajectory
from vitrion_workflows.labelling.label import label_trajectory

__all__ = [
    "TrajectoryAnalysis",
    "TrajectoryState",
    "analyse_trajectory",
    "label_trajectory",
]
