"""Collective (charge) diffusivity: the motion of the ions' summed charge, one walker however many ions."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from vitrion_models.constants import A2_PER_PS_IN_CM2_PER_S
from vitrion_models.errors import InputError
from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.estimate import FEWEST_FRAMES
from vitrion_workflows.diffusivity.interval import Spread, spread
from vitrion_workflows.diffusivity.msd import mean_squared_displacements
from vitrion_workflows.diffusivity.regression import DIMENSIONS, Fit, fit_lags, straight_line
from vitrion_workflows.diffusivity.variance import anisotropy
from vitrion_workflows.diffusivity.window import LATEST_START, LONGEST_LAG, VIBRATION_PS, memory_lag
from vitrion_workflows.trajectories.displacements import remove_drift
from vitrion_workflows.transport.van_hove import non_gaussian

BoolArray: TypeAlias = NDArray[np.bool_]

# A sum this small is rounding: charges that cancel, or the centre of mass of a cell of one species.
SMALLEST_SHARE = 1e-15
# Single walkers are seldom known to two standard errors: their wide intervals are stated down to one.
SMALLEST_SIGNAL = 1.0
# The covariance takes rattling for new in every frame. There are no other walkers to show that it is not, so frames are
# left out until half of its correlation is gone: a third of `memory_lag`, which is half as long again as it lasts.
FRAMES_A_MEMORY = 3


@dataclass(frozen=True, eq=False)
class CollectiveDiffusivity:
    """D_sigma = lim |sum_i z_i dr_i|^2 / (6 t sum_i z_i^2).

    Attributes:
        value_cm2_per_s: best estimate; zero where the summed charge does not spread, then without error where it stands
            by symmetry.
        stderr_cm2_per_s: its standard error.
        spread: its intervals; None where the value is below its standard error.
        fit_window_ps: first and last lag of the fit; where nothing moves, those that it would have had.
    """

    value_cm2_per_s: float
    stderr_cm2_per_s: float
    spread: Spread | None
    fit_window_ps: tuple[float, float]


def collective_diffusivity(
    displacements_A: FloatArray, charges: FloatArray, frame_interval_ps: float
) -> CollectiveDiffusivity:
    """Diffusivity of the summed charge, which the conductivity follows from.

    With equal charges it is lim |sum_i dr_i|^2 / (6 N t), the tracer diffusivity where ions move independently. The
    sum is a single walker; averaging over ions gains nothing, so that its relative error is sqrt(N) times that of the
    tracer. Being a sum of many it is nearly Gaussian and has the covariance of `msd_covariance`; where jumps are few,
    the fourth cumulant of the ions' displacements adds to it (`_rarity`). The window starts as early as it may: when
    both the ions' own motion and that of the sum have forgotten velocity and cage (`memory_lag`), and not within
    1 ps as far as an eighth of the run allows. Frames closer than a third of that memory are thinned out.

    Args:
        displacements_A: displacements of the charged ions in the frame of what balances their charge
            (`in_host_frame`), shape (F, N, 3). Where all charges of a neutral cell are given, any frame does.
        charges: of each ion in elementary charges, shape (N,).
        frame_interval_ps: time between frames.

    Raises:
        InputError: too few frames, one charge for each ion not given, or no charge at all.
    """
    if len(displacements_A) < FEWEST_FRAMES:
        raise InputError(f"{len(displacements_A)} frames are too few for a diffusivity: give at least {FEWEST_FRAMES}")
    if charges.shape != displacements_A.shape[1:2] or not np.isfinite(charges).all():
        raise InputError(f"{displacements_A.shape[1]} ions need as many charges, not {charges.shape}")
    if not charges.any():
        raise InputError("none of these ions carries a charge: state at least one that is not zero")
    increments = len(displacements_A) - 1
    last = max(3, int(LONGEST_LAG * increments))
    summed = np.einsum("fnd,n->fd", displacements_A, charges)[:, None, :] / np.sqrt((charges**2).sum())
    msd = mean_squared_displacements(summed, largest_lag=last + 2)
    ions = mean_squared_displacements(displacements_A, largest_lag=last + 2).mean(axis=1)
    moves = bool(msd.max() > SMALLEST_SHARE * ions.max())
    memory = max(
        memory_lag(ions, walkers=displacements_A.shape[1], increments=increments),
        memory_lag(msd[:, 0], walkers=1, increments=increments) if moves else 1,
    )
    first = max(memory, min(int(np.ceil(VIBRATION_PS / frame_interval_ps)), int(LATEST_START * increments)))
    if not moves:
        return CollectiveDiffusivity(0.0, 0.0, None, (first * frame_interval_ps, last * frame_interval_ps))
    stride = max(1, memory // FRAMES_A_MEMORY)
    apart_ps = stride * frame_interval_ps
    fit = _fit(summed[::stride], first=-(-first // stride))
    to_value = A2_PER_PS_IN_CM2_PER_S / (2 * DIMENSIONS * apart_ps)
    value = max(fit.slope_A2, 0.0) * to_value
    # The sum has too few moves of its own to tell its axes.
    unequal_axes = anisotropy(displacements_A, lag=first, together=1.0)
    rare = _rarity(displacements_A, ions, first=first, unequal_axes=unequal_axes)
    stderr = float(np.sqrt(fit.variance_A4 * unequal_axes * to_value**2 + rare * value**2))
    known = value > 0 and value >= SMALLEST_SIGNAL * stderr
    return CollectiveDiffusivity(
        value_cm2_per_s=value,
        stderr_cm2_per_s=stderr,
        spread=spread(value, stderr**2, freedom=float("inf")) if known else None,
        fit_window_ps=(float(fit.lags[0]) * apart_ps, float(fit.lags[-1]) * apart_ps),
    )


def _fit(summed: FloatArray, *, first: int) -> Fit:
    increments = len(summed) - 1
    last = max(3, int(LONGEST_LAG * increments))
    msd = mean_squared_displacements(summed, largest_lag=last)
    return straight_line(msd, fit_lags(first, last), increments=increments)


def in_host_frame(displacements_A: FloatArray, masses_u: FloatArray, carriers: BoolArray) -> FloatArray:
    """Displacements of charge carriers from the centre of mass of all other atoms, which hold the balancing charge.

    Args:
        displacements_A: of all atoms, shape (F, N, 3).
        masses_u: shape (N,).
        carriers: which atoms carry, shape (N,).

    Returns:
        Shape (F, M, 3); unchanged where every atom carries.
    """
    if carriers.all():
        return displacements_A
    return remove_drift(displacements_A, masses_u, atoms=~carriers)[:, carriers]


def _rarity(displacements: FloatArray, msd: FloatArray, *, first: int, unequal_axes: float) -> float:
    """Relative variance that a sum of rare jumps has beyond a Gaussian walk.

    The squared displacement of independent ions over a lag t has the relative variance 2/3 + 5/3 alpha_2(t) M(t)^2 /
    (N m(t)^2), m(t) being the part of M(t) that grows; there are T / t such lags in the run. For jumps at a rate
    Gamma it is 1 / (N Gamma T): one over their number. A Gaussian walk along unequal axes has an alpha_2 of its own,
    2/5 of what `anisotropy` is above one.
    """
    growth = float(msd[min(2 * first, len(msd) - 1)] - msd[first])
    alpha2 = float(non_gaussian(displacements, 1.0, lags=np.array([first])).alpha2[0])
    alpha2 -= 2 / 5 * (unequal_axes - 1)
    if alpha2 <= 0 or growth <= 0:
        return 0.0
    frames, ions, _ = displacements.shape
    return 5 / 3 * alpha2 * (float(msd[first]) / growth) ** 2 * first / float((frames - 1) * ions)
