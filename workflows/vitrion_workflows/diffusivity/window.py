"""Which lags a diffusivity is read from: past ballistic and caged motion, short of the noise."""

from dataclasses import dataclass
from functools import cache

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.regression import Fit, fit_lags, straight_line
from vitrion_workflows.diffusivity.variance import FEWEST_IONS, inflated, standing_out

# A velocity or cage correlation below a hundredth of its start is not looked at; noise may ask for more.
CORRELATION_LOST = 0.01
NOISE_SIGMAS = 3.0
# A difference between one window and the next that chance makes in one case of a hundred: the line still bends.
STRAIGHT_SIGMAS = 2.58
# The window starts within the first eighth of the run and ends at its half: beyond, few displacements are independent.
LATEST_START = 0.125
LONGEST_LAG = 0.5
# Two periods of the slowest vibrations of condensed matter that last (2 THz): before, an ion may still be swinging.
VIBRATION_PS = 1.0
ERROR_OF_NO_USE = 0.15
ERROR_GROWTH = 1.5
RUNG = 2


@dataclass(frozen=True, eq=False)
class Window:
    """A fit and how its window was found.

    Attributes:
        fit: over the window.
        bend: relative change of the slope from the last window but one to this as far as it stands out from noise,
            where no window could be confirmed and the MSD bends up to the latest start; zero where one was.
    """

    fit: Fit
    bend: float


def memory_lag(msd_A2: FloatArray, *, walkers: float, increments: int) -> int:
    """First lag, in frames, after which displacements have forgotten velocity and cage.

    The correlation of frame-to-frame displacements is the second difference of the MSD,
    c(n) = [M(n + 1) - 2 M(n) + M(n - 1)] / (2 M(1)): the velocity autocorrelation at the frames' resolution. With L
    the last lag at which |c| stands out before a stretch of L lags where it does not, what is left of it below the
    noise is given half as long again to die out: 3 L / 2 + 1. It is at most a sixteenth of the run, so that a later
    window remains to confirm what follows. The noise of c is sqrt(sum_k c(k)^2 / 3 N T), the sum over all
    positive and negative k (Bartlett, J. R. Stat. Soc. Suppl. 8, 27, 1946).

    Args:
        msd_A2: mean over ions at lags 0, 1, 2 ..., shape (L,).
        walkers: number of independent ions in the mean.
        increments: frames of the run less one.
    """
    latest = max(1, int(LATEST_START / RUNG * increments))
    if not msd_A2[1] > 0:
        return 1  # what does not move has nothing to forget
    correlation = np.diff(msd_A2, n=2) / (2 * msd_A2[1])
    bartlett = 1 + 2 * float((correlation[:latest] ** 2).sum())
    noise = NOISE_SIGMAS * np.sqrt(bartlett / (3 * walkers * increments))
    loud = np.abs(correlation) > max(CORRELATION_LOST, noise)
    for lag in range(latest):
        # correlation[0] belongs to lag 1.
        if not loud[lag : 2 * lag + 1].any():
            return min(3 * lag // 2 + 1, latest)
    return latest


def choose_window(
    msd_A2: FloatArray, *, first: int, increments: int, frame_interval_ps: float, collective: float, jumps_A4: float
) -> Window:
    """Fit over a window that starts as late as the error allows, and not before later windows confirm the slope.

    Windows run from n_k to half the run, n_0 = `first` and n_k growing by at most two, the last of them exactly an
    eighth of the run.

    1. Not before: the first whose slope differs from those of the two next windows by less than 2.58 standard errors
       of the difference; if that is not the very first, the one after it, so that the remainder of what was just seen
       to bend dies out. Where none is confirmed the last is taken, and what it still bends is reported. The error
       comes from the scatter of the difference over ions; with few ions, from theory: an efficient estimate is
       uncorrelated with its difference to a less efficient one, so variances subtract (Hausman, Econometrica 46,
       1251, 1978).
    2. Not within the slowest vibrations: 1 ps, as far as an eighth of the run allows.
    3. As late as: on from there while the relative standard error stays below 15 % or within 1.5 of where it was.
       Ions that jump back, as they do wherever sites are few, bend the MSD slowly and by less than noise shows; an
       early start would be precise about the wrong slope. An error of 0.065 decades is less than any potential's,
       and where rare jumps limit the precision a late start costs none. How unequal ions are is read once, from the
       window of 2: a later one must not be chosen because its scatter is small by chance.

    Args:
        msd_A2: mean squared displacement of each ion, lags 0 to half the run at least, shape (L, N).
        first: lag from which on velocity and cage are forgotten, from `memory_lag`.
        increments: frames of the run less one.
        frame_interval_ps: time between frames.
        collective: number of ions that move as one, at least 1.
        jumps_A4: from `jump_rate_A4`.
    """
    last = max(3, int(LONGEST_LAG * increments))
    latest = max(first, int(LATEST_START * increments))
    rungs = int(np.ceil(np.log(latest / first) / np.log(RUNG)))
    starts = fit_lags(first, latest, count=rungs + 1).tolist()

    @cache
    def fit(index: int) -> Fit:
        return straight_line(msd_A2, fit_lags(starts[index], last), increments=increments)

    def theory(one: Fit) -> float:
        return one.variance_A4 + jumps_A4 * one.jump_weight

    def relative_error(one: Fit, unequal: float) -> float:
        variance = theory(one) * unequal * collective
        return float(np.sqrt(variance)) / one.slope_A2 if one.slope_A2 > 0 else float("inf")

    final = len(starts) - 1
    for index in range(final):
        later = range(index + 1, min(index + 2, final) + 1)
        if all(_agree(fit(index), fit(other), collective) for other in later):
            chosen = index + (index > 0)
            while chosen < final and starts[chosen] * frame_interval_ps < VIBRATION_PS:
                chosen += 1
            unequal = inflated(theory(fit(chosen)), fit(chosen).ion_slopes_A2, collective=(1.0, 0.0)).heterogeneity
            allowed = max(ERROR_OF_NO_USE, ERROR_GROWTH * relative_error(fit(chosen), unequal))
            while chosen < final and relative_error(fit(chosen + 1), unequal) <= allowed:
                chosen += 1
            return Window(fit(chosen), bend=0.0)
    return Window(fit(final), bend=_bend(fit(final), fit(final - 1), collective) if final else float("inf"))


def _bend(fit: Fit, before: Fit, collective: float) -> float:
    if fit.slope_A2 <= 0:
        return float("inf")
    sigmas = abs(fit.slope_A2 - before.slope_A2) / _error_of_difference(before, fit, collective)
    return abs(before.slope_A2 / fit.slope_A2 - 1) * standing_out(sigmas)


def _agree(fit: Fit, later: Fit, collective: float) -> bool:
    return abs(fit.slope_A2 - later.slope_A2) <= STRAIGHT_SIGMAS * _error_of_difference(fit, later, collective)


def _error_of_difference(fit: Fit, later: Fit, collective: float) -> float:
    difference = fit.ion_slopes_A2 - later.ion_slopes_A2
    theory = max(later.variance_A4 - fit.variance_A4, 0.0)
    scatter = float(difference.var(ddof=1)) / len(difference) if len(difference) >= FEWEST_IONS else theory
    return max(float(np.sqrt(max(scatter, theory) * collective)), np.finfo(np.float64).tiny)
