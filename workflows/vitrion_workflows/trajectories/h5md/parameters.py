"""Parameters of the run in an H5MD file: set temperature, thermostat, provenance."""

import json
import os
from typing import Any

import h5py
import numpy as np

from vitrion_models.errors import InputError
from vitrion_workflows.trajectories.h5md.layout import decoded
from vitrion_workflows.trajectories.trajectory import thermostat_fault


def read_provenance(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read the record of how a trajectory was made; empty where the file holds none.

    Raises:
        InputError: not an HDF5 file.
    """
    try:
        with h5py.File(path, "r") as file:
            return _provenance(file)
    except OSError as error:
        raise InputError(f"{path} is not an HDF5 file: write it again") from error


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
    try:
        stored = json.loads(decoded(_attributes(file).get("vitrion")))
    except (TypeError, ValueError):
        return {}  # absent, or another program's
    return stored if isinstance(stored, dict) else {}


def _number(attribute: Any) -> float | None:
    try:
        number = float(np.asarray(attribute, dtype=np.float64).item())
    except (TypeError, ValueError):
        return None
    return number if np.isfinite(number) else None
