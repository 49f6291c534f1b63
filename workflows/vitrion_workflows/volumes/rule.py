"""Choice of the volume of a cell from its estimates.

The rule: the mean of all estimates, each freed from the mean error of its source for the class of compounds, weighted
by the inverse covariance of what remains (docs/design/volume.md). One source, or a number, may be asked for instead.
"""

import math
from collections.abc import Sequence

import numpy as np

from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.schemas import EstimatedVolume, EstimateSource, VolumeEstimates, VolumeRule
from vitrion_workflows.schemas.volume import GIVEN, RULE
from vitrion_workflows.volumes.biases import correlation

# A crystal's volume and that of the composition answer the same question, the former better.
STANDS_IN = {EstimateSource.TWIN: EstimateSource.COMPOSITION}


def choose_volume(
    rule: VolumeRule,
    estimates: Sequence[EstimatedVolume],
    *,
    temperature_K: float,
    ln_expansion: tuple[float, float],
) -> VolumeEstimates:
    """Return the volume chosen by a rule, with all estimates.

    Args:
        rule: ``rule``, the name of a source, or a number in A3 per atom.
        estimates: from every source at hand; their expected volumes belong to `temperature_K`.
        temperature_K: of the volume.
        ln_expansion: d ln V / dT in 1/K and its standard error.

    Raises:
        InputError: no estimate, or none of the source asked for.
    """
    expected = np.log([estimate.expected_A3_per_atom for estimate in estimates])
    spread = float(np.ptp(expected)) if estimates else 0.0
    if isinstance(rule, float | int):
        volume, stderr, ln_expansion = float(rule), 0.0, (0.0, 0.0)
    elif not estimates:
        raise InputError("no estimate of the volume: give a number in A3 per atom")
    elif rule == RULE:
        ln_mean, stderr = weighted_mean(expected, covariance(estimates))
        volume = math.exp(ln_mean)
    else:
        chosen = _of_source(EstimateSource(rule), estimates)
        volume, stderr = _as_given(chosen, temperature_K, ln_expansion[0]), chosen.ln_stderr
    return VolumeEstimates(
        rule=GIVEN if isinstance(rule, float | int) else rule,
        temperature_K=temperature_K,
        volume_A3_per_atom=volume,
        ln_stderr=stderr,
        ln_expansion_per_K=ln_expansion[0],
        ln_expansion_stderr_per_K=ln_expansion[1],
        estimates=tuple(estimates),
        ln_spread=spread,
    )


def covariance(estimates: Sequence[EstimatedVolume]) -> FloatArray:
    """Return the covariance of the errors of ln V, shape (E, E)."""
    stderr = np.array([estimate.ln_stderr for estimate in estimates])
    correlations = np.array([[correlation(a.source, b.source) for b in estimates] for a in estimates])
    return np.asarray(np.outer(stderr, stderr) * correlations)


def weighted_mean(values: FloatArray, covariance: FloatArray) -> tuple[float, float]:
    """Return the mean of values with correlated errors that has the least variance, and its standard error.

    A value that would get a negative weight, being worse than another and correlated with it, is left out.

    Args:
        values: shape (E,).
        covariance: of their errors, positive definite, shape (E, E).
    """
    used = np.arange(len(values))
    while True:
        weights = np.linalg.solve(covariance[np.ix_(used, used)], np.ones(len(used)))
        if weights.min() >= 0:
            break
        used = np.delete(used, weights.argmin())
    return float(weights @ values[used] / weights.sum()), float(1.0 / np.sqrt(weights.sum()))


def _of_source(source: EstimateSource, estimates: Sequence[EstimatedVolume]) -> EstimatedVolume:
    by_source = {estimate.source: estimate for estimate in estimates}
    chosen = by_source.get(source) or by_source.get(STANDS_IN.get(source, source))
    if chosen is None:
        raise InputError(
            f"there is no volume from the source {source.value!r} "
            f"(there are: {', '.join(by_source)}): choose one of these, rule, or a number in A3 per atom"
        )
    return chosen


def _as_given(estimate: EstimatedVolume, temperature_K: float, expansion_per_K: float) -> float:
    # Sources of densities are freed from nothing; a potential's zero pressure is asked for with its error.
    if estimate.source in (EstimateSource.TWIN, EstimateSource.COMPOSITION, EstimateSource.MEASURED):
        return estimate.expected_A3_per_atom
    return estimate.volume_A3_per_atom * math.exp(expansion_per_K * (temperature_K - estimate.temperature_K))
