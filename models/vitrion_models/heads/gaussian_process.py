"""Kernel of the Gaussian-process heads."""

import numpy as np

from vitrion_models.system import FloatArray


def linear_rbf_kernel(first: FloatArray, second: FloatArray, *, amplitude: float, length_scale: float) -> FloatArray:
    """Return the sum of a linear and a squared-exponential kernel of one amplitude, shape (n, m).

    ``a^2 (x.y / P + exp(-|x - y|^2 / (2 P l^2)))`` (Rasmussen and Williams, *Gaussian Processes for Machine Learning*,
    2006, chapter 4): distances are root mean squares over the P features.

    Args:
        first: embeddings, shape (n, P).
        second: embeddings, shape (m, P).
        amplitude: a, in the unit of the process.
        length_scale: l, in the unit of the embeddings.
    """
    columns = first.shape[1]
    products = first @ second.T / columns
    squares = (first**2).sum(axis=1)[:, None] / columns + (second**2).sum(axis=1)[None] / columns - 2.0 * products
    smooth = np.exp(-0.5 * np.maximum(squares, 0.0) / length_scale**2)
    kernel: FloatArray = amplitude**2 * (smooth + products)
    return kernel
