"""Frames that are missing from a trajectory: squared steps between frames, and the most likely interruption."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, special, stats

from vitrion_models.system import FloatArray, IntArray

BoolArray: TypeAlias = NDArray[np.bool_]

# A step beyond so many root median squares is a hop.
LONGEST_STEP = 4.0
# Below this share of the mean squared step, the median one is rounding: most atoms rest.
REST = 1e-6
# Twice the energy makes steps longer by a root of two; a missing frame by two.
LARGEST_SCALE = 1.5
SMALLEST_TEMPERATURE = 1e-9
# Median over mean of the squared length of a Gaussian step in three dimensions.
MEDIAN_OVER_MEAN = float(stats.chi2.median(3)) / 3
# Frames nearer to each other than this share of a squared step are one frame twice: nothing comes back so exactly.
COPY_RATIO = 0.03
TINY = 1e-9
# Steps on each side that predict the step between them.
NEIGHBOURS = 3
# Frames that may be missing together, plus one; what is longer is found as a break.
GAPS = (2, 3, 5, 10)
# One run in a thousand may be suspected wrongly.
FALSE_ALARM = 1e-3
# Likelihood ratios of real motion have longer tails than those of a Gaussian process.
TAIL = 1.5
# An interruption is looked for where its expected log-likelihood ratio is at least so many times the limit.
POWER = 2.0
# An interruption concerns all atoms, a hop one: the log odds of one atom count for so many times what a missing frame
# gives on average, but at least for ATOM_LOG_ODDS.
ATOM_SHARE, ATOM_LOG_ODDS = 3.0, 4.0
# Exponents of Chernoff's bound; at 1 a true model has E[exp] = 1.
EXPONENTS = np.geomspace(1e-3, 1.0, 10)
CHUNK_NUMBERS = 4_000_000
# Part of a squared step that no neighbours explain: a covariance from one run is not known better.
RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class FrameSteps:
    """Steps between frames and the usual size of each species' step.

    Attributes:
        steps_A: without the recoil of hops, in thermal velocities of the moment, shape (T, N, 3).
        squared_A2: atomic number -> mean squared step without hops; zero where most atoms rest.
    """

    steps_A: FloatArray
    squared_A2: Mapping[int, float]


def frame_steps(
    displacements_A: FloatArray, numbers: IntArray, *, masses_u: FloatArray, temperatures_K: FloatArray | None = None
) -> FrameSteps:
    """Return the steps of a run, scaled to its usual temperature.

    A run that starts from rest has twice its energy in its first velocities, and its first step is as long as one and
    a half: where temperatures are recorded, each step is scaled by the thermal velocity of its own moment.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3).
        numbers: atomic numbers, shape (N,).
        masses_u: those that the drift was removed with, shape (N,).
        temperatures_K: kinetic temperature of each frame, shape (F,), or None where it is not recorded.
    """
    steps = np.diff(displacements_A, axis=0)
    if temperatures_K is not None:
        steps *= _thermal_scale(temperatures_K)[:, None, None]
    steps -= _recoil(steps, numbers, masses_u)
    moving = _moving(steps)
    squares = {int(number): _usual_square(steps[moving][:, numbers == number]) for number in np.unique(numbers)}
    return FrameSteps(steps, squares)


def _thermal_scale(temperatures_K: FloatArray) -> FloatArray:
    """Return the factor that brings each step to the run's usual thermal velocity, shape (F - 1,).

    Bounded, because a record that does not fit the motion must not hide an interruption.
    """
    between = 0.5 * (temperatures_K[1:] + temperatures_K[:-1])
    usual = float(np.median(between))
    factors = np.sqrt(usual / np.maximum(between, SMALLEST_TEMPERATURE * usual))
    scale: FloatArray = np.clip(factors, 1 / LARGEST_SCALE, LARGEST_SCALE)
    return scale


def _recoil(steps: FloatArray, numbers: IntArray, masses_u: FloatArray) -> FloatArray:
    """Return the common motion by which hops move all other atoms where the centre of mass is held, shape (T, 1, 3).

    The mean, weighted by mass, of atoms that do not hop; zero where none does. A mean or median over all atoms
    follows the light ones at random and puts one noise on all heavy ones, which then seem to be interrupted together.
    """
    squares = (steps**2).sum(axis=2)
    longest = np.empty(len(numbers))
    for number in np.unique(numbers):
        atoms = numbers == number
        usual = _usual_square(steps[:, atoms])
        longest[atoms] = LONGEST_STEP**2 * usual if usual > 0 else np.inf
    hops = squares > longest
    weights = np.where(hops, 0.0, masses_u)
    total = np.maximum(weights.sum(axis=1), TINY)
    mean: FloatArray = np.einsum("tnd,tn->td", steps, weights) / total[:, None]
    return np.where(hops.any(axis=1)[:, None], mean, 0.0)[:, None]


def _moving(steps: FloatArray) -> BoolArray:
    """Return True for each step, shape (T,), that does not lead to a copy of the frame before.

    Between copies all atoms rest together. Where most rest in the other steps, too, they stand on sites: that is no
    copy, and all steps count.
    """
    squares = (steps**2).sum(axis=2)
    together = squares.mean(axis=1)
    moving: BoolArray = together > COPY_RATIO * together.mean()
    if np.median(squares[moving]) <= REST * squares.mean():
        return np.ones(len(steps), dtype=bool)
    return moving


def _usual_square(steps: FloatArray) -> float:
    """Return the mean squared step from its median, which hops do not move; zero where most atoms rest.

    Args:
        steps: shape (T, n, 3).
    """
    squares = (steps**2).sum(axis=2)
    usual = float(np.median(squares)) / MEDIAN_OVER_MEAN
    return usual if usual > REST * squares.mean() else 0.0


@dataclass(frozen=True)
class Interruption:
    """The step that looks most like an interruption.

    Attributes:
        log_odds: log-likelihood ratio of an interruption over an undisturbed step.
        frame: to which the step leads.
        limit: log odds from which a run counts as interrupted.
        detectable: True where one missing frame would show; False where frames are far apart or atoms few.
    """

    log_odds: float
    frame: int
    limit: float
    detectable: bool


def most_likely_interruption(motion: FrameSteps, numbers: IntArray) -> Interruption | None:
    """Return the most likely interruption of a run; None where all atoms rest on sites.

    The steps of each species are a stationary Gaussian process whose covariance is measured: in smooth motion the
    steps before and after determine the one between, in diffusion only its size. At every step the likelihood of the
    undisturbed process is compared with that of the sum of 2, 3, 5 or 10 consecutive steps (frames are missing) and of
    a break (a free size, and no correlation with its neighbours: a restart that went back, a jump). Likelihood ratios
    of a true model exceed exp(c) in at most exp(-c) of its samples, so c = ln(steps / 0.001) is wrong in one run of a
    thousand; where the ratios scatter more than that, their own scatter raises the limit.

    Ions hop, which no Gaussian process does. A hop concerns one ion and an interruption all atoms, so the log odds of
    each atom are bounded, and the limit is at least the one that independent atoms with the scatter of this run pass
    by chance (Chernoff's bound with the measured moments). A species that rests more often than it moves, as on a
    lattice, shows nothing.

    Args:
        motion: of the run, T steps of N atoms.
        numbers: atomic numbers, shape (N,).
    """
    processes = [
        _StepProcess.of(motion.steps_A[:, numbers == number], squared_A2)
        for number, squared_A2 in motion.squared_A2.items()
        if squared_A2 > 0
    ]
    if not processes:
        return None
    evidence = [process.evidence() for process in processes]
    log_odds = np.sum([species.log_odds for species in evidence], axis=0)
    log_moments = np.sum([species.log_moments for species in evidence], axis=0)
    greatest = log_odds.max(axis=0)
    steps = len(greatest)
    certain = float(np.log(steps / FALSE_ALARM))
    by_chance = float(((log_moments + certain) / EXPONENTS).min(axis=1).max())
    spread = float(stats.median_abs_deviation(log_odds[0], scale="normal"))
    scattered = float(np.median(log_odds[0])) + TAIL * float(stats.norm.isf(FALSE_ALARM / steps)) * spread
    expected = sum(process.expected_log_odds(GAPS[0]) for process in processes)
    limit = max(certain, by_chance, min(scattered, expected / POWER))
    at = int(np.argmax(greatest))
    return Interruption(float(greatest[at]), at + 1, limit, detectable=expected >= POWER * limit)


@dataclass(frozen=True)
class _Window:
    """Steps `at`, shape (W,), with so many neighbours before and after each."""

    at: IntArray
    before: int
    after: int

    @property
    def first(self) -> IntArray:
        return self.at - self.before


def _windows(steps: int) -> Iterator[_Window]:
    """Yield windows around all steps; those at the ends of the run have fewer neighbours on one side."""
    reach = min(NEIGHBOURS, (steps - 1) // 2)
    for at in range(reach):
        yield _Window(np.array([at], dtype=np.int64), at, reach)
        yield _Window(np.array([steps - 1 - at], dtype=np.int64), reach, at)
    yield _Window(np.arange(reach, steps - reach, dtype=np.int64), reach, reach)


@dataclass(frozen=True, eq=False)
class _StepProducts:
    """Dot products of the steps of single atoms at neighbouring times, shape (lag, time, atom)."""

    products_A2: FloatArray

    @classmethod
    def of(cls, steps_A: FloatArray) -> "_StepProducts":
        count = len(steps_A)
        products = np.zeros((2 * NEIGHBOURS + 1, count, steps_A.shape[1]))
        for lag in range(min(2 * NEIGHBOURS, count - 1) + 1):
            products[lag, : count - lag] = np.einsum("tad,tad->ta", steps_A[: count - lag], steps_A[lag:])
        return cls(products)

    def log_likelihood(self, covariance: FloatArray, first: IntArray) -> FloatArray:
        """Return the log likelihood of windows that begin at the steps `first`, up to a constant, shape (W, atom)."""
        size = len(covariance)
        precision = np.linalg.inv(covariance)
        form = np.zeros((len(first), self.products_A2.shape[2]))
        for row in range(size):
            form += precision[row, row] * self.products_A2[0, first + row]
            for lag in range(1, size - row):
                form += 2 * precision[row, row + lag] * self.products_A2[lag, first + row]
        logs: FloatArray = -0.5 * form - 1.5 * np.linalg.slogdet(covariance)[1]
        return logs


@dataclass(frozen=True)
class _Evidence:
    """Evidence of one species.

    Attributes:
        log_odds: of each hypothesis (`GAPS`, a break) at each step, summed over atoms, shape (H, T).
        log_moments: ln E[exp(exponent x log odds)] of all atoms by chance, shape (H, exponents).
    """

    log_odds: FloatArray
    log_moments: FloatArray


@dataclass(frozen=True, eq=False)
class _StepProcess:
    """Gaussian process of the steps of one species.

    Attributes:
        steps_A: the longest cut, shape (T, n, 3).
        covariance_A2: of a coordinate at neighbouring times (Toeplitz), shape (L, L).
        squares_A2: squared step of a coordinate at each time, shape (T,).
    """

    steps_A: FloatArray
    covariance_A2: FloatArray
    squares_A2: FloatArray

    @classmethod
    def of(cls, steps_A: FloatArray, squared_A2: float) -> "_StepProcess":
        count = len(steps_A)
        lengths = np.sqrt((steps_A**2).sum(axis=2, keepdims=True))
        longest = LONGEST_STEP * np.sqrt(squared_A2)
        cut = steps_A * np.minimum(1.0, longest / np.maximum(lengths, longest))
        flat = cut.reshape(count, -1)
        # The covariance of lags the run is too short for stays zero.
        covariance = np.zeros(2 * NEIGHBOURS + max(GAPS) + 1)
        for lag in range(min(len(covariance), count)):
            products = np.einsum("td,td->t", flat[: count - lag], flat[lag:])
            covariance[lag] = products.mean() / flat.shape[1]
        toeplitz = linalg.toeplitz(covariance) + RIDGE * covariance[0] * np.eye(len(covariance))
        return cls(cut, toeplitz, (flat**2).mean(axis=1))

    def evidence(self) -> _Evidence:
        """Return the log odds of each gap and of a break, bounded for each atom."""
        count, atoms = self.steps_A.shape[:2]
        bound = max(ATOM_SHARE * self.expected_log_odds(GAPS[0]) / atoms, ATOM_LOG_ODDS)
        log_odds = np.zeros((len(GAPS) + 1, count))
        log_sums = np.full((len(GAPS) + 1, len(EXPONENTS)), -np.inf)
        chunk = max(CHUNK_NUMBERS // (count * 2 * NEIGHBOURS), 1)
        for start in range(0, atoms, chunk):
            products = _StepProducts.of(self.steps_A[:, start : start + chunk])
            by_hypothesis: list[list[FloatArray]] = [[] for _ in log_odds]
            for window in _windows(count):
                for row, unbounded in enumerate(self._log_odds(products, window)):
                    bounded = np.clip(unbounded, -bound, bound)
                    log_odds[row, window.at] += bounded.sum(axis=1)
                    by_hypothesis[row].append(bounded.ravel())
            for row, bounded_odds in enumerate(by_hypothesis):
                together = np.concatenate(bounded_odds)
                sums = [special.logsumexp(exponent * together) for exponent in EXPONENTS]
                log_sums[row] = np.logaddexp(log_sums[row], sums)
        return _Evidence(log_odds, atoms * (log_sums - np.log(count * atoms)))

    def _log_odds(self, products: _StepProducts, window: _Window) -> Iterator[FloatArray]:
        """Yield the log odds of each gap and of a break over the undisturbed process, shape (W, atom)."""
        undisturbed = products.log_likelihood(self._with_gap(1, window.before, window.after), window.first)
        for gap in GAPS:
            covariance = self._with_gap(gap, window.before, window.after)
            yield products.log_likelihood(covariance, window.first) - undisturbed
        # Twice the usual size at least: a break leads further than a step, a copy is found otherwise.
        size = np.maximum(self.squares_A2[window.at], 2 * self.covariance_A2[0, 0])[:, None]
        broken = -0.5 * products.products_A2[0, window.at] / size - 1.5 * np.log(size)
        if window.before:
            broken += products.log_likelihood(self.covariance_A2[: window.before, : window.before], window.first)
        if window.after:
            broken += products.log_likelihood(self.covariance_A2[: window.after, : window.after], window.at + 1)
        yield broken - undisturbed

    def _with_gap(self, gap: int, before: int, after: int) -> FloatArray:
        """Return the covariance of a window whose middle step is the sum of `gap` steps."""
        sums = np.zeros((before + 1 + after, before + gap + after))
        sums[:before, :before] = np.eye(before)
        sums[before, before : before + gap] = 1
        sums[before + 1 :, before + gap :] = np.eye(after)
        covariance: FloatArray = sums @ self.covariance_A2[: sums.shape[1], : sums.shape[1]] @ sums.T
        return covariance

    def expected_log_odds(self, gap: int) -> float:
        """Return the mean log-likelihood ratio of a gap where there is one (Kullback and Leibler, 1951)."""
        undisturbed = self._with_gap(1, NEIGHBOURS, NEIGHBOURS)
        ratio = np.linalg.solve(undisturbed, self._with_gap(gap, NEIGHBOURS, NEIGHBOURS))
        information = np.trace(ratio) - len(ratio) - np.linalg.slogdet(ratio)[1]
        return float(1.5 * self.steps_A.shape[1] * information)
