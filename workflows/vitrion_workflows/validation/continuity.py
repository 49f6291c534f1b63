"""Do the frames follow each other? Missing, jumping and repeated frames, from the positions alone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, spatial, special, stats

from vitrion_models.system import FloatArray, IntArray

BoolArray: TypeAlias = NDArray[np.bool_]

# Steps on each side that tell what the step between them should be.
NEIGHBOURS = 3
# Frames that may be missing together, plus one; what is longer is found as a break.
GAPS = (2, 3, 5, 10)
# One run in a thousand may be suspected wrongly.
FALSE_ALARM = 1e-3
# Likelihood ratios of real motion have longer tails than those of a Gaussian process.
TAIL = 1.5
# An interruption is looked for where its expected log-likelihood ratio is at least so many times the limit.
POWER = 2.0
# An interruption touches all atoms, a hop one: steps beyond so many root medians are cut, and the evidence of one
# atom counts for so many times what a missing frame gives on average, but at least for ATOM_EVIDENCE.
LONGEST_STEP = 4.0
ATOM_SHARE, ATOM_EVIDENCE = 3.0, 4.0
# Below this share of the mean squared step, the median one is rounding: most atoms rest.
REST = 1e-6
# Exponents of Chernoff's bound; at 1 a true model has E[exp] = 1.
EXPONENTS = np.geomspace(1e-3, 1.0, 10)
# Twice the energy makes steps longer by a root of two; a missing frame by two.
LARGEST_SCALE = 1.5
# Median over mean of the squared length of a Gaussian step in three dimensions.
MEDIAN_OVER_MEAN = float(stats.chi2.median(3)) / 3
CHUNK_NUMBERS = 4_000_000
# Frames nearer to each other than this share of a squared step are one frame twice: nothing comes back so exactly.
COPY_RATIO = 0.03
PROJECTIONS = 6
TINY = 1e-9
# Part of a squared step that no neighbours explain: a covariance from one run is not known better.
RIDGE = 1e-3

Hypothesis = Callable[["_Species", "_Atoms", IntArray, int, int], FloatArray]


@dataclass(frozen=True)
class Continuity:
    """Whether each step fits those before and after it.

    Attributes:
        log_odds: greatest log-likelihood ratio of an interruption over an undisturbed step.
        at: the frame that step leads to.
        limit: log odds from which a run counts as interrupted.
        telling: whether one missing frame would show; False where frames are far apart or atoms few.
        copies: frames that repeat an earlier one; empty where ions only stand on sites, which are revisited exactly.
    """

    log_odds: float
    at: int
    limit: float
    telling: bool
    copies: tuple[int, ...]


def continuity(
    displacements_A: FloatArray,
    numbers: IntArray,
    *,
    masses_u: FloatArray,
    temperatures_K: FloatArray | None = None,
) -> Continuity:
    """Look for places where the run was interrupted.

    The steps of each species are taken as a stationary Gaussian process whose covariance is measured: in smooth
    motion the steps before and after fix the one between, in diffusion only its size. Every step is asked whether it
    is better explained as the sum of 2, 3, 5 or 10 consecutive steps (frames are missing), or as a break (a free
    size, and nothing in common with its neighbours: a restart that went back, a jump). Likelihood ratios of a true
    model exceed exp(c) in at most exp(-c) of its samples, so c = ln(steps / 0.001) is wrong in one run of a thousand;
    where the ratios scatter more than that, their own scatter raises the limit.

    Ions hop, which no Gaussian process does. A hop concerns one ion and an interruption all atoms, so each atom's
    evidence is bounded, and the limit is at least the one that independent atoms with the scatter seen in this run
    pass by chance (Chernoff's bound with the measured moments). A species that rests more often than it moves, as on
    a lattice, shows nothing. What a hop moves the others by, as the centre of mass is held, is taken out.

    A run that starts from rest has twice its energy in its first velocities, and its first step is as long as one and
    a half: where temperatures are recorded, each step is measured in thermal velocities of its own moment.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 10.
        numbers: atomic numbers, shape (N,).
        masses_u: those that the drift was removed with, shape (N,).
        temperatures_K: kinetic temperature of each frame, shape (F,), or None where it is not recorded.
    """
    steps = np.diff(displacements_A, axis=0)
    if temperatures_K is not None:
        steps *= _thermal_scale(temperatures_K)[:, None, None]
    steps -= _recoil(steps, numbers, masses_u)
    moving = _moving(steps)
    levels = {int(number): _level(steps[moving][:, numbers == number]) for number in np.unique(numbers)}
    species = [_Species(steps[:, numbers == number], level) for number, level in levels.items() if level > 0]
    copies = tuple(_copies(displacements_A, numbers, levels)) if species else ()
    if not species:
        return Continuity(log_odds=0.0, at=0, limit=0.0, telling=False, copies=copies)
    found = [one.evidence() for one in species]
    odds = np.sum([one.odds for one in found], axis=0)
    greatest = odds.max(axis=0)
    places = len(greatest)
    certain = float(np.log(places / FALSE_ALARM))
    by_chance = ((np.sum([one.log_moments for one in found], axis=0) + certain) / EXPONENTS).min(axis=1).max()
    chance = float(np.median(odds[0]))
    chance += TAIL * float(stats.norm.isf(FALSE_ALARM / places)) * _spread(odds[0])
    expected = sum(one.expected_odds(GAPS[0]) for one in species)
    limit = max(certain, float(by_chance), min(chance, expected / POWER))
    at = int(np.argmax(greatest))
    return Continuity(
        log_odds=float(greatest[at]),
        at=at + 1,
        limit=limit,
        telling=expected >= POWER * limit,
        copies=copies,
    )


def _thermal_scale(temperatures_K: FloatArray) -> FloatArray:
    """What brings each step to the run's usual thermal velocity, shape (F - 1,).

    Bounded, because a record that does not fit the motion must not hide an interruption: no true one is further off.
    """
    between = 0.5 * (temperatures_K[1:] + temperatures_K[:-1])
    usual = float(np.median(between))
    scale: FloatArray = np.clip(np.sqrt(usual / np.maximum(between, 1e-9 * usual)), 1 / LARGEST_SCALE, LARGEST_SCALE)
    return scale


def _recoil(steps: FloatArray, numbers: IntArray, masses_u: FloatArray) -> FloatArray:
    """What hops move all other atoms by where the centre of mass was held, shape (T, 1, 3).

    The mean, weighted by mass, of atoms that do not hop; nothing where none does. A mean or median over all atoms
    follows the light ones at random and puts one noise on all heavy ones, which then seem to be interrupted together.
    """
    squares = (steps**2).sum(axis=2)
    longest = np.empty(len(numbers))
    for number in np.unique(numbers):
        atoms = numbers == number
        level = _level(steps[:, atoms])
        longest[atoms] = LONGEST_STEP**2 * level if level > 0 else np.inf
    hops = squares > longest
    weights = np.where(hops, 0.0, masses_u)
    total = np.maximum(weights.sum(axis=1), TINY)
    mean: FloatArray = np.einsum("tnd,tn->td", steps, weights) / total[:, None]
    return np.where(hops.any(axis=1)[:, None], mean, 0.0)[:, None]


def _moving(steps: FloatArray) -> BoolArray:
    """Steps that lead on, shape (T,): all but those between copies, where a run was written more often than it went on.

    Between copies all atoms rest together. Where most rest in the other steps, too, they stand on sites: that is no
    copy, and all steps count.
    """
    squares = (steps**2).sum(axis=2)
    together = squares.mean(axis=1)
    moving: BoolArray = together > COPY_RATIO * together.mean()
    if np.median(squares[moving]) <= REST * squares.mean():
        return np.ones(len(steps), dtype=bool)
    return moving


def _level(steps: FloatArray) -> float:
    """Mean squared step as its median tells it, so that hops do not count; zero where most atoms rest.

    Args:
        steps: shape (T, n, 3).
    """
    squares = (steps**2).sum(axis=2)
    level = float(np.median(squares)) / MEDIAN_OVER_MEAN
    return level if level > REST * squares.mean() else 0.0


@dataclass(frozen=True)
class _Evidence:
    """Log odds of each hypothesis at each step, and ln E[exp(exponent x odds)] of all atoms of a species by chance."""

    odds: FloatArray
    log_moments: FloatArray


class _Atoms:
    """Dot products of steps of single atoms at neighbouring times: shape (lag, time, atom)."""

    def __init__(self, steps: FloatArray) -> None:
        count = len(steps)
        self.products = np.zeros((2 * NEIGHBOURS + 1, count, steps.shape[1]))
        for lag in range(min(2 * NEIGHBOURS, count - 1) + 1):
            self.products[lag, : count - lag] = np.einsum("tad,tad->ta", steps[: count - lag], steps[lag:])

    def log_likelihood(self, covariance: FloatArray, first: IntArray) -> FloatArray:
        """Of windows that begin at the steps `first`, up to a constant for each step; shape (window, atom)."""
        size = len(covariance)
        precision = np.linalg.inv(covariance)
        form = np.zeros((len(first), self.products.shape[2]))
        for row in range(size):
            form += precision[row, row] * self.products[0, first + row]
            for lag in range(1, size - row):
                form += 2 * precision[row, row + lag] * self.products[lag, first + row]
        logs: FloatArray = -0.5 * form - 1.5 * np.linalg.slogdet(covariance)[1]
        return logs


class _Species:
    """Steps of one species, the longest cut, and the covariance that they have at neighbouring times."""

    def __init__(self, steps: FloatArray, level: float) -> None:
        self.count, self.atoms = steps.shape[:2]
        lengths = np.sqrt((steps**2).sum(axis=2, keepdims=True))
        longest = LONGEST_STEP * np.sqrt(level)
        self.steps = steps * np.minimum(1.0, longest / np.maximum(lengths, longest))
        flat = self.steps.reshape(self.count, -1)
        covariance = np.zeros(2 * NEIGHBOURS + max(GAPS) + 1)
        for lag in range(min(len(covariance), self.count)):
            products = np.einsum("td,td->t", flat[: self.count - lag], flat[lag:])
            covariance[lag] = products.mean() / flat.shape[1]
        # The covariance of lags the run is too short for stays zero.
        self.toeplitz = linalg.toeplitz(covariance) + RIDGE * covariance[0] * np.eye(len(covariance))
        # Squared size of all steps at a time, for one coordinate.
        self.sizes = (flat**2).mean(axis=1)

    def evidence(self) -> _Evidence:
        """For each gap and a break, summed over atoms."""
        bound = max(ATOM_SHARE * self.expected_odds(GAPS[0]) / self.atoms, ATOM_EVIDENCE)
        hypotheses = [_gap(gap) for gap in GAPS] + [_break_odds]
        odds = np.zeros((len(hypotheses), self.count))
        sums = np.full((len(hypotheses), len(EXPONENTS)), -np.inf)
        chunk = max(CHUNK_NUMBERS // (self.count * 2 * NEIGHBOURS), 1)
        for start in range(0, self.atoms, chunk):
            atoms = _Atoms(self.steps[:, start : start + chunk])
            for row, hypothesis in enumerate(hypotheses):
                every = []
                for at, before, after in _windows(self.count):
                    found = np.clip(hypothesis(self, atoms, at, before, after), -bound, bound)
                    odds[row, at] += found.sum(axis=1)
                    every.append(found.ravel())
                together = np.concatenate(every)
                fresh = [special.logsumexp(exponent * together) for exponent in EXPONENTS]
                sums[row] = np.logaddexp(sums[row], fresh)
        return _Evidence(odds, self.atoms * (sums - np.log(self.count * self.atoms)))

    def with_gap(self, gap: int, *, before: int, after: int) -> FloatArray:
        """Covariance of a window whose step in the middle is the sum of `gap` steps."""
        sums = np.zeros((before + 1 + after, before + gap + after))
        sums[:before, :before] = np.eye(before)
        sums[before, before : before + gap] = 1
        sums[before + 1 :, before + gap :] = np.eye(after)
        covariance: FloatArray = sums @ self.toeplitz[: sums.shape[1], : sums.shape[1]] @ sums.T
        return covariance

    def expected_odds(self, gap: int) -> float:
        """Mean log-likelihood ratio of a gap where there is one (Kullback and Leibler, 1951)."""
        whole = self.with_gap(1, before=NEIGHBOURS, after=NEIGHBOURS)
        cut = self.with_gap(gap, before=NEIGHBOURS, after=NEIGHBOURS)
        ratio = np.linalg.solve(whole, cut)
        return float(1.5 * self.atoms * (np.trace(ratio) - len(ratio) - np.linalg.slogdet(ratio)[1]))


def _windows(count: int) -> Iterator[tuple[IntArray, int, int]]:
    """Steps with the same numbers of neighbours before and after: those at the ends have fewer."""
    reach = min(NEIGHBOURS, (count - 1) // 2)
    for at in range(reach):
        yield np.array([at], dtype=np.int64), at, reach
        yield np.array([count - 1 - at], dtype=np.int64), reach, at
    yield np.arange(reach, count - reach, dtype=np.int64), reach, reach


def _gap(gap: int) -> Hypothesis:
    def odds(one: _Species, atoms: _Atoms, at: IntArray, before: int, after: int) -> FloatArray:
        cut = one.with_gap(gap, before=before, after=after)
        whole = one.with_gap(1, before=before, after=after)
        found: FloatArray = atoms.log_likelihood(cut, at - before) - atoms.log_likelihood(whole, at - before)
        return found

    return odds


def _break_odds(one: _Species, atoms: _Atoms, at: IntArray, before: int, after: int) -> FloatArray:
    # Twice the usual size at least: a break leads further than a step, a copy is found otherwise.
    size = np.maximum(one.sizes[at], 2 * one.toeplitz[0, 0])[:, None]
    broken = -0.5 * atoms.products[0, at] / size - 1.5 * np.log(size)
    if before:
        broken += atoms.log_likelihood(one.toeplitz[:before, :before], at - before)
    if after:
        broken += atoms.log_likelihood(one.toeplitz[:after, :after], at + 1)
    found: FloatArray = broken - atoms.log_likelihood(one.with_gap(1, before=before, after=after), at - before)
    return found


def _spread(values: FloatArray) -> float:
    return float(stats.median_abs_deviation(values, scale="normal"))


def _copies(displacements_A: FloatArray, numbers: IntArray, levels: dict[int, float]) -> list[int]:
    """Frames that lie on an earlier one.

    Candidates are neighbours in a few random directions; each is then compared in all coordinates, every species
    scaled by its own step.
    """
    scaled = np.empty((len(displacements_A), displacements_A.shape[1] * 3))
    columns = scaled.reshape(displacements_A.shape)
    for number, level in levels.items():
        atoms = numbers == number
        columns[:, atoms] = displacements_A[:, atoms] / (np.sqrt(level) if level > 0 else 1.0)
    reach = np.sqrt(COPY_RATIO * displacements_A.shape[1])
    directions = np.random.default_rng(0).normal(size=(scaled.shape[1], PROJECTIONS)) / np.sqrt(scaled.shape[1])
    # The length of a projection on random directions seldom exceeds twice that of chance.
    radius = 2 * reach * np.sqrt(PROJECTIONS / scaled.shape[1])
    pairs = spatial.cKDTree(scaled @ directions).query_pairs(radius, output_type="ndarray")
    near = ((scaled[pairs[:, 0]] - scaled[pairs[:, 1]]) ** 2).sum(axis=1) < reach**2
    return sorted({int(later) for later in pairs[near].max(axis=1)}) if near.any() else []
