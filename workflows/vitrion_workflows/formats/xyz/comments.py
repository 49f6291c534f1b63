"""Comment lines of XYZ files: keys of the extended format, and the words of CP2K and LAMMPS."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ase import units
from ase.io.extxyz import key_val_str_to_dict

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.errors import InputError, first_line
from vitrion_workflows.formats.frames import floats, whole_number

# Two clocks of one frame must agree.
TIME_TOLERANCE = 1e-3
NUMBER = r"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?"
# CP2K: step, time in fs, potential energy in Hartree.
CP2K = re.compile(rf"\s*i\s*=\s*(?P<step>\d+),\s*time\s*=\s*(?P<time>{NUMBER})(?:,\s*E\s*=\s*(?P<energy>{NUMBER}))?")
LAMMPS = re.compile(r"\s*Atoms\. Timestep:\s*(?P<step>\d+)")
ENERGY = "energy"
# Keys of which one makes a comment more than free text.
KEYS = re.compile(r"\b(Lattice|Properties|pbc|energy|[Tt]ime\w*)\s*=")


@dataclass(frozen=True)
class Comment:
    """Statements of the comment line of a frame.

    Attributes:
        program: that wrote it, where its words show it; empty otherwise.
        info: keys of the extended format; empty for free text.
        step: number of the step; None where not stated, as those below.
        time_ps: time of the frame.
        energy_eV: potential energy.
    """

    program: str = ""
    info: Mapping[str, Any] = field(default_factory=dict)
    step: int | None = None
    time_ps: float | None = None
    energy_eV: float | None = None


def parse_comment(text: str, *, time_keys: Mapping[str, float], place: str) -> Comment:
    """Return what a comment line states; free text states nothing.

    Args:
        text: of the line.
        time_keys: keys of a time with their factor to ps.
        place: of the frame, for messages.

    Raises:
        InputError: keys and values that cannot be read, numbers that are not, or two times that differ.
    """
    if match := CP2K.match(text):
        energy = match["energy"]
        return Comment(
            program="CP2K",
            step=whole_number(match["step"], place=f"the step of {place}"),
            time_ps=_number(match, "time", place) / FEMTOSECONDS_PER_PS,
            energy_eV=None if energy is None else _number(match, "energy", place) * units.Hartree,
        )
    if match := LAMMPS.match(text):
        return Comment(program="LAMMPS", step=whole_number(match["step"], place=f"the step of {place}"))
    if not KEYS.search(text):
        return Comment()
    try:
        info: dict[str, Any] = key_val_str_to_dict(text)
    except (ValueError, IndexError) as error:
        raise InputError(f"the comment line of {place} cannot be read ({first_line(error)}): correct it") from error
    return Comment(
        info=info,
        time_ps=time_of(info, time_keys, place),
        energy_eV=_number(info, ENERGY, place) if ENERGY in info else None,
    )


def time_of(info: Mapping[str, Any], time_keys: Mapping[str, float], place: str) -> float | None:
    """Return the time that keys of a frame state, in ps; None where none does.

    Raises:
        InputError: it is not a number, or two keys differ.
    """
    times = {key: _number(info, key, place) * factor for key, factor in time_keys.items() if key in info}
    if not times:
        return None
    low, high = min(times.values()), max(times.values())
    if high - low > TIME_TOLERANCE * abs(high):
        both = ", ".join(f"{time:g} ps by {key}" for key, time in times.items())
        raise InputError(f"{place} is at {both}: remove the wrong times from the file")
    return next(iter(times.values()))


def _number(info: Mapping[str, Any] | re.Match[str], key: str, place: str) -> float:
    return float(floats([str(info[key])], place=f"{key} of {place}")[0])
