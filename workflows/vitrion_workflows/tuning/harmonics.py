"""Angular functions of neuroevolution potentials: real solid harmonics of degrees 1 to 4, not normalised.

Order and normalisation are those of GPUMD (Fan et al., J. Chem. Phys. 157, 114801 (2022), equation 26).
"""

from typing import Final

import numpy as np

from vitrion_models.system import FloatArray

# Coefficient of each monomial (powers of x, y, z) of each function.
POLYNOMIALS: Final[tuple[dict[tuple[int, int, int], float], ...]] = (
    {(0, 0, 1): 1},
    {(1, 0, 0): 1},
    {(0, 1, 0): 1},
    {(0, 0, 2): 3, (0, 0, 0): -1},
    {(1, 0, 1): 1},
    {(0, 1, 1): 1},
    {(2, 0, 0): 1, (0, 2, 0): -1},
    {(1, 1, 0): 2},
    {(0, 0, 3): 5, (0, 0, 1): -3},
    {(1, 0, 2): 5, (1, 0, 0): -1},
    {(0, 1, 2): 5, (0, 1, 0): -1},
    {(2, 0, 1): 1, (0, 2, 1): -1},
    {(1, 1, 1): 2},
    {(3, 0, 0): 1, (1, 2, 0): -3},
    {(2, 1, 0): 3, (0, 3, 0): -1},
    {(0, 0, 4): 35, (0, 0, 2): -30, (0, 0, 0): 3},
    {(1, 0, 3): 7, (1, 0, 1): -3},
    {(0, 1, 3): 7, (0, 1, 1): -3},
    {(2, 0, 2): 7, (2, 0, 0): -1, (0, 2, 2): -7, (0, 2, 0): 1},
    {(1, 1, 2): 14, (1, 1, 0): -2},
    {(3, 0, 1): 1, (1, 2, 1): -3},
    {(2, 1, 1): 3, (0, 3, 1): -1},
    {(4, 0, 0): 1, (2, 2, 0): -6, (0, 4, 0): 1},
    {(3, 1, 0): 4, (1, 3, 0): -4},
)
DEGREES: Final = np.repeat([1, 2, 3, 4], [3, 5, 7, 9])
# Weights with which the squares of the functions of a degree add up to (2 l + 1) / (4 pi) P_l(cos angle).
WEIGHTS: Final = np.array(
    [
        *(3, 3, 3),
        *(5 / 4, 15, 15, 15 / 4, 15 / 4),
        *(7 / 4, 21 / 8, 21 / 8, 105 / 4, 105 / 4, 35 / 8, 35 / 8),
        *(9 / 64, 45 / 8, 45 / 8, 45 / 16, 45 / 16, 315 / 8, 315 / 8, 315 / 64, 315 / 64),
    ]
) / (4 * np.pi)
_MONOMIALS = tuple(sorted({powers for polynomial in POLYNOMIALS for powers in polynomial}))
_POWERS = np.array(_MONOMIALS)
_COEFFICIENTS = np.array([[polynomial.get(powers, 0.0) for powers in _MONOMIALS] for polynomial in POLYNOMIALS])


def harmonics(directions: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the angular functions of unit vectors and their gradients along the sphere.

    Args:
        directions: unit vectors, shape (P, 3).

    Returns:
        The functions, shape (P, 24), and their gradients with respect to the vector times its length, shape
        (P, 24, 3), which have no component along it.
    """
    highest = int(_POWERS.max())
    powers = directions[:, :, None] ** np.arange(highest + 1)
    factors = np.stack([powers[:, axis, _POWERS[:, axis]] for axis in range(3)])
    values = factors.prod(axis=0) @ _COEFFICIENTS.T
    gradients = np.empty((*values.shape, 3))
    for axis in range(3):
        exponents = _POWERS[:, axis]
        lowered = factors.copy()
        lowered[axis] = exponents * powers[:, axis, np.maximum(exponents - 1, 0)]
        gradients[:, :, axis] = lowered.prod(axis=0) @ _COEFFICIENTS.T
    along = np.einsum("plc,pc->pl", gradients, directions)
    gradients -= along[:, :, None] * directions[:, None, :]
    return values, gradients
