"""Names and units of an H5MD file."""

from collections.abc import Mapping
from typing import Any

import h5py

from vitrion_models.errors import InputError

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
