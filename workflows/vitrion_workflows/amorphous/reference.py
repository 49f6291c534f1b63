"""Reference volume and energy of a solid compound, for the gates on a cell."""

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
    """Volume and energy of one solid compound.

    Attributes:
        volume_A3_per_atom: volume of the crystal twin, or an estimate.
        volume_source: source of the volume; it sets the width of the density window.
        energy_eV_per_atom: energy of the crystal twin in the same potential; None without a twin.
    """

    volume_A3_per_atom: float
    volume_source: VolumeSource
    energy_eV_per_atom: float | None = None


def cell_reference(
    formula: str, *, twin: Structure | None = None, force_field: ForceField | None = None
) -> CellReference:
    """Return the reference of a compound from its crystal twin, or from ionic radii without one.

    Args:
        formula: chemical formula.
        twin: crystal of the same compound; a partially occupied one gives a volume but no energy.
        force_field: potential with which cell and positions of the twin are relaxed and its energy is evaluated.

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
