"""Do the frames follow each other? Missing, jumping and repeated frames, from the positions alone."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from scipy import linalg, spatial, stats

from vitrion_models.system import FloatArray, IntArray

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
# Frames nearer to each other than this share of a squared step are one frame twice: nothing comes back so exactly.
COPY_RATIO = 0.03
PROJECTIONS = 6
# Part of a squared step that no neighbours explain: a covariance from one run is not known better.
RIDGE = 1e-3


@dataclass(frozen=True)
class Continuity:
    """Whether each step fits those before and after it.

    Attributes:
        log_odds: greatest log-likelihood ratio of an interruption over an undisturbed step.
        at: the frame that step leads to.
        limit: log odds from which a run counts as interrupted.
        telling: whether one missing frame would show; False where frames are far apart or atoms few.
        copies: frames that repeat an earlier one.
    """

    log_odds: float
    at: int
    limit: float
    telling: bool
    copies: tuple[int, ...]


def continuity(displacements_A: FloatArray, numbers: IntArray) -> Continuity:
    """Look for places where the run was interrupted.

    The steps of each species are taken as a stationary Gaussian process whose covariance is measured: in smooth
    motion the steps before and after fix the one between, in diffusion only its size. Every step is asked whether it
    is better explained as the sum of 2, 3, 5 or 10 consecutive steps (frames are missing), or as a break (a free
    size, and nothing in common with its neighbours: a restart that went back, a jump). Likelihood ratios of a true
    model exceed exp(c) in at most exp(-c) of its samples, so c = ln(steps / 0.001) is wrong in one run of a thousand;
    where the ratios scatter more than that, their own scatter raises the limit.

    Args:
        displacements_A: drift-corrected displacements of all atoms, shape (F, N, 3), F >= 10.
        numbers: atomic numbers, shape (N,).
    """
    steps = np.diff(displacements_A, axis=0)
    species = [
        _Species(steps[:, numbers == number]) for number in np.unique(numbers) if steps[:, numbers == number].any()
    ]
    odds = np.array([_gap_odds(species, gap) for gap in GAPS] + [_break_odds(species)])
    greatest = odds.max(axis=0)
    places = len(greatest)
    chance = float(np.median(odds[0]))
    chance += TAIL * float(stats.norm.isf(FALSE_ALARM / places)) * _spread(odds[0])
    expected = sum(one.expected_odds(GAPS[0]) for one in species)
    limit = max(float(np.log(places / FALSE_ALARM)), min(chance, expected / POWER))
    at = int(np.argmax(greatest))
    return Continuity(
        log_odds=float(greatest[at]),
        at=at + 1,
        limit=limit,
        telling=expected >= POWER * limit,
        copies=tuple(_copies(displacements_A, numbers)),
    )


class _Species:
    """Steps of one species: their dot products at neighbouring times, and the covariance those have on average."""

    def __init__(self, steps: FloatArray) -> None:
        self.count = len(steps)
        self.coordinates = 3 * steps.shape[1]
        flat = steps.reshape(self.count, -1)
        lags = min(2 * NEIGHBOURS + max(GAPS), self.count - 1)
        # Shape (lag, time): the product of the step at a time with the one a lag later.
        self.products = np.zeros((2 * NEIGHBOURS + 1, self.count))
        covariance = np.zeros(2 * NEIGHBOURS + max(GAPS) + 1)
        for lag in range(lags + 1):
            products = np.einsum("td,td->t", flat[: self.count - lag], flat[lag:])
            covariance[lag] = products.mean() / self.coordinates
            if lag < len(self.products):
                self.products[lag, : len(products)] = products
        # The covariance of lags the run is too short for stays zero.
        self.toeplitz = linalg.toeplitz(covariance) + RIDGE * covariance[0] * np.eye(len(covariance))

    def log_likelihood(self, covariance: FloatArray, first: IntArray) -> FloatArray:
        """Of windows that begin at the steps `first`, up to a constant for each step."""
        size = len(covariance)
        precision = np.linalg.inv(covariance)
        form = np.zeros(len(first))
        for row in range(size):
            form += precision[row, row] * self.products[0, first + row]
            for lag in range(1, size - row):
                form += 2 * precision[row, row + lag] * self.products[lag, first + row]
        logs: FloatArray = -0.5 * form - 0.5 * self.coordinates * np.linalg.slogdet(covariance)[1]
        return logs

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
        return float(0.5 * self.coordinates * (np.trace(ratio) - len(ratio) - np.linalg.slogdet(ratio)[1]))


def _windows(count: int) -> Iterator[tuple[IntArray, int, int]]:
    """Steps with the same numbers of neighbours before and after: those at the ends have fewer."""
    reach = min(NEIGHBOURS, (count - 1) // 2)
    for at in range(reach):
        yield np.array([at], dtype=np.int64), at, reach
        yield np.array([count - 1 - at], dtype=np.int64), reach, at
    yield np.arange(reach, count - reach, dtype=np.int64), reach, reach


def _gap_odds(species: list[_Species], gap: int) -> FloatArray:
    odds = np.zeros(species[0].count)
    for at, before, after in _windows(len(odds)):
        for one in species:
            cut = one.with_gap(gap, before=before, after=after)
            whole = one.with_gap(1, before=before, after=after)
            odds[at] += one.log_likelihood(cut, at - before) - one.log_likelihood(whole, at - before)
    return odds


def _break_odds(species: list[_Species]) -> FloatArray:
    odds = np.zeros(species[0].count)
    for at, before, after in _windows(len(odds)):
        for one in species:
            # Twice the usual size at least: a break leads further than a step, a copy is found otherwise.
            size = np.maximum(one.products[0, at] / one.coordinates, 2 * one.toeplitz[0, 0])
            broken = -0.5 * one.products[0, at] / size - 0.5 * one.coordinates * np.log(size)
            if before:
                broken += one.log_likelihood(one.toeplitz[:before, :before], at - before)
            if after:
                broken += one.log_likelihood(one.toeplitz[:after, :after], at + 1)
            whole = one.with_gap(1, before=before, after=after)
            odds[at] += broken - one.log_likelihood(whole, at - before)
    return odds


def _spread(values: FloatArray) -> float:
    return float(stats.median_abs_deviation(values, scale="normal"))


def _copies(displacements_A: FloatArray, numbers: IntArray) -> list[int]:
    """Frames that lie on an earlier one.

    Candidates are neighbours in a few random directions; each is then compared in all coordinates, every species
    scaled by its own step.
    """
    scaled = np.empty((len(displacements_A), displacements_A.shape[1] * 3))
    columns = scaled.reshape(displacements_A.shape)
    for number in np.unique(numbers):
        atoms = numbers == number
        level = np.sqrt((np.diff(displacements_A[:, atoms], axis=0) ** 2).sum(axis=2).mean())
        columns[:, atoms] = displacements_A[:, atoms] / (level if level > 0 else 1.0)
    reach = np.sqrt(COPY_RATIO * displacements_A.shape[1])
    directions = np.random.default_rng(0).normal(size=(scaled.shape[1], PROJECTIONS)) / np.sqrt(scaled.shape[1])
    # The length of a projection on random directions seldom exceeds twice that of chance.
    radius = 2 * reach * np.sqrt(PROJECTIONS / scaled.shape[1])
    pairs = spatial.cKDTree(scaled @ directions).query_pairs(radius, output_type="ndarray")
    near = ((scaled[pairs[:, 0]] - scaled[pairs[:, 1]]) ** 2).sum(axis=1) < reach**2
    return sorted({int(later) for later in pairs[near].max(axis=1)}) if near.any() else []
