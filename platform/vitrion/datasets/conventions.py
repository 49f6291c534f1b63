"""Conventions of published diffusivities, and their factors to the Einstein value."""

from vitrion_models.errors import InputError
from vitrion_workflows.schemas import Convention

# value * factor = lim MSD / 6t
EINSTEIN_FACTORS: dict[Convention, float] = {
    Convention.EINSTEIN_3D: 1.0,
    Convention.SLOPE_HALF: 1.0 / 3.0,  # slope/2 of the summed three-dimensional MSD
}
REASONS: dict[Convention, str] = {
    Convention.EINSTEIN_3D: "",
    Convention.SLOPE_HALF: "the source is slope/2 of the summed three-dimensional MSD, three times the Einstein value",
}


def einstein_factor(convention: Convention | str | None, *, source: str) -> float:
    """Return the factor that converts a diffusivity of a stated convention to lim MSD / 6t.

    Args:
        convention: as the source states it.
        source: data set or file, for the message.

    Raises:
        InputError: no convention is stated, or an unknown one.
    """
    choices = ", ".join(EINSTEIN_FACTORS)
    if convention is None:
        raise InputError(f"{source}: the convention of its diffusivities is not stated: choose from {choices}")
    try:
        return EINSTEIN_FACTORS[Convention(convention)]
    except ValueError as fault:
        raise InputError(f"{source}: unknown convention {convention!r}: choose from {choices}") from fault
