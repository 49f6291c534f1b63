"""Collective (charge) diffusivity, the motion of the ions' summed charge as a single walker, and the Haven ratio."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S, DIMENSIONS
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES, DiffusivityEstimate
from vitrion_workflows.diffusivity.gates import resolution
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import Fit, fit_lags, fit_line
from vitrion_workflows.diffusivity.variance import Intervals, anisotropy_factor, gamma_intervals
from vitrion_workflows.diffusivity.window import LATEST_START, LONGEST_LAG, VIBRATION_PS, memory_lag
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.transport.van_hove import non_gaussian

BoolArray: TypeAlias = NDArray[np.bool_]

# A sum below this share is rounding: charges that cancel, or the centre of mass of a cell of one species.
SMALLEST_SHARE = 1e-15
# A single walker is seldom resolved to two standard errors: its wide intervals are stated down to one.
SMALLEST_SIGNAL = 1.0
# The covariance assumes rattling that is independent in every frame. No other walkers show that it is not, so frames
# are left out until half of its correlation is gone: a third of `memory_lag`, which is half as long again as it lasts.
FRAMES_A_MEMORY = 3
# One collective path is a single walker: in short runs its diffusivity is too uncertain to state.
LARGEST_RELATIVE_STDERR = 0.6


@dataclass(frozen=True, eq=False)
class CollectiveDiffusivity:
    """D_sigma = lim |sum_i z_i dr_i|^2 / (6 t sum_i z_i^2).

    Attributes:
        value_cm2_per_s: best estimate; zero where the summed charge does not spread, then without error where it
            rests by symmetry.
        stderr_cm2_per_s: its standard error.
        intervals: cm2/s; None where the value is below its standard error.
        fit_window_ps: first and last lag of the fit.
    """

    value_cm2_per_s: float
    stderr_cm2_per_s: float
    intervals: Intervals | None
    fit_window_ps: tuple[float, float]


def collective_diffusivity(
    displacements_A: FloatArray, charges: FloatArray, frame_interval_ps: float
) -> CollectiveDiffusivity:
    """Estimate the diffusivity of the summed charge, which determines the conductivity.

    With equal charges it is lim |sum_i dr_i|^2 / (6 N t), the tracer diffusivity where ions move independently. The
    sum is a single walker, so that its relative error is sqrt(N) times that of the tracer. As a sum of many terms it
    is nearly Gaussian and has the covariance of `msd_covariance`; where jumps are few, the fourth cumulant of the ions'
    displacements adds to it (`_jump_variance`). The window starts once both the ions' own motion and that of the sum
    have forgotten velocity and cage (`memory_lag`), and not within 1 ps as far as an eighth of the run allows. Frames
    closer than a third of that memory are thinned out.

    Args:
        displacements_A: displacements of the charged ions relative to the atoms that balance their charge
            (`in_host_frame`), shape (F, N, 3). With all charges of a neutral cell, any reference serves.
        charges: of each ion in elementary charges, shape (N,).
        frame_interval_ps: time between frames.

    Raises:
        InputError: too few frames, another number of charges than ions, or no charge at all.
    """
    if len(displacements_A) < FEWEST_FRAMES:
        raise InputError(f"{len(displacements_A)} frames are too few for a diffusivity: give at least {FEWEST_FRAMES}")
    if charges.shape != displacements_A.shape[1:2] or not np.isfinite(charges).all():
        raise InputError(f"{displacements_A.shape[1]} ions need as many charges, not {charges.shape}")
    if not charges.any():
        raise InputError("no ion carries a charge: state at least one that is not zero")
    increments, ions = len(displacements_A) - 1, displacements_A.shape[1]
    last = max(3, int(LONGEST_LAG * increments))
    summed = np.einsum("fnd,n->fd", displacements_A, charges)[:, None, :] / np.sqrt((charges**2).sum())
    msd = mean_squared_displacements(summed, largest_lag=last + 2)
    ion_msd = mean_squared_displacements(displacements_A, largest_lag=last + 2).mean(axis=1)
    moves = bool(msd.max() > SMALLEST_SHARE * ion_msd.max())
    memory = max(
        memory_lag(ion_msd, independent_ions=ions, increments=increments),
        memory_lag(msd[:, 0], independent_ions=1, increments=increments) if moves else 1,
    )
    first = max(memory, min(int(np.ceil(VIBRATION_PS / frame_interval_ps)), int(LATEST_START * increments)))
    if not moves:
        return CollectiveDiffusivity(0.0, 0.0, None, (first * frame_interval_ps, last * frame_interval_ps))
    stride = max(1, memory // FRAMES_A_MEMORY)
    interval_ps = stride * frame_interval_ps
    fit = _fit(summed[::stride], first=-(-first // stride))
    to_value = A2_PER_PS_IN_CM2_PER_S / (2 * DIMENSIONS * interval_ps)
    value = max(fit.slope_A2, 0.0) * to_value
    # The sum has too few moves of its own to measure its anisotropy.
    anisotropy = anisotropy_factor(displacements_A, lag=first)
    jumps = _jump_variance(displacements_A, ion_msd, first=first, anisotropy=anisotropy)
    stderr = float(np.sqrt(fit.variance_A4 * anisotropy * to_value**2 + jumps * value**2))
    resolved = value > 0 and value >= SMALLEST_SIGNAL * stderr
    return CollectiveDiffusivity(
        value_cm2_per_s=value,
        stderr_cm2_per_s=stderr,
        intervals=gamma_intervals(value, stderr**2) if resolved else None,
        fit_window_ps=(float(fit.lags[0]) * interval_ps, float(fit.lags[-1]) * interval_ps),
    )


def _fit(summed: FloatArray, *, first: int) -> Fit:
    increments = len(summed) - 1
    last = max(3, int(LONGEST_LAG * increments))
    msd = mean_squared_displacements(summed, largest_lag=last)
    return fit_line(msd, fit_lags(first, last), increments=increments)


def in_host_frame(displacements_A: FloatArray, masses_u: FloatArray, carriers: BoolArray) -> FloatArray:
    """Return displacements of charge carriers relative to the centre of mass of all other atoms.

    The other atoms hold the balancing charge.

    Args:
        displacements_A: of all atoms, shape (F, N, 3).
        masses_u: shape (N,).
        carriers: mask of the atoms that carry charge, shape (N,).

    Returns:
        Angstrom, shape (F, M, 3); unchanged where every atom is a carrier.
    """
    if carriers.all():
        return displacements_A
    return remove_drift(displacements_A, masses_u, atoms=~carriers)[:, carriers]


def _jump_variance(displacements: FloatArray, msd: FloatArray, *, first: int, anisotropy: float) -> float:
    """Return the relative variance of a sum of rare jumps beyond that of a Gaussian walk.

    The squared displacement of independent ions over a lag t has the relative variance 2/3 + 5/3 alpha_2(t) M(t)^2 /
    (N m(t)^2), m(t) being the part of M(t) that grows; there are T / t such lags in the run. For jumps at a rate
    Gamma it is 1 / (N Gamma T): one over their number. A Gaussian walk along unequal axes has an alpha_2 of its own,
    2/5 of the excess of `anisotropy_factor` over one.
    """
    growth = float(msd[min(2 * first, len(msd) - 1)] - msd[first])
    alpha2 = float(non_gaussian(displacements, 1.0, lags=np.array([first])).alpha2[0])
    alpha2 -= 2 / 5 * (anisotropy - 1)
    if alpha2 <= 0 or growth <= 0:
        return 0.0
    frames, ions, _ = displacements.shape
    return 5 / 3 * alpha2 * (float(msd[first]) / growth) ** 2 * first / float((frames - 1) * ions)


@dataclass(frozen=True)
class Haven:
    """Ratio of tracer to collective diffusivity.

    Attributes:
        ratio: H_R = D_tracer / D_sigma: one for independent ions, below one where they drag each other along, one
            over n for ions in rigid groups of n.
        relative_stderr: standard error over value; one collective trajectory makes it large in any short run.
        interval_68: of the ratio.
        interval_95: as above.
    """

    ratio: float
    relative_stderr: float
    interval_68: tuple[float, float]
    interval_95: tuple[float, float]


def haven_ratio(displacements_A: FloatArray, estimate: DiffusivityEstimate) -> Haven | None:
    """Compute the Haven ratio D_tracer / D_sigma of equal charges (Murch, Solid State Ionics 7, 177, 1982).

    D_sigma = lim |sum_i dr_i|^2 / (6 N t) is the diffusivity in the Nernst-Einstein relation: conductivity follows
    from the tracer value divided by this ratio. The sum is taken relative to the other atoms, which hold the
    balancing charge: relative to the centre of mass of all, the ions' own recoil would hide a part of it.

    Args:
        displacements_A: displacements of the ions from the others' centre of mass (`in_host_frame`), shape (F, N, 3).
        estimate: tracer diffusivity of the same ions.

    Returns:
        The ratio, exactly one for a single ion, or None where its error exceeds 60 %, or too few jumps were observed
        to state a diffusivity.
    """
    ions = displacements_A.shape[1]
    if ions == 1:
        return Haven(1.0, 0.0, (1.0, 1.0), (1.0, 1.0))
    collective = collective_diffusivity(displacements_A, np.ones(ions), estimate.frame_interval_ps)
    return haven_from_estimates(collective, estimate, ions=ions)


def haven_from_estimates(
    collective: CollectiveDiffusivity, estimate: DiffusivityEstimate, *, ions: int
) -> Haven | None:
    """Compute the Haven ratio from a collective and a tracer diffusivity of the same ions.

    Args:
        collective: collective diffusivity.
        estimate: tracer diffusivity.
        ions: number of ions.

    Returns:
        The ratio, or None where its error exceeds 60 %, or too few jumps were observed to state a diffusivity.
    """
    if not resolution(estimate, ions=ions).resolved:
        return None
    return haven_from_values(estimate.value_cm2_per_s, estimate.stderr_cm2_per_s, collective)


def haven_from_values(
    value_cm2_per_s: float, stderr_cm2_per_s: float, collective: CollectiveDiffusivity
) -> Haven | None:
    """Compute the ratio of a tracer diffusivity to a collective one, each with its error.

    Both are averages of squared displacements, gamma distributed with shapes k = (value / error)^2; a ratio of such
    is F distributed with 2 k degrees of freedom each, which gives the intervals. That both come from the same ions is
    neglected; the collective value, of one walker, makes nearly all of the error.

    Args:
        value_cm2_per_s: tracer diffusivity.
        stderr_cm2_per_s: its statistical error.
        collective: of the same ions.

    Returns:
        The ratio, or None where its error exceeds 60 %, or nothing moves.
    """
    if value_cm2_per_s <= 0 or collective.value_cm2_per_s <= 0:
        return None
    if stderr_cm2_per_s <= 0:
        raise InputError("a Haven ratio needs a tracer diffusivity with its error: state its standard error")
    tracer_shape = (value_cm2_per_s / stderr_cm2_per_s) ** 2
    collective_shape = (collective.value_cm2_per_s / collective.stderr_cm2_per_s) ** 2
    relative = float(np.hypot(tracer_shape**-0.5, collective_shape**-0.5))
    if relative > LARGEST_RELATIVE_STDERR:
        return None
    ratio = value_cm2_per_s / collective.value_cm2_per_s

    def bounds(tail: float) -> tuple[float, float]:
        distribution = stats.f(2 * tracer_shape, 2 * collective_shape)
        return ratio / float(distribution.isf(tail)), ratio / float(distribution.ppf(tail))

    return Haven(ratio, relative, bounds(float(stats.norm.sf(1.0))), bounds(0.025))
