"""Volume of a cell: the search for zero pressure, the estimates from several sources, and the one chosen."""

import math
from enum import StrEnum
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

VolumeNumber = Annotated[float, Field(gt=2, lt=500, allow_inf_nan=False)]
VolumeRule: TypeAlias = Literal["rule", "zero-pressure", "reference", "twin", "measured"] | VolumeNumber
"""How the volume of a cell is chosen: by the rule, by one source, or a number in A3 per atom.

``twin`` is the volume of the crystal twin with the learned expansion, or without a twin that of the composition.
"""

RULE: Final = "rule"
GIVEN = "given"
DISAGREEMENT = math.log(1.1)


class VolumePoint(BaseModel):
    """One short run of the volume search: mean pressure, its kinetic part included, with its standard error."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    volume_A3: float
    pressure_GPa: float
    stderr_GPa: float


class VolumeRecord(BaseModel):
    """Search of the equilibrium volume.

    Attributes:
        temperature_K: temperature of the runs.
        volume_A3: volume at zero pressure; it lies between two of the points.
        stderr_A3: its standard error, from those of the pressures.
        points: every volume that was run, in order.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    temperature_K: float
    volume_A3: float
    stderr_A3: float
    points: tuple[VolumePoint, ...]


class EstimateSource(StrEnum):
    """Source of an estimate of a cell's volume at a temperature."""

    ZERO_PRESSURE = "zero-pressure"  # of the production potential
    REFERENCE = "reference"  # zero pressure of the reference potential
    TWIN = "twin"  # the crystal, expanded
    COMPOSITION = "composition"  # learned from melts and glasses of other compositions
    MEASURED = "measured"  # density of the melt or glass


class EstimatedVolume(BaseModel):
    """One estimate of a cell's volume.

    Attributes:
        source: of the estimate.
        detail: potential, phase or crystal behind it.
        temperature_K: at which the source gives the volume.
        volume_A3_per_atom: as the source gives it.
        expected_A3_per_atom: the volume at the temperature of `VolumeEstimates`, the mean error of the source for the
            class of compounds taken off.
        ln_stderr: standard error of the logarithm of the expected volume.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: EstimateSource
    detail: str
    temperature_K: float
    volume_A3_per_atom: float
    expected_A3_per_atom: float
    ln_stderr: float


class VolumeEstimates(BaseModel):
    """Estimates of the volume of one cell, and the chosen one.

    Attributes:
        rule: how it was chosen: ``rule``, the name of a source, or ``given``.
        temperature_K: of the chosen volume and of all expected ones.
        volume_A3_per_atom: the chosen volume.
        ln_stderr: standard error of its logarithm; zero for a given number.
        ln_expansion_per_K: derivative of its logarithm with respect to temperature; zero for a given number.
        ln_expansion_stderr_per_K: standard error of that.
        estimates: from every source at hand.
        ln_spread: logarithm of the greatest over the least expected volume.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    rule: str
    temperature_K: float
    volume_A3_per_atom: float
    ln_stderr: float
    ln_expansion_per_K: float
    ln_expansion_stderr_per_K: float
    estimates: tuple[EstimatedVolume, ...]
    ln_spread: float

    @property
    def disagrees(self) -> bool:
        """True if two expected volumes differ by more than 10 %."""
        return self.ln_spread > DISAGREEMENT

    def at(self, temperature_K: float) -> float:
        """Return the chosen volume at another temperature, A3 per atom."""
        return self.volume_A3_per_atom * math.exp(self.ln_expansion_per_K * (temperature_K - self.temperature_K))

    def of_label(self, temperature_K: float) -> float | None:
        """Return the volume of a label's run, A3 per atom to three digits; None where the cell keeps its own.

        The digits enter the label's key.
        """
        return round(self.at(temperature_K), 3) if self.ln_expansion_per_K else None

    def ln_stderr_at(self, temperature_K: float) -> float:
        """Return the standard error of the logarithm of `at`."""
        return math.hypot(self.ln_stderr, self.ln_expansion_stderr_per_K * (temperature_K - self.temperature_K))
