"""Steps between frames, made comparable over a run: thermal scale, recoil of hops, usual size of each species."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import stats

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
