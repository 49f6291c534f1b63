"""Temperature of the ions by the table that a label carries: its first lags are a thermometer."""

from dataclasses import dataclass

import numpy as np

from vitrion_models.constants import BOLTZMANN_u_A2_PER_PS2_K
from vitrion_workflows.schemas.gate import GateOutcome
from vitrion_workflows.schemas.label import MsdTable
from vitrion_workflows.validation.velocity_temperature import (
    EXCHANGE_PS,
    ROUGHEST,
    UNSEEN_PER_SQUARED_ROUGHNESS,
    mean_square,
)

GATE = "ion_temperature"
# Of 200 readings of melts and crystals (docs/design/label-gates.md): numerical error.
TOLERANCE = 0.02
# Ions exchange energy with the others: their own temperature scatters, and in one run of 16,000 by more than this.
SIGMAS = 4.0
FEWEST_LAGS = 3


@dataclass(frozen=True)
class IonTemperature:
    """Kinetic temperature of the mobile ions as the first lags of their table show it.

    Attributes:
        temperature_K: lower bound, and the value where motion is smooth; of ions in a cell at rest, so that it falls
            short of the run's by m / M, mass of an ion over that of the cell.
        roughness: spectral density of the velocity in the top tenth of the resolved frequencies, over its mean.
    """

    temperature_K: float
    roughness: float

    @property
    def telling(self) -> bool:
        """Whether frames are close enough to see all of the motion."""
        return self.roughness < ROUGHEST


def ion_temperature(table: MsdTable, *, mass_u: float, frame_interval_ps: float) -> IonTemperature:
    """Read the temperature of the ions off the unbroken lags at which a table begins.

    The correlation of steps is the second difference of the mean squared displacement, C(k) = [M(k + 1) - 2 M(k) +
    M(k - 1)] / 2; its spectrum over sinc^2 is that of the velocity (`thermometer.thermal_motion`). A dozen lags
    resolve it coarsely, which costs some 1 % against all of them.

    Args:
        table: mean over the ions.
        mass_u: of an ion.
        frame_interval_ps: as stated.

    Returns:
        The reading; rough where the table does not begin with three unbroken lags.
    """
    lags = np.round(np.array(table.lag_ps) / frame_interval_ps)
    unbroken = int(np.cumprod(lags == np.arange(1, len(lags) + 1)).sum())
    if unbroken < FEWEST_LAGS:
        return IonTemperature(0.0, float("inf"))
    msd = np.concatenate([[0.0], table.msd_A2[:unbroken]])
    correlation = np.concatenate([[msd[1]], np.diff(msd, n=2) / 2])
    square, roughness = mean_square(correlation)
    kelvin = mass_u * square / (3 * frame_interval_ps**2) / BOLTZMANN_u_A2_PER_PS2_K
    return IonTemperature(kelvin, roughness)


def ion_temperature_gate(
    found: IonTemperature,
    *,
    species: str,
    recorded_K: float,
    ions: float,
    share: float,
    duration_ps: float,
    kicks: float,
) -> GateOutcome:
    """Whether the ions of the table have the temperature of the run.

    Args:
        found: by the table.
        species: chemical symbol of the ions.
        recorded_K: mean of the run.
        ions: how many there are.
        share: mass of an ion over that of the cell.
        duration_ps: of what was analysed.
        kicks: friction of a Langevin thermostat times the frame interval, see `equipartition.recorded_gate`.
    """
    stderr = float(np.sqrt(2 / (3 * ions * max(1.0, duration_ps / EXCHANGE_PS))))
    scatter = TOLERANCE + SIGMAS * stderr
    unseen = UNSEEN_PER_SQUARED_ROUGHNESS * found.roughness**2 + 2 * kicks / np.pi**2
    lower = max((1 - scatter - unseen) * (1 - share), 0.0) if found.telling else None
    upper = (1 + scatter) * (1 - share)
    ratio = found.temperature_K / recorded_K
    return GateOutcome(
        name=GATE,
        passed=ratio <= upper and (lower is None or ratio >= lower),
        value=ratio,
        lower=lower,
        upper=upper,
        message=f"{species} moves as at {found.temperature_K / (1 - share):.0f} K at the first lags of its table"
        if share < 1
        else f"{species} is all there is",
    )
