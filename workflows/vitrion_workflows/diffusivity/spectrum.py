"""Diffusion or anomalous diffusion: does the velocity spectrum end in a plateau or go on as a power law?"""

from dataclasses import dataclass, replace

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.spectral_fit import (
    CAGE_TIMES_PS,
    DIFFUSION_IN_CAGE,
    DIFFUSION_IN_TWO_CAGES,
    FEWEST_MODES,
    POWER_LAW,
    POWER_LAW_IN_CAGE,
    TILT,
    BinnedModes,
    SpectralFit,
    bin_modes,
    fit_spectrum,
    velocity_modes,
)
from vitrion_workflows.diffusivity.variance import FEWEST_IONS, RELATIVE_VARIANCE_3D, Ratio, corrected_variance

# Vibrations have shapes of their own: the highest cut-off below which a simple model fits is taken.
CUTOFFS_THz = (8.0, 4.0, 2.0, 1.0)
GOOD_FIT = 1.5
# The slowest cage has relaxed over a twelfth of the run.
SLOWEST_CAGE = 1 / 12
# Two relaxations, a rattle and jumps that are undone, look like a power law until both are over: within this share of
# the run, so that a plateau shows over 20 modes.
SLOWEST_OF_TWO = 1 / 64
# Akaike's penalty of a parameter; a power law with a cage is penalised for both parameters of the power law.
AKAIKE = 2.0
PRICE = 2 * AKAIKE


@dataclass(frozen=True)
class LongTimeMotion:
    """Motion at long times, from the velocity spectrum at low frequency.

    Attributes:
        exponent: of the mean squared displacement; 1 is diffusion.
        exponent_stderr: its standard error.
        evidence: twice the logarithm of the likelihood ratio of anomalous diffusion to diffusion in a cage, less the
            price of further parameters; positive speaks against diffusion.
        scale_free: whether a power law alone describes the motion up to half the Nyquist frequency, as it does not
            where atoms have inertia and neighbours; False without a fit where the evidence is not positive.
    """

    exponent: float
    exponent_stderr: float
    evidence: float
    scale_free: bool = False


@dataclass(frozen=True)
class _Comparison:
    """Chi square of the best model over its degrees of freedom, and the motion that the models imply."""

    misfit: float
    motion: LongTimeMotion


def long_time_motion(displacements_A: FloatArray, frame_interval_ps: float, *, collective: Ratio) -> LongTimeMotion:
    """Compare diffusion in a cage with a power law, by the likelihood of the velocity spectrum (Whittle, 1953).

    Diffusion with a cage or a velocity that relaxes within tau has the spectrum
    S = G + K (omega tau)^2 / (1 + (omega tau)^2), with negative K for inertia. Anomalous diffusion, MSD ~ t^alpha, has
    S ~ omega^(1 - alpha) down to zero frequency, alone or with a cage on top. The whole curve distinguishes a power law
    from a plateau long before the mean squared displacement at the lags of the fit bends beyond its noise. Effects that
    make all modes of a run larger or smaller together, as rare jumps do, cancel. Where that favours a power law, two
    relaxations within a sixty-fourth of the run are compared with it, too: jumps that are undone at once, on top of a
    rattle. Likelihood ratios are divided by the excess scatter of the modes over independent ions.

    Args:
        displacements_A: drift-corrected positions, shape (F, N, 3).
        frame_interval_ps: time between frames.
        collective: from `collective_ratio`.
    """
    omega, squares = velocity_modes(displacements_A, frame_interval_ps)
    duration = (len(displacements_A) - 1) * frame_interval_ps
    correlated_ions = max(1.0, corrected_variance(1.0, np.ones(1), collective=collective).collective)
    comparisons = []
    for cutoff in CUTOFFS_THz:
        count = max(FEWEST_MODES, int(np.searchsorted(omega, 2 * np.pi * cutoff)))
        comparisons.append(_compare(bin_modes(omega[:count], squares[:count]), duration, correlated_ions))
        if comparisons[-1].misfit <= GOOD_FIT * correlated_ions or count <= FEWEST_MODES:
            break
    motion = min(comparisons, key=lambda comparison: comparison.misfit).motion
    if motion.evidence <= 0:
        return motion
    modes = bin_modes(omega, squares)
    power_law = fit_spectrum(modes, POWER_LAW, slowest_ps=_slowest_cage_ps(duration))
    return replace(motion, scale_free=power_law.misfit(modes) <= GOOD_FIT * correlated_ions)


def _slowest_cage_ps(duration_ps: float) -> float:
    return max(SLOWEST_CAGE * duration_ps, CAGE_TIMES_PS[0])


def _compare(modes: BinnedModes, duration_ps: float, correlated_ions: float) -> _Comparison:
    slowest = _slowest_cage_ps(duration_ps)
    cage = fit_spectrum(modes, DIFFUSION_IN_CAGE, slowest_ps=slowest)
    power = fit_spectrum(modes, POWER_LAW, slowest_ps=slowest)
    caged_power = fit_spectrum(modes, POWER_LAW_IN_CAGE, slowest_ps=slowest, simpler=power)
    misfit = min(fit.misfit(modes) for fit in (cage, power, caged_power))
    evidence = _log_ratio(modes, misfit, cage, power)
    caged_evidence = _log_ratio(modes, misfit, cage, caged_power) - PRICE
    if caged_power.tilt * caged_power.cage < 0:
        # A power law that bends the other way than its cage is a hump: vibrations, not memory.
        caged_evidence = -PRICE
    if max(evidence, caged_evidence) > 0:
        slowest = max(SLOWEST_OF_TWO * duration_ps, 2 * CAGE_TIMES_PS[0])
        cages = fit_spectrum(modes, DIFFUSION_IN_TWO_CAGES, slowest_ps=slowest)
        misfit = min(misfit, cages.misfit(modes))
        evidence = min(evidence, _log_ratio(modes, misfit, cages, power) + _price(cages, power))
        caged_evidence = min(caged_evidence, _log_ratio(modes, misfit, cages, caged_power) + _price(cages, caged_power))
    chosen = power if evidence >= caged_evidence else caged_power
    motion = LongTimeMotion(
        exponent=1 - chosen.tilt,
        exponent_stderr=_tilt_stderr(chosen, modes) * float(np.sqrt(correlated_ions)),
        evidence=max(evidence, caged_evidence),
    )
    return _Comparison(misfit, motion)


def _log_ratio(modes: BinnedModes, misfit: float, diffusion: SpectralFit, anomalous: SpectralFit) -> float:
    """Return twice the logarithm of the likelihood ratio, in favour of the second."""
    return 3 * modes.ions / max(misfit, 1.0) * (diffusion.cost - anomalous.cost)


def _price(more: SpectralFit, fewer: SpectralFit) -> float:
    return (len(more.model.free) - len(fewer.model.free)) * AKAIKE


def _tilt_stderr(fit: SpectralFit, modes: BinnedModes) -> float:
    """Return the standard error from theory, or from the scatter of the ions where that is larger."""
    weighted = fit.gradient * modes.counts[:, None]
    inverse = np.linalg.pinv(fit.gradient.T @ weighted)
    influence = (inverse[TILT] @ weighted.T) @ (modes.powers_A2 / fit.spectrum_A2[:, None])
    theory = float(inverse[TILT, TILT]) * RELATIVE_VARIANCE_3D / modes.ions
    scatter = float(influence.var(ddof=1)) / modes.ions if modes.ions >= FEWEST_IONS else 0.0
    return float(np.sqrt(max(theory, scatter)))
