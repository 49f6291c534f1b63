"""jobflow Makers of amorphous cells and labels."""

from vitrion_workflows.flows.diffusivity import DiffusivityMaker
from vitrion_workflows.flows.melt_quench import MeltQuenchMaker
from vitrion_workflows.flows.reference_label import ReferenceMaker
from vitrion_workflows.flows.relax_generated import RelaxGeneratedMaker

__all__ = [
    "DiffusivityMaker",
    "MeltQuenchMaker",
    "ReferenceMaker",
    "RelaxGeneratedMaker",
]
