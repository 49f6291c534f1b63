"""Amorphous cells: packing, equilibrium volume, melt and quench, and the gates that judge every cell."""

from vitrion_workflows.amorphous.composition import cell_contents
from vitrion_workflows.amorphous.estimate import VolumeEstimate, VolumeSource, estimate_volume
from vitrion_workflows.amorphous.gates import (
    CELL_GATES,
    DEFAULT_LIMITS,
    CellLimits,
    closest_pair,
    density_g_cm3,
    judge_cell,
    static_pressure_GPa,
)
from vitrion_workflows.amorphous.orientation import orientational_coherence
from vitrion_workflows.amorphous.packing import PackedCell, pack
from vitrion_workflows.amorphous.reference import CellReference, cell_reference
from vitrion_workflows.amorphous.soft_sphere import push_apart
from vitrion_workflows.amorphous.symmetry import hidden_symmetry

__all__ = [
    "CELL_GATES",
    "DEFAULT_LIMITS",
    "CellLimits",
    "CellReference",
    "PackedCell",
    "VolumeEstimate",
    "VolumeSource",
    "cell_contents",
    "cell_reference",
    "closest_pair",
    "density_g_cm3",
    "estimate_volume",
    "hidden_symmetry",
    "judge_cell",
    "orientational_coherence",
    "pack",
    "push_apart",
    "static_pressure_GPa",
]
