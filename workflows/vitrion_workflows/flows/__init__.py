"""Makers that join packing, dynamics and analysis: what a launchpad runs."""

from vitrion_workflows.flows.diffusivity import DiffusivityMaker
from vitrion_workflows.flows.melt_quench import MeltQuenchMaker
from vitrion_workflows.flows.question import check_question
from vitrion_workflows.flows.referee import RefereeMaker
from vitrion_workflows.flows.relax_generated import RelaxGeneratedMaker
from vitrion_workflows.flows.scratch import scratch_root
from vitrion_workflows.flows.stopping import StoppedError, stop_on_signal

__all__ = [
    "DiffusivityMaker",
    "MeltQuenchMaker",
    "RefereeMaker",
    "RelaxGeneratedMaker",
    "StoppedError",
    "check_question",
    "scratch_root",
    "stop_on_signal",
]
