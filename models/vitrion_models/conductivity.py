"""Nernst-Einstein relation between diffusivity and ionic conductivity."""

from vitrion_models.constants import BOLTZMANN_J_PER_K, CM3_PER_A3, ELEMENTARY_CHARGE_C
from vitrion_models.errors import InputError


def conductivity_per_diffusivity(*, squared_charges: float, volume_A3: float, temperature_K: float) -> float:
    """Return the factor from cm2/s to S/cm, e^2 sum_i z_i^2 / (V k T).

    Args:
        squared_charges: sum of the squares of the ions' charges, in elementary charges.
        volume_A3: of the cell that holds them.
        temperature_K: of the run.

    Raises:
        InputError: a volume or temperature that is not positive.
    """
    if not (volume_A3 > 0 and temperature_K > 0):
        raise InputError(
            f"conductivity at {temperature_K:g} K in {volume_A3:g} A3: give a positive temperature and volume"
        )
    thermal = BOLTZMANN_J_PER_K * temperature_K
    return squared_charges * ELEMENTARY_CHARGE_C**2 / (volume_A3 * CM3_PER_A3 * thermal)
