"""What a cell is judged against: the room and the energy of its compound's solid."""

from dataclasses import dataclass

from pymatgen.core.structure import Structure

from vitrion_workflows.dynamics import relax
from vitrion_workflows.potentials import ForceField
from vitrion_workflows.schemas.geometry import system_from_structure
from vitrion_workflows.structure.volume_estimate import VolumeSource, estimate_volume

TWIN_FORCE_eV_PER_A = 0.05
TWIN_STEPS = 200


@dataclass(frozen=True)
class CellReference:
    """Yardsticks of one compound.

    Attributes:
        volume_A3_per_atom: of the crystal twin, or an estimate.
        volume_source: which; it sets how wide the density window is.
        energy_eV_per_atom: of the crystal twin in the same potential, or None without a twin.
    """

    volume_A3_per_atom: float
    volume_source: VolumeSource
    energy_eV_per_atom: float | None = None


def cell_reference(
    formula: str, *, twin: Structure | None = None, force_field: ForceField | None = None
) -> CellReference:
    """Yardsticks of a compound from its crystal twin, or from ionic radii where there is none.

    Args:
        formula: chemical formula.
        twin: crystal of the same compound; a partially occupied one lends its volume but no energy.
        force_field: potential in which the twin is relaxed, cell and positions, and its energy evaluated.

    Raises:
        InputError: bad formula, a twin of another compound, or elements the potential does not cover.
    """
    estimate = estimate_volume(formula, twin)
    energy = None
    if twin is not None and twin.is_ordered and force_field is not None:
        relaxed = relax(
            system_from_structure(twin),
            force_field,
            force_tolerance_eV_per_A=TWIN_FORCE_eV_PER_A,
            max_steps=TWIN_STEPS,
            relax_cell=True,
        )
        energy = relaxed.energy_eV / len(twin)
    return CellReference(estimate.volume_A3_per_atom, estimate.source, energy)
