"""Which lags a diffusivity is read from: past ballistic and caged motion, short of the noise."""

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.transport.regression import Fit, fit_lags, straight_line
from vitrion_workflows.transport.variance import FEWEST_IONS

# A velocity or cage correlation below a twentieth of its start moves no slope visibly; noise may ask for more.
CORRELATION_LOST = 0.05
NOISE_SIGMAS = 4.0
# A difference between one window and the next that chance makes in one case of a hundred: the line still bends.
STRAIGHT_SIGMAS = 2.58
# The window starts within the first tenth of the run and ends at its half: beyond, few displacements are independent.
LATEST_START = 0.1
LONGEST_LAG = 0.5
RUNG = 2


def memory_lag(msd_A2: FloatArray, *, ions: int, increments: int) -> int:
    """First lag, in frames, after which displacements have forgotten velocity and cage.

    The correlation of frame-to-frame displacements is the second difference of the MSD,
    c(n) = [M(n + 1) - 2 M(n) + M(n - 1)] / (2 M(1)): the velocity autocorrelation at the frames' resolution. The lag
    returned is the first n with |c| small or within its noise all the way from n to 2 n.

    Args:
        msd_A2: mean over ions at lags 0, 1, 2 ..., shape (L,).
        ions: number of ions in the mean.
        increments: frames of the run less one.
    """
    latest = max(1, int(LATEST_START * increments))
    correlation = np.diff(msd_A2, n=2) / (2 * msd_A2[1])
    noise = NOISE_SIGMAS / np.sqrt(3 * ions * increments)
    loud = np.abs(correlation) > max(CORRELATION_LOST, noise)
    for lag in range(1, latest):
        # correlation[0] belongs to lag 1.
        if not loud[lag - 1 : 2 * lag].any():
            return lag
    return latest


def choose_fit(msd_A2: FloatArray, *, increments: int) -> Fit:
    """Fit over the first window whose slope later windows confirm.

    Windows run from n_k to half the run, n_0 being the memory lag and n_k doubling, up to a tenth of the run. The
    first is taken whose slope differs from those of the two next windows by less than 2.58 standard errors of the
    difference. That error comes from the scatter of the difference over ions; with few ions, from theory: an
    efficient estimate is uncorrelated with its difference to a less efficient one, so variances subtract (Hausman,
    Econometrica 46, 1251, 1978). For the same reason the choice leaves mean and coverage alone when the line is
    straight.

    Args:
        msd_A2: mean squared displacement of each ion, lags 0 to half the run at least, shape (L, N).
        increments: frames of the run less one.
    """
    last = max(3, int(LONGEST_LAG * increments))
    first = memory_lag(msd_A2.mean(axis=1), ions=msd_A2.shape[1], increments=increments)
    latest = max(first, int(LATEST_START * increments))
    starts = [first]
    while starts[-1] * RUNG <= latest:
        starts.append(starts[-1] * RUNG)
    fits = [straight_line(msd_A2, fit_lags(start, last), increments=increments) for start in starts]
    for index, fit in enumerate(fits):
        if all(_agree(fit, later) for later in fits[index + 1 : index + 3]):
            return fit
    return fits[-1]


def _agree(fit: Fit, later: Fit) -> bool:
    difference = fit.ion_slopes_A2 - later.ion_slopes_A2
    theory = max(later.variance_A4 - fit.variance_A4, 0.0)
    scatter = float(difference.var(ddof=1)) / len(difference) if len(difference) >= FEWEST_IONS else theory
    return abs(fit.slope_A2 - later.slope_A2) <= STRAIGHT_SIGMAS * float(np.sqrt(max(scatter, theory)))
