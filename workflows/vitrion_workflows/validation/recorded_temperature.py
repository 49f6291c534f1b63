"""Measurements that compare recorded temperatures with the motion of all atoms."""

import numpy as np

from vitrion_models.constants import COLDEST_K, HOTTEST_K
from vitrion_models.system import FloatArray
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.validation.equilibration import change_stderr, relative_change
from vitrion_workflows.validation.thermostat import ThermostatNoise
from vitrion_workflows.validation.velocity_temperature import (
    UNRESOLVED_PER_SQUARED_ROUGHNESS,
    CellTemperature,
    ThermalMotion,
    ratio_stderr,
)

# Of the whole cell, 0.3 % where all atoms are counted in the same frames. Where bond stretching is left out the rest
# has a temperature of its own, which wanders about the cell's by 1 to 2 %; at most half of a tenth is allowed.
CELL_TOLERANCE, CELL_SIGMAS, LARGEST_CELL_TOLERANCE = 0.03, 3.0, 0.05
# Largest unresolved fraction with which records can be compared; an error of a tenth shows beyond it and the tolerance.
LARGEST_UNRESOLVED = 0.05
LEAST_RATIO = 1 - CELL_TOLERANCE - LARGEST_UNRESOLVED
# Parts of a run in which motion and record are compared, and what their ratio may change by.
PARTS = 8
DRIFT_TOLERANCE, DRIFT_SIGMAS = 0.05, 4.0


def measure_recorded_temperature(
    motion: ThermalMotion, recorded_K: FloatArray, *, noise: ThermostatNoise
) -> Measurement | None:
    """Compare the temperature of the motion with the recorded one.

    Args:
        motion: of all atoms.
        recorded_K: of the same frames, shape (F,).
        noise: of the thermostat, or of a usual one where it is not known.

    Returns:
        The measurement; None where so much of the motion is unresolved that an error of a tenth would not show, and
        the motion is not too hot.
    """
    cell, mean_K = motion.cell, float(recorded_K.mean())
    ratio = cell.temperature_K / mean_K
    # The same atoms have the same kinetic energy: a record that differs then is not of this motion.
    scatter = 0.0 if motion.complete else ratio_stderr(motion.kinetic_energies, _between_frames(recorded_K))
    tolerance = min(float(np.hypot(CELL_TOLERANCE, CELL_SIGMAS * scatter)), LARGEST_CELL_TOLERANCE)
    unresolved = None if cell.unresolved is None else cell.unresolved + noise.fraction
    lower = None
    if unresolved is not None and unresolved <= LARGEST_UNRESOLVED:
        lower = max(1 - tolerance - unresolved, LEAST_RATIO)
    elif ratio <= 1 + tolerance:
        return None
    message = f"the cell moves as at {cell.temperature_K:.0f} K{' or more' if lower is None else ''}"
    message += f", {mean_K:.0f} K are recorded"
    if not noise.stated and lower is not None:
        message += f" (thermostat unknown: a Langevin one may hide {noise.fraction:.1%})"
    return measurement_of("recorded_temperature", ratio, lower=lower, upper=1 + tolerance, message=message)


def measure_recorded_drift(motion: ThermalMotion, recorded_K: FloatArray) -> Measurement | None:
    """Test whether the ratio of motion to recorded temperature rises or falls through the run.

    Args:
        motion: of all atoms.
        recorded_K: temperature of each frame, shape (F,).

    Returns:
        The measurement, or None where frames are too few.
    """
    if len(motion.kinetic_energies) < PARTS * PARTS:
        return None
    energies = np.array_split(motion.kinetic_energies, PARTS)
    temperatures = np.array_split(_between_frames(recorded_K), PARTS)
    ratios = [float(np.mean(energy) / np.mean(kelvin)) for energy, kelvin in zip(energies, temperatures, strict=True)]
    change, residuals = relative_change(np.array(ratios))
    limit = DRIFT_TOLERANCE + DRIFT_SIGMAS * float(residuals.std(ddof=2)) * change_stderr(PARTS)
    return measurement_of(
        "recorded_drift",
        change / limit,
        lower=-1.0,
        upper=1.0,
        message=f"motion over recorded temperature changes by {change:+.1%} in the run, allowed {limit:.1%}",
    )


def measure_possible_temperature(cell: CellTemperature, *, frame_interval_ps: float) -> Measurement:
    """Compare the motion of a run of unknown temperature with that of matter at 1 to 10,000 K.

    The velocity temperature is a lower bound, and too low only where motion is rough at the frames' own scale, which
    does not depend on the stated interval.

    Args:
        cell: temperature of the motion of all atoms.
        frame_interval_ps: as stated.
    """
    smooth = UNRESOLVED_PER_SQUARED_ROUGHNESS * cell.roughness**2 <= LARGEST_UNRESOLVED
    wrong = cell.temperature_K > HOTTEST_K or (smooth and cell.temperature_K < COLDEST_K)
    return measurement_of(
        "possible_temperature",
        cell.temperature_K,
        lower=COLDEST_K if smooth else None,
        upper=HOTTEST_K,
        unit="K",
        message=f"the cell moves as at {cell.temperature_K:.3g} K"
        + (f": {frame_interval_ps:g} ps between frames seem to be in another unit" if wrong else ""),
    )


def _between_frames(recorded_K: FloatArray) -> FloatArray:
    between: FloatArray = 0.5 * (recorded_K[1:] + recorded_K[:-1])
    return between
