"""Measurements on the temperature of a run: its mean, how well it is known, what was set, and its drift."""

import numpy as np
from scipy import stats

from vitrion_models.system import FloatArray
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.validation.equilibration import relative_change, statistical_inefficiency
from vitrion_workflows.validation.thermostat import (
    GOOD_COUPLING,
    LARGEST_STDERR,
    RESOLVED_SIGMAS,
    TOLERANCE,
    Coupling,
)

SMALLEST_STDERR = LARGEST_STDERR / 10
DRIFT_SIGMAS = float(stats.norm.isf(0.0025))
SAME = 1e-6


def series_stderr(temperatures_K: FloatArray) -> float:
    """Return the relative standard error of the mean of a time series, shape (n,), from its own correlation."""
    samples = len(temperatures_K) / statistical_inefficiency(temperatures_K)
    return float(temperatures_K.std() / temperatures_K.mean() / np.sqrt(samples))


def measure_temperature_stderr(
    stderr: float, *, coupling: Coupling | None, atoms: int, duration_ps: float
) -> Measurement:
    """Compare the standard error of the mean temperature with the largest that shows an error of a tenth.

    Args:
        stderr: relative, of the mean.
        coupling: of the thermostat, or None.
        atoms: number of atoms.
        duration_ps: of what was analysed.
    """
    message = f"mean temperature known within {stderr:.2%}, needed {LARGEST_STDERR:.2%}"
    if stderr > LARGEST_STDERR:
        needed = coupling.needed_ps(atoms) if coupling else duration_ps * (stderr / LARGEST_STDERR) ** 2
        message += f": analyse {needed:.2g} ps instead of {duration_ps:.2g}"
        if coupling is not None and coupling.relaxation_per_ps < GOOD_COUPLING.relaxation_per_ps:
            message += f", or {GOOD_COUPLING.needed_ps(atoms):.2g} under a Nose-Hoover chain at 10 / ps"
    return measurement_of("temperature_stderr", stderr, upper=LARGEST_STDERR, message=message)


def measure_mean_temperature(mean_K: float, *, target_K: float, stderr: float, unresolved: float = 0.0) -> Measurement:
    """Compare the mean kinetic temperature with the temperature of the label, within 5 %.

    Args:
        mean_K: of the run.
        target_K: of the label.
        stderr: relative; a run that does not resolve its temperature (`measure_temperature_stderr`) is allowed 2.33.
        unresolved: fraction by which the mean may be too low, where it was read off positions.
    """
    width = max(TOLERANCE, RESOLVED_SIGMAS * stderr) * target_K
    return measurement_of(
        "mean_temperature",
        mean_K,
        lower=target_K * (1 - unresolved) - width,
        upper=target_K + width,
        unit="K",
        message=f"mean {mean_K:.0f} K where {target_K:.0f} K was set, known within {stderr:.1%}",
    )


def measure_temperature_drift(temperatures_K: FloatArray, *, stderr: float | None) -> Measurement:
    """Test for a steady rise or fall of the temperature, two-sided at 0.5 %.

    A straight line through a series whose mean has the standard error s ends sqrt(12) s from where it begins, within
    its own error.

    Args:
        temperatures_K: time series without relaxation, shape (n,).
        stderr: relative, of their mean, see `Coupling`; None estimates it from the residuals of the line.
    """
    change, residuals = relative_change(temperatures_K)
    own_stderr = float(residuals.std() * np.sqrt(statistical_inefficiency(residuals) / len(temperatures_K)))
    # A temperature that is held exactly, by rescaling, rises by nothing that matters.
    error = float(np.hypot(stderr or own_stderr, SMALLEST_STDERR))
    z = change / (np.sqrt(12) * error)
    return measurement_of(
        "temperature_drift",
        z,
        lower=-DRIFT_SIGMAS,
        upper=DRIFT_SIGMAS,
        message=f"the temperature changes by {change:+.0%} over the run, {abs(z):.1f} standard errors",
    )


def measure_set_temperature(set_K: float | None, *, target_K: float) -> Measurement:
    """Compare the temperature that the thermostat was set to with that of the label.

    A run that does not carry it is decided by its mean alone, which it has to resolve (`measure_temperature_stderr`).

    Args:
        set_K: as the trajectory carries it, or None.
        target_K: of the label.
    """
    if set_K is None:
        return Measurement(
            name="set_temperature", passed=True, message="the trajectory does not carry it: its mean decides"
        )
    return measurement_of(
        "set_temperature",
        set_K,
        lower=target_K * (1 - SAME),
        upper=target_K * (1 + SAME),
        unit="K",
        message=f"thermostat set to {set_K:g} K for a label at {target_K:g} K",
    )
