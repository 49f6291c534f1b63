"""Gaussian wrapped into a periodic cell, and its exact score."""

import itertools

import numpy as np

from vitrion_models.system import FloatArray

REACH_IN_SIGMA = 6.0


def nearest_image(displacements_A: FloatArray, lattice_A: FloatArray) -> FloatArray:
    """Return displacements (N, 3) wrapped to fractions in [-1/2, 1/2) of the lattice (3, 3), both in Angstrom.

    The nearest image in all but very skewed cells.
    """
    fractional = displacements_A @ np.linalg.inv(lattice_A)
    wrapped: FloatArray = (fractional - np.round(fractional)) @ lattice_A
    return wrapped


def scaled_score(displacements_A: FloatArray, *, sigma_A: float, lattice_A: FloatArray) -> FloatArray:
    """Return sigma times the score of the wrapped normal at displacements from its centre.

    With p(u) = sum_R exp(-|u + R|^2 / 2 sigma^2) over lattice vectors R, this is
    sigma grad log p(u) = -sum_R w_R (u + R) / sigma, where w_R are the softmax weights of the images. For small sigma
    it is -u/sigma of the nearest image; it vanishes as the noise fills the cell.

    Args:
        displacements_A: noised minus clean positions, Angstrom, shape (N, 3).
        sigma_A: standard deviation for each component.
        lattice_A: lattice vectors as rows, Angstrom, shape (3, 3).

    Returns:
        Dimensionless, shape (N, 3): the target of denoising score matching (Vincent, Neural Comput. 23, 1661 (2011)).
    """
    nearest = nearest_image(displacements_A, lattice_A)
    spacings = 1.0 / np.linalg.norm(np.linalg.inv(lattice_A), axis=0)
    # The wrapped centre lies within half a cell; images farther than the reach beyond that weigh below e^-18.
    reach = np.ceil(REACH_IN_SIGMA * sigma_A / spacings + 0.5).astype(int)
    images = np.array(list(itertools.product(*(range(-r, r + 1) for r in reach)))) @ lattice_A
    shifted = nearest[:, None, :] + images[None, :, :]
    exponents = -0.5 * np.sum(shifted**2, axis=-1) / sigma_A**2
    weights = np.exp(exponents - exponents.max(axis=1, keepdims=True))
    weights /= weights.sum(axis=1, keepdims=True)
    score: FloatArray = -np.einsum("nr,nrc->nc", weights, shifted) / sigma_A
    return score
