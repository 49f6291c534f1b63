"""Requirements of a label on its cell, temperature and seed, checked before anything starts."""

from pymatgen.core.structure import Structure

from vitrion_models.constants import COLDEST_K, HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_workflows.structure.species import absent_species

# In a smaller cell each ion sits beside its own images, and its few velocities do not tell the temperature of a run.
FEWEST_ATOMS = 8


def check_task(structure: Structure, *, species: str, temperature_K: float, seed: int) -> None:
    """Refuse what cannot be labelled, before anything starts.

    Raises:
        InputError: impossible temperature, no such species in the cell, partial occupancies, fewer than eight atoms,
            negative seed.
    """
    formula = structure.composition.reduced_formula
    if not COLDEST_K <= temperature_K <= HOTTEST_K:
        raise InputError(f"{formula}: a temperature of {temperature_K:g} K is impossible: give 1 to 10000 K")
    if seed < 0:
        raise InputError(f"seed {seed} must not be negative")
    if not structure.is_ordered:
        raise InputError(f"{formula} has partially occupied sites: order it first (vitrion order FILE)")
    present = {element.symbol for element in structure.composition.elements}
    if species not in present:
        raise absent_species(species, source=formula, present=present)
    if len(structure) < FEWEST_ATOMS:
        raise InputError(
            f"{formula}: a cell of {len(structure)} atom{'s' * (len(structure) > 1)} is too small for a diffusivity: "
            f"give a supercell of {FEWEST_ATOMS} atoms or more"
        )
