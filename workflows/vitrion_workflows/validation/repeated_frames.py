"""Frames that are copies of an earlier one."""

from collections.abc import Mapping

import numpy as np
from scipy import spatial

from vitrion_models.system import FloatArray, IntArray
from vitrion_workflows.validation.frame_steps import COPY_RATIO

PROJECTIONS = 6


def repeated_frames(
    displacements_A: FloatArray, numbers: IntArray, *, squared_A2: Mapping[int, float]
) -> tuple[int, ...]:
    """Return the frames that lie on an earlier one.

    Candidates are neighbours in a few random directions; each is then compared in all coordinates, every species
    scaled by its own step.

    Args:
        displacements_A: shape (F, N, 3).
        numbers: atomic numbers, shape (N,).
        squared_A2: atomic number -> usual squared step, see `FrameSteps`.
    """
    scaled = np.empty((len(displacements_A), displacements_A.shape[1] * 3))
    columns = scaled.reshape(displacements_A.shape)
    for number, square in squared_A2.items():
        atoms = numbers == number
        columns[:, atoms] = displacements_A[:, atoms] / (np.sqrt(square) if square > 0 else 1.0)
    reach = np.sqrt(COPY_RATIO * displacements_A.shape[1])
    directions = np.random.default_rng(0).normal(size=(scaled.shape[1], PROJECTIONS)) / np.sqrt(scaled.shape[1])
    # The length of a projection on random directions seldom exceeds twice its mean.
    radius = 2 * reach * np.sqrt(PROJECTIONS / scaled.shape[1])
    pairs = spatial.cKDTree(scaled @ directions).query_pairs(radius, output_type="ndarray")
    near = ((scaled[pairs[:, 0]] - scaled[pairs[:, 1]]) ** 2).sum(axis=1) < reach**2
    return tuple(sorted({int(later) for later in pairs[near].max(axis=1)})) if near.any() else ()
