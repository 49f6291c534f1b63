"""Names, units and parameters of an H5MD file."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from vitrion_models.bounds import parse_json
from vitrion_models.errors import InputError
from vitrion_workflows.formats.hdf5 import open_hdf5
from vitrion_workflows.formats.thermostats import thermostat_fault

PARTICLES = "particles/all"
TIME_UNITS_PS = {"ps": 1.0, "fs": 1e-3, "ns": 1e3}
LENGTH_UNITS_A = {"Angstrom": 1.0, "angstrom": 1.0, "A": 1.0, "Å": 1.0, "nm": 10.0}
VELOCITY_UNITS_A_PER_PS = {
    **dict.fromkeys(("Angstrom ps-1", "Angstrom/ps"), 1.0),
    **dict.fromkeys(("Angstrom fs-1", "Angstrom/fs"), 1e3),
    **dict.fromkeys(("nm ps-1", "nm/ps"), 10.0),
    **dict.fromkeys(("m s-1", "m/s"), 1e-2),
}
KELVIN = frozenset({"K", "kelvin", "Kelvin"})


def unit_of(dataset: h5py.Dataset) -> Any:
    """Return the unit of a dataset, None where it has none."""
    return decoded(dataset.attrs.get("unit"))


def unit_factor(dataset: h5py.Dataset, units: Mapping[str, float]) -> float:
    """Return the factor from the unit of a dataset to ours.

    Args:
        dataset: with an attribute ``unit``.
        units: names of units to factors.

    Raises:
        InputError: another unit, or none.
    """
    unit = unit_of(dataset)
    if unit not in units:
        raise InputError(f"unit {unit!r} of {dataset.name} is unknown: use one of {', '.join(units)}")
    return units[unit]


def decoded(attribute: Any) -> Any:
    """Decode an attribute that is a string of fixed length, which h5py returns as bytes."""
    return attribute.decode(errors="replace") if isinstance(attribute, bytes) else attribute


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the record of how a trajectory was made; empty where the file holds none.

    Raises:
        InputError: not an HDF5 file.
    """
    with open_hdf5(Path(path)) as file:
        return _provenance(file)


def set_temperature_K(file: h5py.File) -> float | None:
    """Return the temperature that the thermostat was set to, None where not stored."""
    return _number(_attributes(file).get("set_temperature_K"))


def thermostat(file: h5py.File) -> tuple[str, float | None]:
    """Return name and friction (1/ps) of the thermostat, empty where unknown.

    Older files have them in the plan of their run only. The format leaves these attributes to the program that writes:
    values that do not describe a thermostat of `MDPlan` are ignored.
    """
    plan = _provenance(file).get("plan")
    for stated in (_attributes(file), plan if isinstance(plan, dict) else {}):
        name, rate = str(decoded(stated.get("thermostat", ""))), stated.get("friction_per_ps")
        friction = _number(rate)
        if (rate is None) == (friction is None) and not thermostat_fault(name, friction):
            return name, friction
    return "", None


def _attributes(file: h5py.File) -> Any:
    return file["parameters"].attrs if "parameters" in file else {}


def _provenance(file: h5py.File) -> dict[str, Any]:
    text = decoded(_attributes(file).get("vitrion"))
    try:
        stored = parse_json(text) if isinstance(text, str) else {}
    except InputError:
        return {}  # another program's
    return stored if isinstance(stored, dict) else {}


def _number(attribute: Any) -> float | None:
    try:
        number = float(np.asarray(attribute, dtype=np.float64).item())
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
