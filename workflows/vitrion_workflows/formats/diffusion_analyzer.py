"""JSON of pymatgen's DiffusionAnalyzer: displacements of every site, with its time step."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from vitrion_models.bounds import parse_json
from vitrion_models.constants import DIMENSIONS, FEMTOSECONDS_PER_PS
from vitrion_models.errors import InputError, first_line
from vitrion_models.system import FloatArray
from vitrion_workflows.formats.frames import Frame, FrameFile, FrameOptions, atoms_of, check_numbers
from vitrion_workflows.formats.json.values import array_of, number_of
from vitrion_workflows.formats.opening import read_text


def read_frames(path: Path, _options: FrameOptions) -> FrameFile:
    """Read a DiffusionAnalyzer (Ong et al., Energy Environ. Sci. 6, 148, 2013).

    Raises:
        InputError: not a DiffusionAnalyzer, a site without one known element, or displacements of other atoms.
    """
    try:
        content = parse_json(read_text(path))
        sites = content["structure"]["sites"]
        lattice = array_of(content["structure"]["lattice"]["matrix"], (DIMENSIONS, DIMENSIONS), name="the lattice")
        moved = content["displacements"]
        displacements = array_of(moved, (len(moved), len(moved[0]), DIMENSIONS), name="displacements").transpose(
            1, 0, 2
        )
        fractional = array_of([site["abc"] for site in sites], (len(sites), DIMENSIONS), name="positions (abc)")
        for numbers in (lattice, displacements, fractional):
            check_numbers(numbers, place="the structure or its displacements")
        start = fractional @ lattice
        step_fs, steps = (number_of(content[name], name=name) for name in ("time_step", "step_skip"))
        interval = step_fs * steps / FEMTOSECONDS_PER_PS
        words = [_element(site) for site in sites]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"not a DiffusionAnalyzer of pymatgen ({first_line(error)})") from error
    if displacements.shape[1:] != start.shape:
        raise InputError(f"displacements of {displacements.shape[1]} atoms for {len(start)} sites: write it again")
    return FrameFile(
        frames=_frames(words, start, displacements, lattice),
        interval_ps=interval,
        set_temperature_K=_temperature(content.get("temperature")),
    )


def _frames(words: list[str], start: FloatArray, displacements: FloatArray, lattice: FloatArray) -> Iterator[Frame]:
    numbers, masses = atoms_of(words)
    for moved in displacements:
        yield Frame(numbers=numbers, masses_u=masses, coordinates=start + moved, unwrapped=True, lattice_A=lattice)


def _temperature(entry: Any) -> float | None:
    is_temperature = isinstance(entry, int | float) and not isinstance(entry, bool) and 0 < entry < np.inf
    return float(entry) if is_temperature else None


def _element(site: dict[str, Any]) -> str:
    species = site["species"]
    if len(species) != 1:
        raise InputError(f"a site holds {len(species)} species, not one element")
    return str(species[0]["element"])
