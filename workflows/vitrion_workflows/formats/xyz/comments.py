"""Comment lines of XYZ files: keys of the extended format, and the words of CP2K and LAMMPS."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ase import units

from vitrion_models.constants import FEMTOSECONDS_PER_PS
from vitrion_models.errors import InputError
from vitrion_workflows.formats.frames import floats, whole_number

# Two clocks of one frame must agree.
TIME_TOLERANCE = 1e-3
NUMBER = r"[^\s,]+"
# CP2K: step, time in fs, potential energy in Hartree.
CP2K = re.compile(
    rf"\s*i\s*=\s*(?P<step>{NUMBER}),\s*time\s*=\s*(?P<time>{NUMBER})(?:,\s*E\s*=\s*(?P<energy>{NUMBER}))?"
)
LAMMPS = re.compile(rf"\s*Atoms\. Timestep:\s*(?P<step>{NUMBER})")
ENERGY = "energy"
# Keys of which one makes a comment more than free text.
KEYS = re.compile(r"\b(Lattice|Properties|pbc|energy|[Tt]ime\w*)\s*=")
# A key and its value, bare or between delimiters; one that is not closed extends to the end, so that time is linear.
PAIR = re.compile(
    r"""(?P<key>"[^"]*"?|[^\s=]+)(?:\s*=\s*(?P<value>"(?:[^"\\]|\\.)*"?|'[^']*'?|\{[^}]*\}?|\[[^\]]*\]?|\S+))?"""
)
CLOSING = {'"': '"', "'": "'", "{": "}", "[": "]"}
WORD = re.compile(r"[^\s,]+")


@dataclass(frozen=True)
class Comment:
    """Statements of the comment line of a frame.

    Attributes:
        program: that wrote it, where its words show it; empty otherwise.
        info: values of the keys of the extended format as text; empty for free text.
        step: number of the step; None where not stated, as those below.
        time_ps: time of the frame.
        energy_eV: potential energy.
    """

    program: str = ""
    info: Mapping[str, str] = field(default_factory=dict)
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
        InputError: a key that is given twice, numbers that are not, or two times that differ.
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
    info = _pairs(text, place)
    return Comment(
        info=info,
        time_ps=time_of(info, time_keys, place),
        energy_eV=_number(info, ENERGY, place) if ENERGY in info else None,
    )


def _pairs(text: str, place: str) -> dict[str, str]:
    """Return the keys of a comment line that are used, each with its value as text."""
    info: dict[str, str] = {}
    for match in PAIR.finditer(text):
        key, value = match["key"].strip('"'), match["value"]
        if value is None or not KEYS.match(f"{key}="):
            continue  # a word or a key of another program
        if key in info:
            raise InputError(f"the comment line of {place} gives {key} twice: remove one")
        closing = CLOSING.get(value[0])
        if closing and not (len(value) > 1 and value.endswith(closing)):
            raise InputError(f"the comment line of {place} cannot be read ({key} has no closing {closing}): correct it")
        info[key] = value[1:-1] if closing else value
    return info


def words_of(value: str) -> list[str]:
    """Return the words of a value, between blanks or commas."""
    return WORD.findall(value)


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
