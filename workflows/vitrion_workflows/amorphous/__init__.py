"""Amorphous cells: random packing, equilibrium volume, melt and quench, and the gates on every cell."""

from vitrion_workflows.amorphous.cell_volume import SizedCell, require_volume, size_cell
from vitrion_workflows.amorphous.gates import CELL_GATES, DEFAULT_LIMITS, CellLimits, validate_cell
from vitrion_workflows.amorphous.melt_quench import (
    PROTOCOLS,
    cooling_rate_K_per_ps,
    melt,
    quench,
    relax_packing,
    relax_quenched,
    relaxed_packing,
)
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
    "SizedCell",
    "VolumeSearchFailed",
    "cell_reference",
    "cooling_rate_K_per_ps",
    "hidden_symmetry",
    "melt",
    "orientational_coherence",
    "pack",
    "push_apart",
    "quench",
    "relax_packing",
    "relax_quenched",
    "relaxed_packing",
    "require_volume",
    "search_volume",
    "size_cell",
    "validate_cell",
]
