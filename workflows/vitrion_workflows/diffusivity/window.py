"""Window of lags that a diffusivity is fitted over: beyond ballistic and caged motion, before the noise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vitrion_models.system import FloatArray
from vitrion_workflows.diffusivity.regression import Fit, fit_lags, fit_line
from vitrion_workflows.diffusivity.variance import FEWEST_IONS, corrected_variance, james_stein_factor

# A velocity or cage correlation below a hundredth of its start is neglected; noise may raise the limit.
CORRELATION_LOST = 0.01
NOISE_SIGMAS = 3.0
# A difference between the slopes of two windows that chance makes in one case of a hundred.
AGREEMENT_SIGMAS = 2.58
# The window starts within the first eighth of the run and ends at its half: beyond, few displacements are independent.
LATEST_START = 0.125
LONGEST_LAG = 0.5
# Two periods of the slowest vibrations of condensed matter that last (2 THz): before, an ion may still be swinging.
VIBRATION_PS = 1.0
# Relative standard error of D below which a later start is preferred to a smaller error.
SUFFICIENT_ERROR = 0.15
ERROR_GROWTH = 1.5
START_RATIO = 2
CONFIRMING_WINDOWS = 2


@dataclass(frozen=True, eq=False)
class Window:
    """A fit over the chosen window.

    Attributes:
        fit: over the window.
        curvature: relative change of the slope from the last window but one to this, shrunk by its noise, where no
            window was confirmed; zero where one was.
    """

    fit: Fit
    curvature: float


@dataclass(frozen=True, eq=False)
class MeanSquaredDisplacement:
    """Mean squared displacement of each ion, with what is needed for the error of a slope.

    Attributes:
        msd_A2: at lags 0 to half the run at least, shape (L, N).
        increments: frames of the run less one.
        correlated_ions: number of ions that move together, at least 1.
        jumps_A4: rate from `jump_variance_A4`.
    """

    msd_A2: FloatArray
    increments: int
    correlated_ions: float
    jumps_A4: float


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A window from `start` to half the run."""

    data: MeanSquaredDisplacement
    start: int

    @cached_property
    def fit(self) -> Fit:
        last = max(3, int(LONGEST_LAG * self.data.increments))
        return fit_line(self.data.msd_A2, fit_lags(self.start, last), increments=self.data.increments)

    @cached_property
    def heterogeneity(self) -> float:
        return corrected_variance(self._theory_A4, self.fit.ion_slopes_A2).heterogeneity

    @property
    def _theory_A4(self) -> float:
        return self.fit.variance_A4 + self.data.jumps_A4 * self.fit.jump_weight

    def relative_error(self, heterogeneity: float) -> float:
        variance = self._theory_A4 * heterogeneity * self.data.correlated_ions
        return float(np.sqrt(variance)) / self.fit.slope_A2 if self.fit.slope_A2 > 0 else float("inf")

    def error_of_difference(self, later: "_Candidate") -> float:
        """Standard error of the difference of two slopes.

        It comes from the scatter of the difference over ions; with few ions, from theory: an efficient estimate is
        uncorrelated with its difference to a less efficient one, so variances subtract (Hausman, Econometrica 46, 1251,
        1978).
        """
        difference = self.fit.ion_slopes_A2 - later.fit.ion_slopes_A2
        theory = max(later.fit.variance_A4 - self.fit.variance_A4, 0.0)
        scatter = float(difference.var(ddof=1)) / len(difference) if len(difference) >= FEWEST_IONS else theory
        return max(float(np.sqrt(max(scatter, theory) * self.data.correlated_ions)), np.finfo(np.float64).tiny)

    def agrees(self, later: "_Candidate") -> bool:
        return abs(self.fit.slope_A2 - later.fit.slope_A2) <= AGREEMENT_SIGMAS * self.error_of_difference(later)


def memory_lag(msd_A2: FloatArray, *, independent_ions: float, increments: int) -> int:
    """Return the first lag, in frames, at which displacements are uncorrelated with earlier velocity and cage.

    The correlation of frame-to-frame displacements is the second difference of the MSD,
    c(n) = [M(n + 1) - 2 M(n) + M(n - 1)] / (2 M(1)): the velocity autocorrelation at the frames' resolution. With L
    the last lag at which |c| exceeds its noise before an interval of L lags where it does not, the remainder below the
    noise is given half as long again to decay: 3 L / 2 + 1. It is at most a sixteenth of the run, so that a later
    window remains for confirmation. The noise of c is sqrt(sum_k c(k)^2 / 3 N T), the sum over all positive and
    negative k (Bartlett, J. R. Stat. Soc. Suppl. 8, 27, 1946).

    Args:
        msd_A2: mean over ions at lags 0, 1, 2 ..., shape (L,).
        independent_ions: number of independent ions in the mean.
        increments: frames of the run less one.
    """
    latest = max(1, int(LATEST_START / START_RATIO * increments))
    if not msd_A2[1] > 0:
        return 1
    correlation = np.diff(msd_A2, n=2) / (2 * msd_A2[1])
    bartlett = 1 + 2 * float((correlation[:latest] ** 2).sum())
    noise = NOISE_SIGMAS * np.sqrt(bartlett / (3 * independent_ions * increments))
    significant = np.abs(correlation) > max(CORRELATION_LOST, noise)
    for lag in range(latest):
        # correlation[0] belongs to lag 1.
        if not significant[lag : 2 * lag + 1].any():
            return min(3 * lag // 2 + 1, latest)
    return latest


def choose_window(data: MeanSquaredDisplacement, *, first: int, frame_interval_ps: float) -> Window:
    """Choose the window with the latest start that the error allows, once later windows confirm the slope.

    Windows run from n_k to half the run, n_0 = `first` and n_k growing by at most two, the last of them exactly an
    eighth of the run.

    1. Confirmed: the first window whose slope differs from those of the two next windows by less than 2.58 standard
       errors of the difference; if that is not the very first, the one after it, so that the remainder of the curvature
       just detected decays. Where none is confirmed, the last is taken and its curvature is reported.
    2. Beyond the slowest vibrations: 1 ps, as far as an eighth of the run allows.
    3. As late as possible: on from there while the relative standard error stays below 15 % or within 1.5 of where it
       was. Ions that jump back, as they do wherever sites are few, bend the MSD slowly and by less than its noise; an
       early start would be precise about the wrong slope. An error of 0.065 decades is less than any potential's, and
       where rare jumps limit the precision a late start costs none. The heterogeneity of the ions is taken once, from
       the window of 2: a later one must not be chosen because its scatter is small by chance.

    Args:
        data: mean squared displacements.
        first: lag beyond which velocity and cage are forgotten, from `memory_lag`.
        frame_interval_ps: time between frames.
    """
    latest = max(first, int(LATEST_START * data.increments))
    count = int(np.ceil(np.log(latest / first) / np.log(START_RATIO))) + 1
    windows = [_Candidate(data, start) for start in fit_lags(first, latest, count=count).tolist()]
    confirmed = next(_confirmed(windows), None)
    if confirmed is None:
        return Window(windows[-1].fit, curvature=_curvature(windows))
    final, chosen = len(windows) - 1, confirmed
    while chosen < final and windows[chosen].start * frame_interval_ps < VIBRATION_PS:
        chosen += 1
    heterogeneity = windows[chosen].heterogeneity
    allowed = max(SUFFICIENT_ERROR, ERROR_GROWTH * windows[chosen].relative_error(heterogeneity))
    while chosen < final and windows[chosen + 1].relative_error(heterogeneity) <= allowed:
        chosen += 1
    return Window(windows[chosen].fit, curvature=0.0)


def _confirmed(windows: Sequence[_Candidate]) -> Iterator[int]:
    for index, window in enumerate(windows[:-1]):
        if all(window.agrees(later) for later in windows[index + 1 : index + 1 + CONFIRMING_WINDOWS]):
            yield index + (index > 0)


def _curvature(windows: Sequence[_Candidate]) -> float:
    if len(windows) == 1 or windows[-1].fit.slope_A2 <= 0:
        return float("inf")
    last, before = windows[-1].fit, windows[-2].fit
    sigmas = abs(last.slope_A2 - before.slope_A2) / windows[-2].error_of_difference(windows[-1])
    return abs(before.slope_A2 / last.slope_A2 - 1) * james_stein_factor(sigmas)
