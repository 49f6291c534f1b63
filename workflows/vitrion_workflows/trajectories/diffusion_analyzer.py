"""JSON of pymatgen's DiffusionAnalyzer: displacements of every site, with its time step."""

from typing import Any

import numpy as np
from ase.data import atomic_numbers

from vitrion_models.bounds import parse_json
from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.errors import InputError
from vitrion_workflows.formats.frames import check_coordinates
from vitrion_workflows.trajectories.assembly import frame_interval
from vitrion_workflows.trajectories.trajectory import Trajectory


def parse_diffusion_analyzer(text: str, *, stated_interval_ps: float | None) -> Trajectory:
    """Parse a DiffusionAnalyzer (Ong et al., Energy Environ. Sci. 6, 148, 2013).

    Args:
        text: JSON.
        stated_interval_ps: frame interval given by the user, compared with the stored one.

    Raises:
        InputError: not a DiffusionAnalyzer, a site without one known element, displacements of other atoms, or two
            different frame intervals.
    """
    try:
        content = parse_json(text)
        sites = content["structure"]["sites"]
        lattice = np.array(content["structure"]["lattice"]["matrix"], dtype=np.float64)
        displacements = np.array(content["displacements"], dtype=np.float64).transpose(1, 0, 2)
        start = np.array([site["abc"] for site in sites], dtype=np.float64) @ lattice
        interval = content["time_step"] * content["step_skip"] / FEMTOSECONDS_PER_PS
        numbers = np.array([_atomic_number(site) for site in sites])
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not a DiffusionAnalyzer of pymatgen ({str(error).splitlines()[0]})") from error
    if displacements.shape[1:] != start.shape:
        raise InputError(f"displacements of {displacements.shape[1]} atoms for {len(start)} sites: write it again")
    check_coordinates(displacements, lattice)
    return Trajectory(
        numbers=numbers,
        positions_A=start + displacements,
        lattice_A=lattice,
        frame_interval_ps=frame_interval(held=interval, stated=stated_interval_ps),
        set_temperature_K=_temperature(content.get("temperature")),
    )


def _temperature(entry: Any) -> float | None:
    is_temperature = isinstance(entry, int | float) and not isinstance(entry, bool) and 0 < entry < np.inf
    return float(entry) if is_temperature else None


def _atomic_number(site: dict[str, Any]) -> int:
    species = site["species"]
    symbol = "".join(filter(str.isalpha, species[0]["element"]))
    if len(species) != 1 or not atomic_numbers.get(symbol):
        raise InputError(f"a site holds {symbol!r}, not one known element")
    return int(atomic_numbers[symbol])
