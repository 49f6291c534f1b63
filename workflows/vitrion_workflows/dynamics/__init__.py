"""Molecular dynamics: the engine, thermostats, exact checkpoints, relaxation and H5MD trajectories."""

from vitrion_workflows.dynamics.ase_reference import ase_calculator, ase_reference
from vitrion_workflows.dynamics.cell_run import MDResult
from vitrion_workflows.dynamics.engine import EarlyEnd, run_batch, run_md
from vitrion_workflows.dynamics.errors import DynamicsError
from vitrion_workflows.dynamics.plan import MDPlan
from vitrion_workflows.dynamics.relaxation import RelaxResult, relax
from vitrion_workflows.dynamics.state import MDState

__all__ = [
    "DynamicsError",
    "EarlyEnd",
    "MDPlan",
    "MDResult",
    "MDState",
    "RelaxResult",
    "ase_calculator",
    "ase_reference",
    "relax",
    "run_batch",
    "run_md",
]
