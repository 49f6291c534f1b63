"""Equilibration: the part of a run to discard, and the drift of what is left."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import fft, stats

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.gates import SIGMAS
from vitrion_workflows.schemas.gate import Measurement, measurement_of
from vitrion_workflows.trajectories.trajectory import Trajectory

CANDIDATES = 40
# At most this share of the run is discarded; the gate `equilibration` finds a drift of the rest.
LARGEST_DISCARD = 0.5
# The number of independent samples is uncertain by a quarter at best: no more is discarded for less than that.
GOOD_ENOUGH = 0.75
FEWEST_SAMPLES = 8
# Standard errors of short correlated series are themselves uncertain, with some seven degrees of freedom.
LARGEST_DRIFT_SIGMAS = float(stats.t.isf(stats.norm.sf(SIGMAS), 7))


@dataclass(frozen=True)
class Equilibration:
    """Part of a run that is discarded, and the drift of the rest.

    Attributes:
        frames: frames discarded at the start.
        series: name of the time series with the latest end of equilibration; empty where none was given.
        drift_sigmas: first against last third of the rest, in standard errors, of the series that drifts most; None
            where there is no series.
    """

    frames: int
    series: str
    drift_sigmas: float | None = None


def statistical_inefficiency(values: FloatArray) -> float:
    """Return the number of correlated samples worth one independent one, g = 1 + 2 sum_k (1 - k / n) C(k).

    The sum ends at the first pair of lags whose autocorrelations add to less than zero (Geyer, Stat. Sci. 7, 473,
    1992), so that noise is not summed.

    Args:
        values: shape (n,).
    """
    count = len(values)
    centred = values - values.mean()
    variance = float(centred @ centred)
    if variance <= 0 or count < FEWEST_SAMPLES:
        return 1.0
    size = fft.next_fast_len(2 * count, real=True)
    correlation = fft.irfft(np.abs(fft.rfft(centred, n=size)) ** 2, n=size)[:count] / variance
    pairs = correlation[: count // 2 * 2].reshape(-1, 2).sum(axis=1)
    negative = np.flatnonzero(pairs <= 0)
    kept = 2 * int(negative[0]) if len(negative) else len(pairs) * 2
    # `correlation` already carries the factor 1 - k / n, because fewer products enter at longer lags.
    return max(1.0, 1.0 + 2.0 * float(correlation[1:kept].sum()))


def equilibration_end(values: FloatArray) -> tuple[int, float]:
    """Return the first sample to keep, the start t that maximises (n - t) / g(t), and the independent samples left.

    Discarding more removes the relaxation, which shows as long correlation; discarding less keeps more samples. The
    maximum balances bias and variance (Chodera, J. Chem. Theory Comput. 12, 1799, 2016). In short runs g is noisy; the
    first start that comes within a quarter of the maximum is as good and keeps more.

    Args:
        values: shape (n,).
    """
    count = len(values)
    starts = np.unique(np.linspace(0, LARGEST_DISCARD * count, CANDIDATES).astype(int))
    samples = [(count - start) / statistical_inefficiency(values[start:]) for start in starts]
    best = int(np.argmax(np.array(samples) >= GOOD_ENOUGH * max(samples)))
    return int(starts[best]), float(samples[best])


def equilibration(series: Mapping[str, FloatArray]) -> Equilibration:
    """Return the latest end of equilibration over several time series of one run.

    Args:
        series: name to values, shape (F,), for example potential energy and temperature; empty discards nothing.
    """
    if not series:
        return Equilibration(frames=0, series="")
    start, _, name = max((*equilibration_end(values), name) for name, values in series.items())
    drift = max(abs(drift_sigmas(values[start:])) for values in series.values())
    return Equilibration(frames=start, series=name, drift_sigmas=drift)


def equilibration_of(trajectory: Trajectory) -> Equilibration:
    """Return the equilibration of a trajectory by its recorded potential energy, temperature and volume."""
    series = {
        "potential energy": trajectory.potential_energies_eV,
        "temperature": trajectory.temperatures_K,
        "volume": trajectory.volumes_A3,
    }
    return equilibration({name: values for name, values in series.items() if values is not None})


def measure_energy_drift(equilibration: Equilibration, *, frames: int) -> Measurement:
    """Compare the drift of energy, temperature and volume after equilibration with its standard error.

    Args:
        equilibration: of the run.
        frames: of the whole run.
    """
    drift = equilibration.drift_sigmas
    return measurement_of(
        "energy_drift",
        drift if drift is not None else float("nan"),
        upper=LARGEST_DRIFT_SIGMAS,
        message=f"{equilibration.frames / frames:.0%} of the run discarded for {equilibration.series}; "
        f"the rest drifts by {drift or 0.0:.1f} standard errors",
    )


def drift_sigmas(values: FloatArray) -> float:
    """Return the difference of the means of first and last third over its standard error.

    After Geweke, Bayesian Statistics 4 (1992).

    Args:
        values: shape (n,).
    """
    third = len(values) // 3
    first, last = values[:third], values[-third:]
    # The correlation is that of the whole series: a third is too short to show its own.
    error = np.sqrt(statistical_inefficiency(values) * (first.var() + last.var()) / third)
    return float((first.mean() - last.mean()) / error) if error > 0 else 0.0


def relative_change(series: FloatArray) -> tuple[float, FloatArray]:
    """Fit a straight line and return its rise over the series, relative to the mean, and the residuals.

    Args:
        series: shape (n,), its mean not zero.

    Returns:
        The rise from the first value to one past the last, and the residuals over the mean, shape (n,).
    """
    time = _centred(len(series))
    relative = series / series.mean() - 1
    change = float(time @ relative / (time @ time))
    return change, relative - change * time


def change_stderr(count: int) -> float:
    """Return the standard error of `relative_change` of `count` independent values, in that of one value."""
    time = _centred(count)
    return float(1 / np.sqrt(time @ time))


def _centred(count: int) -> FloatArray:
    time: FloatArray = (np.arange(count) - (count - 1) / 2) / count
    return time


def ratio_stderr(series: FloatArray, expected: FloatArray) -> float:
    """Return the relative standard error of the ratio of two means, from the fluctuations of their difference.

    Energy exchange between two groups of degrees of freedom is slow on the time scale of the run: light and heavy
    ions, or bond stretching and the rest.

    Args:
        series: shape (n,).
        expected: series that it should be proportional to, at the same times, shape (n,).
    """
    difference = series / series.mean() - expected / expected.mean()
    samples = len(difference) / statistical_inefficiency(difference)
    return float(difference.std() / np.sqrt(samples))
