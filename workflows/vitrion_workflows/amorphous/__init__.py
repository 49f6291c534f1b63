"""Amorphous cells: packing, equilibrium volume, melt and quench, and the gates that judge every cell."""

from vitrion_workflows.amorphous.gates import CELL_GATES, DEFAULT_LIMITS, CellLimits, judge_cell, static_pressure_GPa
from vitrion_workflows.amorphous.melt_quench import PROTOCOLS, cooling_rate_K_per_ps, loosen, melt, quench, settle
from vitrion_workflows.amorphous.orientation import orientational_coherence
from vitrion_workflows.amorphous.packing import PackedCell, pack
from vitrion_workflows.amorphous.reference import CellReference, cell_reference
from vitrion_workflows.amorphous.soft_sphere import push_apart
from vitrion_workflows.amorphous.symmetry import hidden_symmetry
from vitrion_workflows.amorphous.volume import VolumeSearchFailed, search_volume

__all__ = [
    "CELL_GATES",
    "DEFAULT_LIMITS",
    "PROTOCOLS",
    "CellLimits",
    "CellReference",
    "PackedCell",
    "VolumeSearchFailed",
    "cell_reference",
    "cooling_rate_K_per_ps",
    "hidden_symmetry",
    "judge_cell",
    "loosen",
    "melt",
    "orientational_coherence",
    "pack",
    "push_apart",
    "quench",
    "search_volume",
    "settle",
    "static_pressure_GPa",
]
