"""Sample: one training example, a material under conditions with measured targets."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from vitrion_models.constants import HOTTEST_K
from vitrion_models.errors import InputError
from vitrion_models.materials import Material, atomic_number
from vitrion_models.system import FloatArray
from vitrion_models.targets import Target

TEMPERATURE = "temperature_K"


@dataclass(frozen=True, eq=False)
class Measurement:
    """Measured value of one target, in its transformed scale; a field of one number holds for the whole shape.

    Attributes:
        value: measured value, in the shape of the target; the upper bound where censored.
        stderr: statistical standard error.
        systematic_stderr: standard deviation of the error that the source makes for this compound: shared by all
            measurements of one compound, independent between compounds, and not contained in `stderr`.
        censored: True where `value` is an upper bound.
        missing: True where there is no value; the other fields are ignored there.
    """

    value: float | FloatArray
    stderr: float | FloatArray
    systematic_stderr: float | FloatArray = 0.0
    censored: bool | NDArray[np.bool_] = False
    missing: bool | NDArray[np.bool_] = False


@dataclass(frozen=True, eq=False)
class Sample:
    """One training example.

    Attributes:
        input: system of atoms, crystalline or amorphous, or a composition by atomic number.
        targets: measurements of one or several targets.
        group: rows of one group are never split between training and test, for example the chemical system.
        key: identity of the sample.
        species: symbol of the mobile species, for example ``Li``; empty where the targets have none.
        conditions: conditions of the measurement by name, for example ``temperature_K``.
        source: identity of the method behind the values (potential and sha256 of its weights, or data set).
    """

    input: Material
    targets: Mapping[Target, Measurement]
    group: str
    key: str
    species: str = ""
    conditions: Mapping[str, float] = field(default_factory=dict)
    source: str = ""

    def __post_init__(self) -> None:
        """Check the sample.

        Raises:
            InputError: an impossible temperature, a value or error that is not finite, a negative error, an array of
                another shape than its target, an unknown species, or an empty composition.
        """
        if TEMPERATURE in self.conditions:
            check_temperature(self.conditions[TEMPERATURE])
        if len(self.input) == 0:
            raise InputError(f"sample {self.key} has neither a structure nor a composition: give one")
        if self.species:
            atomic_number(self.species)
        for target, measurement in self.targets.items():
            _check_measurement(measurement, target, key=self.key)

    @property
    def temperature_K(self) -> float:
        """Temperature of the measurement (not of the structure), in K."""
        return self.conditions[TEMPERATURE]

    def __getitem__(self, target: Target) -> Measurement:
        """Return the measurement of a target.

        Raises:
            InputError: the sample has none.
        """
        if target not in self.targets:
            raise InputError(f"sample {self.key} has no value of {target.name}: leave it out or add the value")
        return self.targets[target]


def _check_measurement(measurement: Measurement, target: Target, *, key: str) -> None:
    missing = np.asarray(measurement.missing, dtype=bool)
    for name, array in vars(measurement).items():
        if np.shape(array) != target.shape and (name == "value" or np.shape(array)):
            raise InputError(f"sample {key}: {name} of {target} has shape {np.shape(array)}, not {target.shape}")
    if not (np.isfinite(measurement.value) | missing).all():
        raise InputError(f"sample {key}: {target} is {measurement.value}: give a finite number")
    for name in ("stderr", "systematic_stderr"):
        error = np.asarray(getattr(measurement, name))
        if not ((np.isfinite(error) & (error >= 0)) | missing).all():
            raise InputError(f"sample {key}: {name} of {target} is {error}: give a number not below zero")


def check_temperature(temperature_K: float) -> None:
    """Check that a temperature lies in (0, 10000] K.

    Raises:
        InputError: it does not.
    """
    if not (np.isfinite(temperature_K) and 0 < temperature_K <= HOTTEST_K):
        raise InputError(
            f"a temperature of {temperature_K} K is impossible: give one above 0 and up to {HOTTEST_K:g} K"
        )
